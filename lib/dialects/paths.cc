// Paths with a model in them, both ways (RFC 3986, section 2.1).
#include <charconv>

#include "llmproxy/dialect.h"

namespace llmproxy {
namespace {

constexpr std::string_view kModel = "{model}";

std::string percent_decoded(std::string_view text) {
  constexpr std::size_t kEscape = 3;  // "%2F"
  std::string out;
  while (!text.empty()) {
    unsigned value = 0;
    const char* end = text.data() + kEscape;
    const bool escaped =
        text.size() >= kEscape && text[0] == '%' &&
        std::from_chars(text.data() + 1, end, value, 16).ptr == end;
    out += escaped ? static_cast<char>(value) : text[0];
    text.remove_prefix(escaped ? kEscape : 1);
  }
  return out;
}

/// Everything but the unreserved characters, as the AWS SDKs do.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

/// The model in `path`, empty where the pattern has none; nullopt when the
/// path is another one.
std::optional<std::string> match(std::string_view pattern,
                                 std::string_view path) {
  const std::size_t at = pattern.find(kModel);
  if (at == std::string_view::npos) {
    if (path == pattern) return std::string();
    return std::nullopt;
  }
  const std::string_view before = pattern.substr(0, at);
  const std::string_view after = pattern.substr(at + kModel.size());
  if (path.size() <= before.size() + after.size() ||
      !path.starts_with(before) || !path.ends_with(after)) {
    return std::nullopt;
  }
  path.remove_prefix(before.size());
  path.remove_suffix(after.size());
  return percent_decoded(path);
}

}  // namespace

std::optional<PathMatch> match_path(const Dialect& dialect,
                                    std::string_view path) {
  for (const ClientPath& row : dialect.client_paths) {
    if (auto model = match(row.pattern, path)) {
      return PathMatch{&row, *std::move(model)};
    }
  }
  return std::nullopt;
}

std::optional<UpstreamMatch> match_upstream(const Dialect& dialect,
                                            std::string_view path) {
  path = path.substr(0, path.find('?'));
  const auto at_end =
      [path](std::string_view pattern) -> std::optional<std::string> {
    pattern = pattern.substr(0, pattern.find('?'));
    if (pattern.empty()) return std::nullopt;
    const std::string_view beginning = pattern.substr(0, pattern.find(kModel));
    // From the end: a base URL, or the model, may look like the pattern.
    std::size_t start = path.rfind(beginning);
    while (start != std::string_view::npos) {
      if (auto model = match(pattern, path.substr(start))) return model;
      start = start == 0 ? std::string_view::npos
                         : path.rfind(beginning, start - 1);
    }
    return std::nullopt;
  };
  if (auto model = at_end(dialect.upstream_path)) {
    return UpstreamMatch{*std::move(model), false};
  }
  if (auto model = at_end(dialect.upstream_stream_path)) {
    return UpstreamMatch{*std::move(model), true};
  }
  return std::nullopt;
}

std::string upstream_path(const Dialect& dialect, std::string_view model,
                          bool stream) {
  std::string path(stream && !dialect.upstream_stream_path.empty()
                       ? dialect.upstream_stream_path
                       : dialect.upstream_path);
  const std::size_t at = path.find(kModel);
  if (at == std::string::npos) return path;
  return path.replace(at, kModel.size(), percent_encoded(model));
}

}  // namespace llmproxy
