#include "chat/schema.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "chat/losses.h"
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
  Closer(std::string& out, std::string_view target, Losses& losses)
      : w_(out), target_(target), losses_(losses) {}

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
      lose(losses_, json::pointer(path, "additionalProperties"), target_,
           "open objects in strict schemas", "the object is closed");
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
      lose(losses_, json::pointer(path, member.key()), target_,
           fmt::format("{} in strict schemas", member.key()),
           "it moved into the description");
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
  std::string_view target_;
  Losses& losses_;
};

/// Members that offer several schemas. ("tools.N.custom.input_schema:
/// input_schema does not support oneOf, allOf, or anyOf at the top level".)
constexpr std::array<std::string_view, 3> kBranches = {"anyOf", "oneOf",
                                                       "allOf"};

/// What all branches of a schema say of an object, side by side.
class Uniter {
 public:
  explicit Uniter(Value root) : root_(root) {}

  std::string united() {
    const Names required = read(root_);
    std::string out;
    Writer w(out);
    w.begin_object();
    w.member("type", "object");
    for (const Value member : root_.children()) {
      const std::string_view key = member.key();
      if (key == "type" || key == "properties" || key == "required" ||
          listed(kBranches, key)) {
        continue;
      }
      w.member_raw(key, member.raw());
    }
    write_properties(w);
    if (!required.empty()) {
      w.key("required");
      w.begin_array();
      for (const std::string_view name : required) w.string(name);
      w.end_array();
    }
    w.end_object();
    return out;
  }

 private:
  using Names = std::set<std::string_view>;
  /// Each schema once, in the order in which they come.
  struct Property {
    std::vector<std::string_view> schemas;
    Names known;
  };

  /// What the schema requires; its properties are noted. What lies deeper than
  /// JSON may be, one definition behind the other, is left out.
  Names read(Value schema) {
    if (depth_ >= kMostLevels) return {};
    ++depth_;
    for (const Value property : schema["properties"].children()) note(property);
    Names required;
    for (const Value name : schema["required"].children()) {
      if (name.is_string()) required.insert(name.string());
    }
    for (const std::string_view list : kBranches) {
      required.merge(read_branches(schema[list], list == "allOf"));
    }
    --depth_;
    return required;
  }

  Names read_branches(Value branches, bool all_hold) {
    std::optional<Names> required;
    for (const Value branch : branches.children()) {
      const Value schema = resolved(branch);
      const std::string_view type = schema["type"].string();
      // Arguments are objects: "or null" chooses nothing.
      if (!schema.is_object() || !(type.empty() || type == "object")) continue;
      Names names = read(schema);
      if (!required) {
        required = std::move(names);
      } else if (all_hold) {
        required->merge(names);
      } else {
        std::erase_if(*required, [&](std::string_view name) {
          return !names.contains(name);
        });
      }
    }
    return required.value_or(Names());
  }

  /// Each definition once: they may go in circles.
  Value resolved(Value branch) {
    const std::string_view ref = branch["$ref"].string();
    if (ref.empty()) return branch;
    for (const std::string_view list : {"$defs", "definitions"}) {
      const std::string beginning = fmt::format("#/{}/", list);
      if (!ref.starts_with(beginning)) continue;
      if (!seen_.insert(ref).second) return {};
      return root_[list][ref.substr(beginning.size())];
    }
    return {};
  }

  void note(Value property) {
    const std::string_view name = property.key();
    const auto [found, is_new] = properties_.try_emplace(name);
    if (is_new) order_.push_back(name);
    if (found->second.known.insert(property.raw()).second) {
      found->second.schemas.push_back(property.raw());
    }
  }

  void write_properties(Writer& w) const {
    w.begin_object("properties");
    for (const std::string_view name : order_) {
      const auto& schemas = properties_.at(name).schemas;
      w.key(name);
      if (schemas.size() == 1) {
        w.raw(schemas.front());
        continue;
      }
      w.begin_object();
      w.key("anyOf");
      w.begin_array();
      for (const std::string_view schema : schemas) w.raw(schema);
      w.end_array();
      w.end_object();
    }
    w.end_object();
  }

  static constexpr int kMostLevels = 64;

  Value root_;
  int depth_ = 0;
  std::map<std::string_view, Property> properties_;
  std::vector<std::string_view> order_;
  Names seen_;
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

std::optional<std::string> united_schema(const RawJson& schema) {
  json::Document document;
  const auto root = document.parse_view(schema.text());
  if (!root || !root->is_object()) return std::nullopt;
  for (const std::string_view list : kBranches) {
    if ((*root)[list]) return Uniter(*root).united();
  }
  return std::nullopt;
}

std::string closed_schema(const RawJson& schema, std::string_view path,
                          std::string_view target, Losses& losses) {
  json::Document document;
  const auto root = document.parse_view(schema.text());
  if (!root || !root->is_object()) return std::string(kEmptyObject);
  std::string out;
  Closer(out, target, losses).write(*root, std::string(path));
  return out;
}

}  // namespace llmproxy
