// What earlier turns hold that a target of another kind cannot be given back.
#include <string>
#include <utility>
#include <vector>

#include "chat/fit_steps.h"
#include "chat/turns.h"

namespace llmproxy {
namespace {

using Parts = std::vector<ContentPart>;

bool is_unsigned_thinking(const ContentPart& part) {
  const auto* thinking = part.as<ThinkingPart>();
  return thinking != nullptr && thinking->issuer == ReasoningIssuer::unknown;
}

bool says_nothing(const ContentPart& part) {
  const auto& thinking = *part.as<ThinkingPart>();
  return thinking.text.empty() && thinking.signature.empty() &&
         thinking.redacted_data.empty();
}

/// Signed by nobody that is known: where another dialect wrote it, the target
/// cannot tell that it is its own.
void drop_thinking(FitStep& step, Message& message) {
  if (step.limits().thinking_of == ReasoningIssuer::unknown || step.is_kin()) {
    return;
  }
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    const ContentPart& part = message.content[i];
    if (!is_unsigned_thinking(part) || says_nothing(part)) continue;
    step.drop(path_of(message, i), step.limits().target,
              "thinking without a signature of its own models");
  }
  std::erase_if(message.content, is_unsigned_thinking);
}

/// A text document's title is written into its text.
void drop_file_name(FitStep& step, ContentPart& part, std::string path) {
  auto* document = part.as<DocumentPart>();
  if (document == nullptr || document->title.empty() ||
      document->source.kind == MediaKind::text) {
    return;
  }
  document->title.clear();
  step.change(std::move(path), step.limits().target, "names of files",
              "it is sent without");
}

void drop_file_names(FitStep& step, Message& message) {
  if (step.limits().file_names || step.target.origin == Origin::own) return;
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    ContentPart& part = message.content[i];
    drop_file_name(step, part, path_of(message, i));
    auto* result = part.as<ToolResultPart>();
    if (result == nullptr) continue;
    const std::string path = path_of(message, i);
    for (std::size_t k = 0; k < result->content.size(); ++k) {
      drop_file_name(step, result->content[k],
                     path_of(path, result->content[k], k));
    }
  }
}

}  // namespace

void fit_history(FitStep& step) {
  for (Message& message : step.request.messages) {
    drop_thinking(step, message);
    drop_file_names(step, message);
  }
}

}  // namespace llmproxy
