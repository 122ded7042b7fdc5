// One record of a client's stream, and the rule books of the dialects that
// stream_rules.cc opens. A new dialect adds a function here and a row there.
#pragma once

#include <string>
#include <vector>

#include "llmproxy/dialect.h"

namespace llmproxy::testing {

/// One server-sent event, or one frame.
struct Record {
  std::string name;  ///< of the event: line, or of the frame; empty = none
  std::string data;
  bool exception = false;  ///< of frames only
};

/// Each says which rule is broken first, and by what; empty = none.
std::string broken_openai_chat_rule(const std::vector<Record>& records,
                                    const RequestContext& context, bool failed);
std::string broken_claude_rule(const std::vector<Record>& records,
                               const RequestContext& context, bool failed);
std::string broken_bedrock_rule(const std::vector<Record>& records,
                                const RequestContext& context, bool failed);
std::string broken_bedrock_converse_rule(const std::vector<Record>& records,
                                         const RequestContext& context,
                                         bool failed);

}  // namespace llmproxy::testing
