#include "chat/parse_answer.h"

#include <utility>

namespace llmproxy {

Result<json::Value> parse_answer(json::Document& document, std::string body) {
  auto root = document.parse_owned(std::move(body));
  if (!root) {
    return upstream_malformed("the upstream's answer is not readable: " +
                              root.error().message);
  }
  if (!root->is_object()) {
    return upstream_malformed("the upstream's answer is not a JSON object");
  }
  return root;
}

}  // namespace llmproxy
