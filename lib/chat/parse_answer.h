// The body of an upstream's answer as JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "json/json.h"
#include "llmproxy/result.h"

namespace llmproxy {

/// The object in `body`; both must outlive it. Errors: upstream_malformed,
/// where the parser would blame the client.
Result<json::Value> parse_answer(json::Document& document,
                                 std::string_view body);

/// Id for a call that the upstream gave none: of this answer alone, as ids of
/// later turns must differ.
std::string made_call_id(std::string_view answer_id, std::size_t part);
/// Gives the calls of a whole answer their ids.
void complete_calls(ChatResponse& response);

}  // namespace llmproxy
