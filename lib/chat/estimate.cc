#include "chat/estimate.h"

namespace llmproxy {
namespace {

constexpr std::size_t kBytesPerToken = 4;
constexpr std::size_t kMessageBytes = 4 * kBytesPerToken;
// A 1,000 x 1,000 image; what Anthropic's vision guide calls typical.
constexpr std::size_t kImageBytes = 1334 * kBytesPerToken;

std::size_t bytes(const std::vector<ContentPart>& content);

struct PartBytes {
  std::size_t operator()(const TextPart& part) const {
    return part.text.size();
  }
  std::size_t operator()(const ImagePart&) const { return kImageBytes; }
  std::size_t operator()(const DocumentPart& part) const {
    return part.source.kind == MediaKind::text ? part.source.data.size()
                                               : kImageBytes;
  }
  std::size_t operator()(const AudioPart&) const { return kImageBytes; }
  std::size_t operator()(const ThinkingPart& part) const {
    return part.text.size();
  }
  std::size_t operator()(const ToolCallPart& part) const {
    return part.name.size() + part.arguments.size();
  }
  std::size_t operator()(const ToolResultPart& part) const {
    return bytes(part.content);
  }
  std::size_t operator()(const RefusalPart& part) const {
    return part.text.size();
  }
  std::size_t operator()(const OpaquePart& part) const {
    return part.json.text.size();
  }
};

std::size_t bytes(const std::vector<ContentPart>& content) {
  std::size_t sum = 0;
  for (const ContentPart& part : content) {
    sum += std::visit(PartBytes{}, part.value);
  }
  return sum;
}

}  // namespace

std::int64_t estimate_input_tokens(const ChatRequest& request) {
  std::size_t sum = 0;
  for (const Message& message : request.messages) {
    sum += kMessageBytes + bytes(message.content);
  }
  for (const ToolDefinition& tool : request.tools) {
    sum += kMessageBytes + tool.name.size() + tool.description.size() +
           tool.schema.text.size();
  }
  return static_cast<std::int64_t>(sum / kBytesPerToken) + 1;
}

}  // namespace llmproxy
