// The body of an upstream's answer as JSON.
#pragma once

#include <string>

#include "json/json.h"
#include "llmproxy/result.h"

namespace llmproxy {

/// The object in `body`; `document` must outlive it. Errors:
/// upstream_malformed, where the parser would blame the client.
Result<json::Value> parse_answer(json::Document& document, std::string body);

}  // namespace llmproxy
