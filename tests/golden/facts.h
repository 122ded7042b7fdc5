// A canonical value as a list of facts: one thing that is said each, with the
// places where the client's body may have said it. What dialects merely write
// differently is brought to one form; the tables of these normalisations are
// at the top of request_facts.cc and response_facts.cc.
#pragma once

#include <string>
#include <vector>

#include "llmproxy/chat.h"

namespace llmproxy::testing {

struct Fact {
  std::string text;
  /// JSON pointers; a loss within one of them excuses the fact.
  std::vector<std::string> places;
};
using Facts = std::vector<Fact>;

Facts facts_of(const ChatRequest& request);
Facts facts_of(const ChatResponse& response);

/// Arguments of a call, comparable: no white space between tokens, {} for
/// nothing, what was wrapped because it was no object unwrapped again.
std::string normal_arguments(const ToolCallPart& call);

bool is_blank(std::string_view text);

}  // namespace llmproxy::testing
