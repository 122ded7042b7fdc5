#include "dialects/openai_chat/call_signatures.h"

#include <string>

#include "json/json.h"

namespace llmproxy::openai_chat {

namespace {

constexpr std::string_view kExtra = "extra_content";
constexpr std::string_view kGoogle = "google";
constexpr std::string_view kSignature = "thought_signature";

}  // namespace

std::optional<ThinkingPart> read_call_signature(const json::Value& call) {
  const json::Value extra = call[kExtra];
  const json::Value google = extra[kGoogle];
  const std::string_view signature = google[kSignature].string();
  if (signature.empty() || extra.size() != 1 || google.size() != 1) {
    return std::nullopt;
  }
  return ThinkingPart{.signature = std::string(signature),
                      .issuer = ReasoningIssuer::google};
}

void write_call_signature(std::string_view signature, json::Writer& w) {
  if (signature.empty()) return;
  w.begin_object(kExtra);
  w.object(kGoogle, kSignature, signature);
  w.end_object();
}

std::string_view call_signature(const std::vector<ContentPart>& content,
                                std::size_t index) {
  if (index == 0 || content[index].as<ToolCallPart>() == nullptr) return {};
  const auto* thinking = content[index - 1].as<ThinkingPart>();
  // A signature without thinking that Google can read again.
  const bool signs = thinking != nullptr && thinking->text.empty() &&
                     thinking->issuer == ReasoningIssuer::google;
  return signs ? std::string_view(thinking->signature) : std::string_view();
}

bool signs_a_call(const std::vector<ContentPart>& content, std::size_t index) {
  return index + 1 < content.size() &&
         !call_signature(content, index + 1).empty();
}

}  // namespace llmproxy::openai_chat
