// Google's Schema to JSON Schema. Source: Gemini API reference, "Schema".
#include <array>
#include <iterator>

#include "base/text.h"
#include "dialects/gemini/messages.h"
#include "json/json.h"
#include "json/text.h"
#include "json/writer.h"

namespace llmproxy::gemini {
namespace {

using json::Value;

/// Google's Python SDK writes the names of its own fields.
struct Spelling {
  std::string_view snake;
  std::string_view camel;
};
constexpr std::array kSpellings = {
    Spelling{"any_of", "anyOf"},
    Spelling{"min_items", "minItems"},
    Spelling{"max_items", "maxItems"},
    Spelling{"min_length", "minLength"},
    Spelling{"max_length", "maxLength"},
    Spelling{"min_properties", "minProperties"},
    Spelling{"max_properties", "maxProperties"},
    Spelling{"property_ordering", "propertyOrdering"},
    Spelling{"additional_properties", "additionalProperties"},
};

std::string_view camel_of(std::string_view name) {
  for (const Spelling& row : kSpellings) {
    if (row.snake == name) return row.camel;
  }
  return name;
}

/// Numbers of 64 bits may be strings (proto3 JSON mapping).
constexpr std::string_view kCounts[] = {"minItems",      "maxItems",
                                        "minLength",     "maxLength",
                                        "minProperties", "maxProperties"};

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
  if (!type.is_string()) return w.member_raw("type", type.raw());
  const std::string word = lower(type.string());
  if (!nullable) return w.member("type", word);
  w.begin_array("type");
  w.string(word);
  w.string("null");
  w.end_array();
}

void write_any_of(const Value& choices, bool nullable, json::Writer& w) {
  w.key("anyOf");
  if (!choices.is_array()) return w.raw(choices.raw());
  w.begin_array();
  for (const Value choice : choices.children()) write_schema(choice, w);
  if (nullable) w.raw(R"({"type":"null"})");
  w.end_array();
}

void write_enum(const Value& values, bool nullable, json::Writer& w) {
  w.key("enum");
  if (!values.is_array()) return w.raw(values.raw());
  w.begin_array();
  for (const Value value : values.children()) w.raw(value.raw());
  if (nullable) w.null();
  w.end_array();
}

void write_member(const Value& schema, const Value& member, bool nullable,
                  json::Writer& w) {
  const std::string_view name = camel_of(member.key());
  if (name == "nullable" || name == "propertyOrdering" || member.is_null()) {
    return;
  }
  if (name == "type") return write_type(member, nullable, w);
  if (name == "anyOf") return write_any_of(member, nullable, w);
  if (name == "enum") return write_enum(member, nullable, w);
  w.key(name);
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
