// A value that fits a JSON Schema: what the demo model calls tools with and
// answers structured output with.
#pragma once

#include <string>
#include <string_view>

namespace llmproxy::demo {

/// JSON text that satisfies `schema` as far as its types, `required`, `enum`,
/// `const`, bounds, `$ref` and first alternatives say; strings are `words`
/// where nothing else is asked. `pattern` is not looked at. Deterministic; a
/// schema that is no JSON object gives "{}".
std::string example_json(std::string_view schema, std::string_view words);

}  // namespace llmproxy::demo
