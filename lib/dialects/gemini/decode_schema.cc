// Google's Schema to JSON Schema. Source: Gemini API reference, "Schema".
#include <array>
#include <span>

#include "base/text.h"
#include "dialects/gemini/messages.h"
#include "json/json.h"
#include "json/text.h"
#include "json/writer.h"

namespace llmproxy::gemini {
namespace {

using json::Value;

constexpr std::array<std::string_view, 9> kNames = {
    "minItems",  "maxItems",         "minLength",
    "maxLength", "minProperties",    "maxProperties",
    "anyOf",     "propertyOrdering", "additionalProperties"};
/// Numbers of 64 bits may be strings (proto3 JSON mapping).
constexpr auto kCounts = std::span(kNames).first<6>();

/// Google's Python SDK writes the names of its own fields.
std::string_view camel_of(std::string_view name) {
  for (const std::string_view camel : kNames) {
    if (is_snake_of(name, camel)) return camel;
  }
  return name;
}

void write_schema(const Value& schema, json::Writer& w);

/// Google's propertyOrdering becomes the order itself.
void write_properties(const Value& schema, json::Writer& w) {
  const Value properties = schema["properties"];
  const Value order = get(schema, "propertyOrdering");
  const auto is_ordered = [&](std::string_view name) {
    for (const Value one : order.children()) {
      if (one.string() == name) return true;
    }
    return false;
  };
  w.begin_object();
  for (const Value name : order.children()) {
    const Value property = properties[name.string()];
    if (property.absent()) continue;
    w.key(name.string());
    write_schema(property, w);
  }
  for (const Value property : properties.children()) {
    if (is_ordered(property.key())) continue;
    w.key(property.key());
    write_schema(property, w);
  }
  w.end_object();
}

// `nullable` has no word of its own in JSON Schema: null joins the types, the
// choices and the values there are.

void write_type(const Value& type, bool nullable, json::Writer& w) {
  if (!type.is_string()) return w.raw(type.raw());
  if (!nullable) return w.string(lower(type.string()));
  w.begin_array();
  w.string(lower(type.string()));
  w.string("null");
  w.end_array();
}

/// `null` stands behind the others, if it is not empty.
void write_list(const Value& list, std::string_view null, json::Writer& w,
                void (*write)(const Value& value, json::Writer& w)) {
  if (!list.is_array()) return w.raw(list.raw());
  w.begin_array();
  for (const Value value : list.children()) write(value, w);
  if (!null.empty()) w.raw(null);
  w.end_array();
}

void write_raw(const Value& value, json::Writer& w) { w.raw(value.raw()); }

void write_member(const Value& schema, const Value& member, bool nullable,
                  json::Writer& w) {
  const std::string_view name = camel_of(member.key());
  if (name == "nullable" || name == "propertyOrdering" || member.is_null()) {
    return;
  }
  w.key(name);
  if (name == "type") return write_type(member, nullable, w);
  if (name == "anyOf") {
    return write_list(member, nullable ? R"({"type":"null"})" : "", w,
                      write_schema);
  }
  if (name == "enum") {
    return write_list(member, nullable ? "null" : "", w, write_raw);
  }
  if (name == "properties") return write_properties(schema, w);
  if (name == "items") return write_schema(member, w);
  const bool quoted =
      listed(kCounts, name) && json::is_number_text(member.string());
  w.raw(quoted ? member.string() : member.raw());
}

void write_schema(const Value& schema, json::Writer& w) {
  if (!schema.is_object()) return w.raw(schema.raw());
  const bool nullable = schema["nullable"].is_true();
  w.begin_object();
  for (const Value member : schema.children()) {
    write_member(schema, member, nullable, w);
  }
  w.end_object();
}

}  // namespace

RawJson json_schema_of(const Value& schema) {
  std::string out;
  json::Writer w(out);
  write_schema(schema, w);
  return json::Trusted::json(std::move(out));
}

}  // namespace llmproxy::gemini
