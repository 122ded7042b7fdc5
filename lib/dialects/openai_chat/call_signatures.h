// Gemini signs its function calls and wants the signatures back. Google's own
// endpoint of this dialect has a place for them, which clients send back as
// they got it: extra_content.google.thought_signature of a tool call. Source:
// Gemini API documentation, "Thought signatures", OpenAI compatibility.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "json/json.h"
#include "json/writer.h"
#include "llmproxy/chat.h"

namespace llmproxy::openai_chat {

/// The signature of a tool call, as the part before the call; nullopt = none,
/// or something else beside it.
std::optional<ThinkingPart> read_call_signature(const json::Value& call);
/// The member extra_content; nothing for an empty signature.
void write_call_signature(std::string_view signature, json::Writer& writer);

/// The signature of the call at `index`; empty = none.
std::string_view call_signature(const std::vector<ContentPart>& content,
                                std::size_t index);
/// The part at `index` is the signature of the call behind it.
bool signs_a_call(const std::vector<ContentPart>& content, std::size_t index);

}  // namespace llmproxy::openai_chat
