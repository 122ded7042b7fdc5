#include "gateway/path_form.h"

#include <algorithm>
#include <cstddef>

#include "base/text.h"
#include "llmproxy/dialect.h"

namespace llmproxy::gateway {
namespace {

/// What follows the model, else the whole: "/converse", "/chat/completions".
std::string_view end_of(std::string_view upstream_path) {
  constexpr std::string_view kModel = "{model}";
  const std::size_t at = upstream_path.find(kModel);
  if (at != std::string_view::npos) {
    upstream_path.remove_prefix(at + kModel.size());
  }
  return upstream_path.substr(0, upstream_path.find('?'));
}

}  // namespace

std::string usual_path(std::string_view path) {
  constexpr std::string_view kColon = "%3a";
  std::string out;
  while (!path.empty()) {
    const std::string_view three = path.substr(0, kColon.size());
    if (lower(three) == kColon) {
      out += ':';
      path.remove_prefix(three.size());
      continue;
    }
    if (path.front() != '/' || !out.ends_with('/')) out += path.front();
    path.remove_prefix(1);
  }
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

bool is_chat_path(std::string_view path) {
  const std::string text = lower(usual_path(percent_decoded(path)));
  const auto all = dialects();
  return std::any_of(all.begin(), all.end(), [&](const Dialect* dialect) {
    const std::string whole = lower(end_of(dialect->upstream_path));
    const std::string stream = lower(end_of(dialect->upstream_stream_path));
    return text.ends_with(whole) || (!stream.empty() && text.ends_with(stream));
  });
}

}  // namespace llmproxy::gateway
