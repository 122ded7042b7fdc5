// One writer per JSON Schema type, found by a table.
#include "client/demo/example_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "client/demo/words.h"
#include "json/json.h"
#include "json/writer.h"

namespace llmproxy::demo {
namespace {

using json::Value;

// A schema may refer to itself; an example of one level more helps nobody.
constexpr int kMaxDepth = 16;
// One that refers to itself many times would double at each level.
constexpr int kMaxValues = 10'000;
constexpr std::int64_t kMaxItems = 8;
constexpr std::int64_t kMaxLength = 256;

struct Example {
  Value root;  ///< for $ref
  std::string_view words;
  json::Writer& out;
  int& values_left;
};

void write(const Value& schema, const Example& example, int depth);

struct FormatRow {
  std::string_view format;
  std::string_view text;
};
constexpr std::array kFormats = {
    FormatRow{"date", "2026-01-31"},
    FormatRow{"date-time", "2026-01-31T12:00:00Z"},
    FormatRow{"time", "12:00:00Z"},
    FormatRow{"duration", "PT1H"},
    FormatRow{"email", "demo@example.com"},
    FormatRow{"hostname", "example.com"},
    FormatRow{"ipv4", "192.0.2.1"},
    FormatRow{"ipv6", "2001:db8::1"},
    FormatRow{"uri", "https://example.com/"},
    FormatRow{"uuid", "00000000-0000-4000-8000-000000000000"},
};

void write_string(const Value& schema, const Example& example, int) {
  std::string text(example.words);
  for (const FormatRow& row : kFormats) {
    if (row.format == schema["format"].string()) text = row.text;
  }
  const auto bound = [&](std::string_view name, std::int64_t fallback) {
    const std::int64_t value = schema[name].integer().value_or(fallback);
    return static_cast<std::size_t>(
        std::clamp(value, std::int64_t{0}, kMaxLength));
  };
  while (text.size() < bound("minLength", 0)) text += '.';
  text = cut_utf8(text, bound("maxLength", kMaxLength));
  example.out.string(text);
}

// The number nearest to 1 within the bounds.
double number_within(const Value& schema) {
  double value = 1;
  if (const auto min = schema["minimum"].number())
    value = std::max(value, *min);
  if (const auto min = schema["exclusiveMinimum"].number()) {
    value = std::max(value, *min + 1);
  }
  if (const auto max = schema["maximum"].number())
    value = std::min(value, *max);
  if (const auto max = schema["exclusiveMaximum"].number()) {
    value = std::min(value, *max - 1);
  }
  return value;
}

void write_number(const Value& schema, const Example& example, int) {
  example.out.number(number_within(schema));
}

void write_integer(const Value& schema, const Example& example, int) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const double value = std::clamp(number_within(schema), -kExact, kExact);
  example.out.number(static_cast<std::int64_t>(std::floor(value)));
}

void write_boolean(const Value&, const Example& example, int) {
  example.out.boolean(true);
}

void write_null(const Value&, const Example& example, int) {
  example.out.null();
}

void write_array(const Value& schema, const Example& example, int depth) {
  const std::int64_t least = schema["minItems"].integer().value_or(1);
  const std::int64_t most = schema["maxItems"].integer().value_or(kMaxItems);
  const std::int64_t count = std::clamp(
      least, std::int64_t{0}, std::clamp(most, std::int64_t{0}, kMaxItems));
  example.out.begin_array();
  for (std::int64_t i = 0; i < count; ++i) {
    write(schema["items"], example, depth);
  }
  example.out.end_array();
}

void write_object(const Value& schema, const Example& example, int depth) {
  example.out.begin_object();
  for (const Value name : schema["required"].children()) {
    if (!name.is_string()) continue;
    if (example.values_left <= 0) break;
    example.out.key(name.string());
    write(schema["properties"][name.string()], example, depth);
  }
  example.out.end_object();
}

struct TypeRow {
  std::string_view type;
  void (*write)(const Value& schema, const Example& example, int depth);
};
constexpr std::array kTypes = {
    TypeRow{"string", write_string},   TypeRow{"number", write_number},
    TypeRow{"integer", write_integer}, TypeRow{"boolean", write_boolean},
    TypeRow{"object", write_object},   TypeRow{"array", write_array},
    TypeRow{"null", write_null},
};

std::string_view type_of(const Value& schema) {
  const Value type = schema["type"];
  if (type.is_string()) return type.string();
  for (const Value option : type.children()) {
    if (option.string() != "null") return option.string();
  }
  if (type.size() > 0) return "null";
  if (schema["properties"].is_object()) return "object";
  if (schema["items"]) return "array";
  return "string";
}

// "#/$defs/city" within the root; missing when it leads nowhere.
Value resolve(const Value& root, std::string_view reference) {
  if (!reference.starts_with("#")) return {};
  reference.remove_prefix(1);
  Value value = root;
  while (reference.starts_with("/")) {
    reference.remove_prefix(1);
    const std::string_view name = reference.substr(0, reference.find('/'));
    reference.remove_prefix(name.size());
    value = value[name];
  }
  return value;
}

void write(const Value& schema, const Example& example, int depth) {
  if (depth > kMaxDepth || --example.values_left < 0) {
    return example.out.null();
  }
  if (const Value constant = schema["const"]) {
    return example.out.raw(constant.raw());
  }
  if (const Value options = schema["enum"]; options.size() > 0) {
    return example.out.raw((*options.children().begin()).raw());
  }
  if (const Value reference = schema["$ref"]; reference.is_string()) {
    return write(resolve(example.root, reference.string()), example, depth + 1);
  }
  for (const std::string_view choice : {"anyOf", "oneOf", "allOf"}) {
    const Value options = schema[choice];
    if (options.size() == 0) continue;
    return write(*options.children().begin(), example, depth + 1);
  }
  const std::string_view type = type_of(schema);
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row.write(schema, example, depth + 1);
  }
  example.out.null();
}

}  // namespace

std::string example_json(std::string_view schema, std::string_view words) {
  json::Document document;
  const Result<Value> root = document.parse(schema);
  if (!root || !root->is_object() || root->size() == 0) return "{}";
  std::string out;
  json::Writer writer(out);
  int values_left = kMaxValues;
  write(*root, Example{*root, words, writer, values_left}, 0);
  return out;
}

}  // namespace llmproxy::demo
