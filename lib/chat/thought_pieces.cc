#include "chat/thought_pieces.h"

#include <iterator>
#include <string>

namespace llmproxy {
namespace {

bool is_wordless_signature(const ThinkingPart& thinking) {
  return thinking.text.empty() && !thinking.signature.empty() &&
         thinking.redacted_data.empty() &&
         thinking.issuer != ReasoningIssuer::google;
}

bool is_unsigned(const ContentPart& part) {
  const auto* thinking = part.as<ThinkingPart>();
  return thinking != nullptr && thinking->signature.empty() &&
         thinking->redacted_data.empty();
}

}  // namespace

void join_thought_pieces(std::vector<ContentPart>& content) {
  for (std::size_t i = 0; i < content.size(); ++i) {
    auto* signed_thought = content[i].as<ThinkingPart>();
    if (signed_thought == nullptr || !is_wordless_signature(*signed_thought)) {
      continue;
    }
    std::size_t first = i;
    while (first > 0 && is_unsigned(content[first - 1])) --first;
    if (first == i) continue;
    for (std::size_t piece = first; piece < i; ++piece) {
      signed_thought->text += content[piece].as<ThinkingPart>()->text;
    }
    content[i].source = content[first].source;
    const auto begin = content.begin();
    content.erase(std::next(begin, static_cast<std::ptrdiff_t>(first)),
                  std::next(begin, static_cast<std::ptrdiff_t>(i)));
    i = first;
  }
}

}  // namespace llmproxy
