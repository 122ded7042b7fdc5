#include "chat/read_parts.h"

#include "base/text.h"
#include "chat/extensions.h"

namespace llmproxy {

ContentPart part_in(std::string_view member, ContentPart::Value value) {
  ContentPart part;
  part.value = std::move(value);
  part.source.member = member;
  return part;
}

ContentPart::Value opaque_part(std::string_view dialect, std::string_view type,
                               json::Value whole) {
  return OpaquePart{std::string(dialect), std::string(type), whole.raw_json()};
}

void keep_citations(json::Value list, TextPart& text) {
  for (const json::Value citation : list.children()) {
    text.citations.push_back(citation.raw_json());
  }
}

void keep_others(json::Value object, std::span<const std::string_view> known,
                 Extensions& out) {
  for (const json::Value member : object.children()) {
    if (listed(known, member.key()) || says_nothing(member.raw())) continue;
    out.push_back({std::string(member.key()), member.raw_json()});
  }
}

bool calls_directly(json::Value call) {
  return call["caller"]["type"].string() == "direct";
}

const PartRow* find_row(std::span<const PartRow> rows, std::string_view type) {
  for (const PartRow& row : rows) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

Result<ContentPart> read_by_row(
    const PartRow& row, json::ObjectReader& reader,
    std::optional<CacheMarker> (*read_cache)(json::ObjectReader& part)) {
  ContentPart part;
  LLMPROXY_ASSIGN(part.value, row.read(reader));
  part.cache = read_cache(reader);
  if (part.cache) {
    part.cache->source.text = reader.path_of(part.cache->source.text);
  }
  part.extensions = reader.rest();
  return part;
}

std::optional<CacheMarker> read_marker(json::ObjectReader& reader,
                                       std::string_view member) {
  const json::Value marker = reader.take(member);
  if (!marker.is_object()) return std::nullopt;
  return CacheMarker{std::string(marker["ttl"].string()),
                     {std::string(member)}};
}

Result<std::vector<ContentPart>> read_content(json::Value content,
                                              const ContentShape& shape,
                                              const std::string& path) {
  std::vector<ContentPart> out;
  if (content.is_string()) {
    out.push_back(
        part_in(shape.member, TextPart{std::string(content.string()), {}}));
    return out;
  }
  if (!content.is_array()) {
    return invalid_request(
        fmt::format("{} must be a string or an array of {}, not {}", shape.name,
                    shape.elements, to_string(content.type())),
        path);
  }
  LLMPROXY_TRY(json::read_each(
      content, path,
      [&](json::Value value, const std::string& place) -> Result<void> {
        LLMPROXY_ASSIGN(ContentPart part, shape.read_part(value, place));
        part.source.member = shape.member;
        part.source.index = static_cast<std::int32_t>(out.size());
        out.push_back(std::move(part));
        return {};
      }));
  return out;
}

Result<std::vector<ContentPart>> read_content(json::ObjectReader& reader,
                                              const ContentShape& shape) {
  const json::Value content = reader.take(shape.name);
  if (content.absent()) return std::vector<ContentPart>();
  return read_content(content, shape, reader.path_of(shape.name));
}

Message system_field(std::vector<ContentPart> content) {
  Message system;
  system.role = Role::system;
  system.content = std::move(content);
  for (ContentPart& part : system.content) {
    part.source.message = SourceIndex::kNone;
    part.source.member = {};
  }
  return system;
}

ToolDefinition hosted_tool(std::string_view type, std::string_view name,
                           json::Value whole) {
  ToolDefinition tool;
  tool.kind = ToolKind::hosted;
  tool.hosted_type = type;
  tool.name = name;
  tool.schema = whole.raw_json();
  return tool;
}

}  // namespace llmproxy
