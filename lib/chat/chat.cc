// What the canonical values can do: parts that become content, comparisons,
// texts and small makers.
#include "llmproxy/chat.h"

namespace llmproxy {
namespace {

std::string text_of(const std::vector<ContentPart>& content) {
  std::string text;
  for (const ContentPart& part : content) {
    if (const auto* piece = part.as<TextPart>()) text += piece->text;
  }
  return text;
}

}  // namespace

#define LLMPROXY_PART(Part)                               \
  Part::operator ContentPart() const& { return {*this}; } \
  Part::operator ContentPart()&& { return {std::move(*this)}; }
LLMPROXY_PART(TextPart)
LLMPROXY_PART(ImagePart)
LLMPROXY_PART(DocumentPart)
LLMPROXY_PART(AudioPart)
LLMPROXY_PART(ThinkingPart)
LLMPROXY_PART(ToolCallPart)
LLMPROXY_PART(RefusalPart)
LLMPROXY_PART(OpaquePart)
#undef LLMPROXY_PART

bool ContentPart::operator==(const ContentPart& other) const {
  return value == other.value && cache == other.cache &&
         extensions == other.extensions;
}

std::string Message::text() const { return text_of(content); }

std::string ChatResponse::text() const { return text_of(content); }

std::vector<ToolCallPart> ChatResponse::tool_calls() const {
  std::vector<ToolCallPart> calls;
  for (const ContentPart& part : content) {
    if (const auto* call = part.as<ToolCallPart>()) calls.push_back(*call);
  }
  return calls;
}

Message text_message(Role role, std::string text) {
  return {role, {TextPart{std::move(text)}}};
}

}  // namespace llmproxy
