#include "chat/tool_arguments.h"

#include <algorithm>
#include <utility>

#include "chat/losses.h"
#include "chat/turns.h"
#include "json/json.h"
#include "json/writer.h"

namespace llmproxy {

std::string input_object(std::string_view arguments, bool* wrapped) {
  if (blank(arguments)) return "{}";
  json::Document document;
  const auto root = document.parse_view(arguments, json::kPieceLimits);
  if (root && root->is_object()) return std::string(root->raw());
  if (root && root->is_null()) return "{}";
  if (wrapped != nullptr) *wrapped = true;
  std::string out;
  json::Writer w(out);
  w.begin_object();
  if (root) {
    w.member_raw("_value", root->raw());
  } else {
    w.member("_raw_arguments", arguments);
  }
  w.end_object();
  return out;
}

std::string input_of(const ToolCallPart& call, const std::string& path,
                     std::string_view who, Losses& losses) {
  bool wrapped = false;
  std::string input = input_object(call.arguments, &wrapped);
  if (wrapped) {
    lose(losses, path, who, "tool arguments that are no JSON object",
         "they were put into one");
  }
  return input;
}

void StreamedInput::begin(bool free_text) {
  held_.clear();
  free_text_ = free_text;
  passes_ = false;
}

std::string_view StreamedInput::take(std::string_view piece) {
  constexpr std::size_t kMostHeld = std::size_t{1} << 20;
  if (passes_) return piece;
  if (free_text_) {
    held_ += piece;
    return {};
  }
  if (held_.empty()) {
    piece.remove_prefix(
        std::min(piece.find_first_not_of(" \t\r\n"), piece.size()));
    passes_ = piece.starts_with('{');
    if (passes_) return piece;
  }
  held_ += piece;
  passes_ = held_.size() > kMostHeld;
  return passes_ ? std::string_view(held_) : std::string_view();
}

std::string StreamedInput::rest(bool& wrapped) {
  const std::string held = std::exchange(held_, {});
  if (std::exchange(passes_, false)) return {};
  return input_object(held, &wrapped);
}

}  // namespace llmproxy
