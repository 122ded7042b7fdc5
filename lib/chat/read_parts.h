// Pieces of a request's messages that dialects write alike, read once: each
// dialect's decode_messages.cc says what is its own.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/fields.h"
#include "llmproxy/chat.h"

namespace llmproxy {

/// A part and the member of its message that it stands in (static storage).
ContentPart part_in(std::string_view member, ContentPart::Value value);

/// A part that only `dialect` knows, kept as it is.
ContentPart::Value opaque_part(std::string_view dialect, std::string_view type,
                               json::Value whole);

/// Adds what `list` holds, if it is one, to the text's citations.
void keep_citations(json::Value list, TextPart& text);

/// Adds the members of `object` that are not `known` and say something.
void keep_others(json::Value object, std::span<const std::string_view> known,
                 Extensions& out);
/// The model calls the tool itself, as it mostly does; not code that it wrote.
bool calls_directly(json::Value call);

/// Parts that say their type, and who reads them.
struct PartRow {
  std::string_view type;
  Result<ContentPart::Value> (*read)(json::ObjectReader& part);
};
/// nullptr = no row has that type.
const PartRow* find_row(std::span<const PartRow> rows, std::string_view type);
/// The part as its row reads it, with what any part may carry.
Result<ContentPart> read_by_row(
    const PartRow& row, json::ObjectReader& reader,
    std::optional<CacheMarker> (*read_cache)(json::ObjectReader& part));

/// `member`: {"ttl": "5m"}; nullopt = there is no such marker.
std::optional<CacheMarker> read_marker(json::ObjectReader& reader,
                                       std::string_view member);

/// Content that is one text or a list of parts.
struct ContentShape {
  std::string_view name;      ///< for errors: "content"
  std::string_view elements;  ///< likewise: "parts"
  /// Where parts say they stand; static storage.
  std::string_view member;
  Result<ContentPart> (*read_part)(json::Value part, const std::string& path);
};
/// The parts of `content`, which is there. Errors name the place.
Result<std::vector<ContentPart>> read_content(json::Value content,
                                              const ContentShape& shape,
                                              const std::string& path);
/// The same of the member of that name, which may be missing.
Result<std::vector<ContentPart>> read_content(json::ObjectReader& reader,
                                              const ContentShape& shape);

/// A top-level system field as the message it is; the field itself is the
/// place of its parts.
Message system_field(std::vector<ContentPart> content);

/// `role`; `expected` lists the words for errors.
template <std::size_t N>
Result<Role> read_role(json::ObjectReader& reader,
                       const EnumTable<Role, N>& roles,
                       std::string_view expected) {
  LLMPROXY_ASSIGN(const std::string word, reader.required_string("role"));
  if (const auto role = from_wire(roles, word)) return *role;
  return invalid_request(
      fmt::format("unknown role '{}'; expected {}", word, expected),
      reader.path_of("role"));
}

/// The array `messages`, appended: `read` makes a message of each element;
/// what it leaves becomes extensions.
template <class Read>
Result<void> read_message_array(json::ObjectReader& body, ChatRequest& request,
                                Read read) {
  LLMPROXY_ASSIGN(const json::Value messages,
                  body.required("messages", json::Type::array));
  if (messages.size() == 0) {
    return invalid_request("messages must hold at least one message",
                           "/messages");
  }
  std::int32_t index = 0;
  return json::read_each(
      messages, "/messages",
      [&](json::Value value, std::string path) -> Result<void> {
        if (!value.is_object()) {
          return invalid_request("a message must be an object", path);
        }
        json::ObjectReader reader(value, std::move(path));
        LLMPROXY_ASSIGN(Message message, read(reader));
        message.extensions = reader.rest();
        message.source.index = index++;
        for (ContentPart& part : message.content) {
          part.source.message = message.source.index;
        }
        request.messages.push_back(std::move(message));
        return {};
      });
}

/// `member`, which may be missing; `name` is what errors call it.
template <std::size_t N>
Result<void> read_effort(json::ObjectReader& reader, std::string_view member,
                         const EnumTable<Effort, N>& efforts,
                         std::string_view name, Reasoning& reasoning) {
  LLMPROXY_ASSIGN(const json::Value effort,
                  reader.optional(member, json::Type::string));
  if (!effort) return {};
  LLMPROXY_ASSIGN(
      reasoning.effort,
      json::read_word(efforts, effort.string(), name, reader.path_of(member)));
  return {};
}

/// A tool that runs at its provider, kept as it is.
ToolDefinition hosted_tool(std::string_view type, std::string_view name,
                           json::Value whole);

}  // namespace llmproxy
