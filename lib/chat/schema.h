// Rewriting JSON Schemas to the subset a target accepts, keeping the meaning
// where it can and saying so where it cannot.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/chat.h"
#include "llmproxy/loss.h"

namespace llmproxy {

/// A tool's schema with "type":"object" at the top, as Anthropic and Bedrock
/// demand; an empty one becomes an object without properties.
std::string object_schema(const RawJson& schema);

/// The same without anyOf, oneOf and allOf at the top, which Anthropic refuses
/// in a tool's schema: the properties of all branches stand side by side, and
/// required is what every choice requires. Nothing = there are none.
std::optional<std::string> united_schema(const RawJson& schema);

/// A schema for strict structured output: every object closed
/// (additionalProperties:false); limits on numbers, strings and arrays moved
/// into the description. Losses name the places below `path`, and `target`.
std::string closed_schema(const RawJson& schema, std::string_view path,
                          std::string_view target, Losses& losses);

}  // namespace llmproxy
