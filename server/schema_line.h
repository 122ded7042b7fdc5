// The first line of configurations that we write: editors look up keys by it.
#pragma once

#include <string_view>

namespace llmproxy {

// "llm-proxy schema >llm-proxy.schema.json" writes it beside the file.
inline constexpr std::string_view kSchemaLine =
    "# yaml-language-server: $schema=llm-proxy.schema.json\n";

}  // namespace llmproxy
