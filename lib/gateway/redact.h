// Keys in texts that come from an upstream: some repeat the key they refuse.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// Replaces in `text` every key that was sent or could have been: the
/// backend's, and whatever `client` showed. Also where it is written with
/// escapes of JSON or URLs or in base64, and where a large part of it stands
/// alone.
void redact(const Backend& backend, const HttpRequest& client,
            std::string& text);
/// The same for all values.
void redact(const Backend& backend, const HttpRequest& client,
            Headers& headers);

/// The same for a text that comes in pieces, whose length does not change.
class Redactor {
 public:
  Redactor(const Backend& backend, const HttpRequest& client);

  /// Appends what may be shown to `out`. What could be the beginning of a key
  /// is held back until more is there, or until finish().
  void feed(std::string_view bytes, std::string& out);
  void finish(std::string& out);
  /// A whole text, which may become shorter.
  void replace_in(std::string& text) const;

 private:
  /// What is looked for, and how much of its beginning is too much.
  struct Pattern {
    std::string text;
    std::size_t enough = 0;
  };
  struct Found {
    std::size_t size = 0;  ///< of what to replace; 0 = nothing
    bool cut = false;      ///< the text ends inside of what may be a key
  };

  void add_secret(std::string_view secret);
  void add(std::string text, std::size_t enough);
  Found find_at(std::string_view text) const;
  static Found match(const Pattern& pattern, std::string_view text);

  std::vector<Pattern> patterns_;
  std::string held_;
};

}  // namespace llmproxy::gateway
