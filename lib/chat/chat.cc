// Comparisons of the recursive parts, and small makers.
#include "llmproxy/chat.h"

namespace llmproxy {

bool ToolResultPart::operator==(const ToolResultPart& other) const {
  return call_id == other.call_id && content == other.content &&
         is_error == other.is_error;
}

bool ContentPart::operator==(const ContentPart& other) const {
  return value == other.value && cache == other.cache &&
         extensions == other.extensions;
}

Message text_message(Role role, std::string text) {
  Message message;
  message.role = role;
  message.content.push_back({TextPart{std::move(text), {}}, {}, {}});
  return message;
}

}  // namespace llmproxy
