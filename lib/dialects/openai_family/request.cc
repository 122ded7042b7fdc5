#include "dialects/openai_family/request.h"

#include <fmt/format.h>

#include "chat/media.h"

namespace llmproxy::openai_family {

using json::ObjectReader;
using json::Type;
using json::Value;

Result<void> read_function(ObjectReader& reader, ToolDefinition& tool) {
  LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
  LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
  LLMPROXY_ASSIGN(const Value schema,
                  reader.optional("parameters", Type::object));
  tool.schema = schema.raw_json();
  LLMPROXY_ASSIGN(tool.strict, reader.optional_bool("strict"));
  return {};
}

Result<void> read_custom(ObjectReader& reader, ToolDefinition& tool) {
  tool.kind = ToolKind::custom;
  LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
  LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
  return {};
}

Result<void> read_schema_names(ObjectReader& reader, ResponseFormat& format) {
  LLMPROXY_ASSIGN(format.name, reader.optional_string("name"));
  LLMPROXY_ASSIGN(format.description, reader.optional_string("description"));
  LLMPROXY_ASSIGN(format.strict, reader.optional_bool("strict"));
  return {};
}

Result<void> read_identity(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(request.user_id, reader.optional_string("safety_identifier"));
  // The older name of the same field.
  LLMPROXY_ASSIGN(const std::string user, reader.optional_string("user"));
  if (request.user_id.empty()) request.user_id = user;
  LLMPROXY_ASSIGN(request.service_tier, reader.optional_string("service_tier"));
  return {};
}

Result<ContentPart> read_part(
    Value value, const std::string& path, std::span<const PartRow> rows,
    std::string_view expected,
    std::optional<CacheMarker> (*read_cache)(ObjectReader& part)) {
  if (!value.is_object()) {
    return json::not_an_object("a content part", value, path);
  }
  ObjectReader reader(value, path);
  LLMPROXY_ASSIGN(const std::string type, reader.required_string("type"));
  const PartRow* row = find_row(rows, type);
  if (row == nullptr) {
    return invalid_request(
        fmt::format("unknown content part type '{}'; expected {}", type,
                    expected),
        reader.path_of("type"));
  }
  return read_by_row(*row, reader, read_cache);
}

Result<ContentPart::Value> read_input_audio(ObjectReader& part) {
  LLMPROXY_ASSIGN(const Value audio,
                  part.required("input_audio", Type::object));
  AudioPart out;
  out.source.data = audio["data"].string();
  out.format = audio["format"].string();
  if (out.source.data.empty() || out.format.empty()) {
    return invalid_request("input_audio needs data and format",
                           part.path_of("input_audio"));
  }
  out.source.media_type = "audio/" + out.format;
  return ContentPart::Value(std::move(out));
}

Result<ContentPart::Value> read_refusal(ObjectReader& part) {
  LLMPROXY_ASSIGN(std::string text, part.required_string("refusal"));
  return ContentPart::Value(RefusalPart{std::move(text)});
}

Result<MediaSource> read_file_source(const FileMembers& members,
                                     std::string_view file_name,
                                     std::string_view complaint,
                                     const std::string& path) {
  if (!members.url.empty()) return media_from_url(members.url, path);
  if (members.data.starts_with("data:")) {
    return media_from_url(members.data, path);
  }
  MediaSource source;
  if (!members.data.empty()) {
    source.data = std::string(members.data);
    source.media_type = media_type_of_file(file_name);
    return source;
  }
  if (members.id.empty()) return invalid_request(std::string(complaint), path);
  source.kind = MediaKind::file_id;
  source.data = std::string(members.id);
  return source;
}

}  // namespace llmproxy::openai_family
