// Comparisons of the recursive parts, and small makers.
#include "llmproxy/chat.h"

namespace llmproxy {

bool operator==(const ToolResultPart& a, const ToolResultPart& b) {
  return a.call_id == b.call_id && a.content == b.content &&
         a.is_error == b.is_error;
}

bool operator==(const ContentPart& a, const ContentPart& b) {
  return a.value == b.value && a.cache == b.cache &&
         a.extensions == b.extensions;
}

Message text_message(Role role, std::string text) {
  Message message;
  message.role = role;
  message.content.push_back({TextPart{std::move(text), {}}, {}, {}});
  return message;
}

}  // namespace llmproxy
