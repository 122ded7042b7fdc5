#include "chat/estimate.h"

#include <algorithm>
#include <string_view>

#include "chat/token_count.h"

namespace llmproxy {
namespace {

// Around a message or a tool: its role, its brackets.
constexpr std::size_t kAround = 4;
// A 1,000 x 1,000 image; what Anthropic's vision guide calls typical. A page
// of a document and a minute of sound are of that order.
constexpr std::size_t kImage = 1334;

/// Goes through everything that is text, with a function that says what one
/// text counts, and what all else counts.
template <class OfText>
class Sum {
 public:
  Sum(OfText of_text, std::size_t around, std::size_t image)
      : of_text_(of_text), around_(around), image_(image) {}

  std::size_t operator()(const ChatRequest& request) const {
    std::size_t sum = 0;
    for (const Message& message : request.messages) {
      sum += around_ + of_content(message.content);
    }
    for (const ToolDefinition& tool : request.tools) {
      sum += around_ + of_text_(tool.name) + of_text_(tool.description) +
             of_text_(tool.schema.text());
    }
    return sum;
  }

  std::size_t operator()(const TextPart& part) const {
    return of_text_(part.text);
  }
  std::size_t operator()(const ImagePart&) const { return image_; }
  std::size_t operator()(const DocumentPart& part) const {
    return part.source.kind == MediaKind::text ? of_text_(part.source.data)
                                               : image_;
  }
  std::size_t operator()(const AudioPart&) const { return image_; }
  std::size_t operator()(const ThinkingPart& part) const {
    return of_text_(part.text);
  }
  std::size_t operator()(const ToolCallPart& part) const {
    return around_ + of_text_(part.name) + of_text_(part.arguments);
  }
  std::size_t operator()(const ToolResultPart& part) const {
    return around_ + of_content(part.content);
  }
  std::size_t operator()(const RefusalPart& part) const {
    return of_text_(part.text);
  }
  std::size_t operator()(const OpaquePart& part) const {
    return of_text_(part.json.text());
  }

 private:
  std::size_t of_content(const std::vector<ContentPart>& content) const {
    std::size_t sum = 0;
    for (const ContentPart& part : content)
      sum += std::visit(*this, part.value);
    return sum;
  }

  OfText of_text_;
  std::size_t around_;
  std::size_t image_;
};

/// Tokens of a text of which one byte in `stride` is looked at, in one piece
/// from its middle; never less than a few words.
std::size_t sampled(std::string_view text, std::size_t stride) {
  constexpr std::size_t kFewWords = 64;
  const std::size_t size =
      std::min(text.size(), std::max(text.size() / stride, kFewWords));
  if (size == text.size()) return count_tokens_of(text);
  return count_tokens_of(text.substr((text.size() - size) / 2, size)) *
         text.size() / size;
}

}  // namespace

std::int64_t estimate_input_tokens(const ChatRequest& request,
                                   std::size_t most) {
  const auto size_of = [](std::string_view text) { return text.size(); };
  const std::size_t stride = Sum(size_of, 0, 0)(request) / most + 1;
  const auto of_text = [stride](std::string_view text) {
    return stride == 1 ? count_tokens_of(text) : sampled(text, stride);
  };
  return static_cast<std::int64_t>(1 + Sum(of_text, kAround, kImage)(request));
}

}  // namespace llmproxy
