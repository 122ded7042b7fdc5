#include "chat/parse_answer.h"

#include <fmt/format.h>

#include <utility>

namespace llmproxy {

Result<json::Value> parse_answer(json::Document& document,
                                 std::string_view body) {
  // A byte order mark may be ignored [RFC 8259, 8.1].
  constexpr std::string_view kBom = "\xEF\xBB\xBF";
  if (body.starts_with(kBom)) body.remove_prefix(kBom.size());
  auto root = document.parse_view(body, json::kPieceLimits);
  if (!root) {
    return upstream_malformed("the upstream's answer is not readable: " +
                              root.error().message);
  }
  if (!root->is_object()) {
    return upstream_malformed("the upstream's answer is not a JSON object");
  }
  return root;
}

std::string made_call_id(std::string_view answer_id, std::size_t part) {
  return fmt::format("call_{}_{}", answer_id, part);
}

void complete_calls(ChatResponse& response) {
  for (std::size_t i = 0; i < response.content.size(); ++i) {
    auto* call = response.content[i].as<ToolCallPart>();
    if (call == nullptr) continue;
    if (call->id.empty()) call->id = made_call_id(response.id, i);
  }
}

}  // namespace llmproxy
