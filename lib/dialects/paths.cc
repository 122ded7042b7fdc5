// Paths with a model in them, both ways.
#include <cstddef>

#include "base/text.h"
#include "llmproxy/dialect.h"

namespace llmproxy {
namespace {

constexpr std::string_view kModel = "{model}";

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
    const std::string_view before = pattern.substr(0, pattern.find(kModel));
    // From the left: a model may be called what stands before it.
    for (std::size_t start = path.find(before); start != std::string_view::npos;
         start = path.find(before, start + 1)) {
      if (auto model = match(pattern, path.substr(start))) return model;
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
