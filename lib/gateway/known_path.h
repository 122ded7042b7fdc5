// Known paths, spelled as a wrong base URL makes a client spell them:
// "/messages", "//v1/messages", "/v1/v1/messages",
// "/v1/chat/completions/chat/completions".
//
// Nothing is decoded and nothing is guessed: what is left of the path once the
// words are gone that a base URL may end in must be a path as it stands.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace llmproxy::gateway {

/// What there is to be found. Both are asked a few dozen times at most.
struct KnownPaths {
  /// True for paths that lead somewhere.
  std::function<bool(std::string_view path)> has;
  /// True for words that such paths are made of ("messages").
  std::function<bool(std::string_view word)> has_word;
};

/// True for paths in which no slash is doubled or stands at the end: only
/// these are looked up as they are.
bool is_plain_path(std::string_view path);

/// The one of `known` that `path` means; nullopt = nobody can tell. Of several
/// the one that leaves the least of `path` out. A pure function.
std::optional<std::string> known_path(std::string_view path,
                                      const KnownPaths& known);

/// True when one of the path's segments is an API's version ("/api/v1/x").
bool names_version(std::string_view path);

}  // namespace llmproxy::gateway
