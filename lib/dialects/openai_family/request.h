// What OpenAI's two APIs have alike in their requests, for reading.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chat/read_parts.h"
#include "json/fields.h"
#include "json/text.h"
#include "llmproxy/chat.h"

namespace llmproxy::openai_family {

/// name, description, parameters and strict of a function.
Result<void> read_function(json::ObjectReader& reader, ToolDefinition& tool);
/// name and description of a custom tool; the format is the caller's.
Result<void> read_custom(json::ObjectReader& reader, ToolDefinition& tool);
/// name, description and strict of a JSON schema; the schema is the caller's.
Result<void> read_schema_names(json::ObjectReader& reader,
                               ResponseFormat& format);
/// safety_identifier or user, and service_tier.
Result<void> read_identity(json::ObjectReader& reader, ChatRequest& request);

/// A part that says its type: by the row of it, with what any part may carry.
/// `expected` lists the types for errors.
Result<ContentPart> read_part(
    json::Value value, const std::string& path, std::span<const PartRow> rows,
    std::string_view expected,
    std::optional<CacheMarker> (*read_cache)(json::ObjectReader& part));

/// `input_audio`: {"data", "format"}.
Result<ContentPart::Value> read_input_audio(json::ObjectReader& part);

/// `refusal`: its words.
Result<ContentPart::Value> read_refusal(json::ObjectReader& part);

/// The ways to give a file, as far as an API has them.
struct FileMembers {
  std::string_view data = {};  ///< base64 or a data URL
  std::string_view url = {};
  std::string_view id = {};
};
/// `complaint` is said where none is given; `path` is the place of all.
Result<MediaSource> read_file_source(const FileMembers& members,
                                     std::string_view file_name,
                                     std::string_view complaint,
                                     const std::string& path);

/// A field whose value is what leaving it out means.
template <class Rows>
bool is_default(const Rows& rows, const Extension& extension) {
  const std::string value = json::without_whitespace(extension.value.text());
  return std::any_of(std::begin(rows), std::end(rows), [&](const auto& row) {
    return row.name == extension.name && row.json == value;
  });
}

}  // namespace llmproxy::openai_family
