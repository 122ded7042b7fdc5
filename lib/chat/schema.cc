#include "chat/schema.h"

#include <fmt/format.h>

#include <array>

#include "base/bounded.h"
#include "base/text.h"
#include "json/json.h"
#include "json/writer.h"

namespace llmproxy {
namespace {

using json::Value;
using json::Writer;

constexpr std::string_view kEmptyObject =
    R"({"type":"object","properties":{}})";

/// Limits that structured output refuses (Anthropic, "Structured outputs",
/// JSON Schema limitations).
constexpr std::array<std::string_view, 10> kLimits = {
    "minLength",  "maxLength",        "minimum",          "maximum",
    "multipleOf", "exclusiveMinimum", "exclusiveMaximum", "minItems",
    "maxItems",   "uniqueItems"};

/// Members that hold one schema.
constexpr std::array<std::string_view, 1> kSchemas = {"items"};
/// Members that hold a list of schemas.
constexpr std::array<std::string_view, 4> kLists = {"anyOf", "allOf", "oneOf",
                                                    "prefixItems"};
/// Members that hold named schemas; the names are the user's own.
constexpr std::array<std::string_view, 3> kMaps = {"properties", "$defs",
                                                   "definitions"};

class Closer {
 public:
  Closer(std::string& out, Losses& losses) : w_(out), losses_(losses) {}

  void write(Value schema, const std::string& path) {
    if (!schema.is_object()) return w_.raw(schema.raw());
    const bool closes =
        schema["type"].string() == "object" || schema["properties"].is_object();
    const std::string limits = take_limits(schema, path);
    w_.begin_object();
    for (const Value member : schema.children()) {
      const std::string_view key = member.key();
      if (listed(kLimits, key)) continue;
      if (key == "description") {
        write_description(member.string(), limits);
      } else if (key == "additionalProperties" && closes) {
        w_.member(key, false);
      } else {
        w_.key(key);
        write_member(member, json::pointer(path, key));
      }
    }
    if (!schema["description"]) write_description("", limits);
    const Value open = schema["additionalProperties"];
    if (closes && !open) w_.member("additionalProperties", false);
    if (closes && open && open.boolean() != false) {
      add_loss(losses_, {json::pointer(path, "additionalProperties"),
                         "structured output takes closed objects only",
                         LossKind::approximated});
    }
    w_.end_object();
  }

 private:
  /// Limits as words, in the order in which they were given.
  std::string take_limits(Value schema, const std::string& path) {
    std::string limits;
    for (const Value member : schema.children()) {
      if (!listed(kLimits, member.key())) continue;
      limits += fmt::format("{}{}: {}", limits.empty() ? "" : ", ",
                            member.key(), member.raw());
      add_loss(losses_, {json::pointer(path, member.key()),
                         "moved into the description", LossKind::approximated});
    }
    return limits;
  }

  void write_member(Value member, const std::string& path) {
    if (listed(kSchemas, member.key())) return write(member, path);
    if (listed(kLists, member.key()) && member.is_array()) {
      w_.begin_array();
      std::size_t index = 0;
      for (const Value item : member.children()) {
        write(item, json::pointer(path, index++));
      }
      return w_.end_array();
    }
    if (listed(kMaps, member.key()) && member.is_object()) {
      w_.begin_object();
      for (const Value item : member.children()) {
        w_.key(item.key());
        write(item, json::pointer(path, item.key()));
      }
      return w_.end_object();
    }
    w_.raw(member.raw());
  }

  void write_description(std::string_view text, std::string_view limits) {
    if (text.empty() && limits.empty()) return;
    if (limits.empty()) return w_.member("description", text);
    w_.member("description", text.empty()
                                 ? fmt::format("({})", limits)
                                 : fmt::format("{} ({})", text, limits));
  }

  Writer w_;
  Losses& losses_;
};

}  // namespace

std::string object_schema(const RawJson& schema) {
  if (schema.empty()) return std::string(kEmptyObject);
  json::Document document;
  const auto root = document.parse_view(schema.text());
  if (!root || !root->is_object() || root->size() == 0) {
    return std::string(kEmptyObject);
  }
  if ((*root)["type"].string() == "object") return schema.text();
  std::string out;
  Writer w(out);
  w.begin_object();
  w.member("type", "object");
  for (const Value member : root->children()) {
    if (member.key() != "type") w.member_raw(member.key(), member.raw());
  }
  w.end_object();
  return out;
}

std::string closed_schema(const RawJson& schema, std::string_view path,
                          Losses& losses) {
  json::Document document;
  const auto root = document.parse_view(schema.text());
  if (!root || !root->is_object()) return std::string(kEmptyObject);
  std::string out;
  Closer(out, losses).write(*root, std::string(path));
  return out;
}

}  // namespace llmproxy
