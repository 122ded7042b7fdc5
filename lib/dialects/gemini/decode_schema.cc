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
/// What proto writes where there is none.
constexpr std::string_view kNoType = "TYPE_UNSPECIFIED";
/// Numbers of 64 bits may be strings (proto3 JSON mapping).
constexpr auto kCounts = std::span(kNames).first<6>();

/// Google's Python SDK writes the names of its own fields.
std::string_view camel_of(std::string_view name) {
  for (const std::string_view camel : kNames) {
    if (is_named(name, camel)) return camel;
  }
  return name;
}

class SchemaWriter {
 public:
  explicit SchemaWriter(std::string& out) : w_(out) {}

  void write(const Value& schema) {
    if (!schema.is_object()) return w_.raw(schema.raw());
    const bool nullable = schema["nullable"].is_true();
    w_.begin_object();
    for (const Value member : schema.children()) {
      const std::string_view name = camel_of(member.key());
      if (name == "nullable" || name == "propertyOrdering" ||
          member.is_null() || member.string() == kNoType) {
        continue;
      }
      w_.key(name);
      if (name == "properties") {
        write_properties(schema);
      } else {
        write_member(name, member, nullable);
      }
    }
    w_.end_object();
  }

 private:
  /// Google's propertyOrdering becomes the order itself.
  void write_properties(const Value& schema) {
    const Value properties = schema["properties"];
    const Value order = get(schema, "propertyOrdering");
    std::vector<std::string_view> ordered;
    w_.begin_object();
    for (const Value name : order.children()) {
      ordered.push_back(name.string());
      const Value property = properties[name.string()];
      if (!property.absent()) write_property(name.string(), property);
    }
    for (const Value property : properties.children()) {
      if (listed(ordered, property.key())) continue;
      write_property(property.key(), property);
    }
    w_.end_object();
  }

  void write_property(std::string_view name, const Value& property) {
    w_.key(name);
    write(property);
  }

  // `nullable` has no word of its own in JSON Schema: null joins the types,
  // the choices and the values there are.
  void write_member(std::string_view name, const Value& member, bool nullable) {
    if (name == "items") return write(member);
    if (name == "type" && member.is_string())
      return write_type(member, nullable);
    if (name == "anyOf" && member.is_array()) {
      w_.begin_array();
      for (const Value choice : member.children()) write(choice);
      if (nullable) w_.object("type", "null");
      return w_.end_array();
    }
    if (name == "enum" && member.is_array()) {
      w_.begin_array();
      for (const Value value : member.children()) w_.raw(value.raw());
      if (nullable) w_.null();
      return w_.end_array();
    }
    const bool quoted =
        listed(kCounts, name) && json::is_number_text(member.string());
    w_.raw(quoted ? member.string() : member.raw());
  }

  void write_type(const Value& type, bool nullable) {
    const std::string word = lower(type.string());
    if (!nullable) return w_.string(word);
    w_.begin_array();
    w_.string(word);
    w_.string("null");
    w_.end_array();
  }

  json::Writer w_;
};

}  // namespace

RawJson json_schema_of(const Value& schema) {
  std::string out;
  SchemaWriter(out).write(schema);
  return json::Trusted::json(std::move(out));
}

}  // namespace llmproxy::gemini
