#include "chat/estimate.h"

#include "chat/token_count.h"

namespace llmproxy {
namespace {

// Around a message or a tool: its role, its brackets.
constexpr std::size_t kAround = 4;
// A 1,000 x 1,000 image; what Anthropic's vision guide calls typical. A page
// of a document and a minute of sound are of that order.
constexpr std::size_t kImage = 1334;

std::size_t tokens(const std::vector<ContentPart>& content);

struct PartTokens {
  std::size_t operator()(const TextPart& part) const {
    return count_tokens_of(part.text);
  }
  std::size_t operator()(const ImagePart&) const { return kImage; }
  std::size_t operator()(const DocumentPart& part) const {
    return part.source.kind == MediaKind::text
               ? count_tokens_of(part.source.data)
               : kImage;
  }
  std::size_t operator()(const AudioPart&) const { return kImage; }
  std::size_t operator()(const ThinkingPart& part) const {
    return count_tokens_of(part.text);
  }
  std::size_t operator()(const ToolCallPart& part) const {
    return kAround + count_tokens_of(part.name) +
           count_tokens_of(part.arguments);
  }
  std::size_t operator()(const ToolResultPart& part) const {
    return kAround + tokens(part.content);
  }
  std::size_t operator()(const RefusalPart& part) const {
    return count_tokens_of(part.text);
  }
  std::size_t operator()(const OpaquePart& part) const {
    return count_tokens_of(part.json.text);
  }
};

std::size_t tokens(const std::vector<ContentPart>& content) {
  std::size_t sum = 0;
  for (const ContentPart& part : content) {
    sum += std::visit(PartTokens{}, part.value);
  }
  return sum;
}

}  // namespace

std::int64_t estimate_input_tokens(const ChatRequest& request) {
  std::size_t sum = 1;
  for (const Message& message : request.messages) {
    sum += kAround + tokens(message.content);
  }
  for (const ToolDefinition& tool : request.tools) {
    sum += kAround + count_tokens_of(tool.name) +
           count_tokens_of(tool.description) +
           count_tokens_of(tool.schema.text);
  }
  return static_cast<std::int64_t>(sum);
}

}  // namespace llmproxy
