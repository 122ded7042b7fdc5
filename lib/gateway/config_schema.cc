// The shapes of the parser's tables as JSON Schema. What the parser takes
// besides (a number in quotes, a variable in place of any value) is let pass.
#include <array>
#include <string>
#include <string_view>

#include "gateway/config_shape.h"
#include "json/writer.h"
#include "llmproxy/config_files.h"

namespace llmproxy {
namespace gateway {
namespace {

constexpr std::string_view kDraft = "http://json-schema.org/draft-07/schema#";
constexpr std::string_view kVariable = R"(\$\{)";
constexpr std::string_view kWhole = R"(^-?[0-9]+$|\$\{)";
constexpr std::string_view kNumeral = R"(^[0-9.]+$|\$\{)";
constexpr std::string_view kYesNo = R"(^(true|false|yes|no|on|off)$|\$\{)";

void write_shape(const Shape& shape, json::Writer& w);

void write_names(std::string_view key,
                 std::initializer_list<std::string_view> names,
                 json::Writer& w) {
  w.key(key);
  w.begin_array();
  for (const std::string_view name : names) w.string(name);
  w.end_array();
}

/// A text that holds a variable, or is what YAML takes a quoted value for.
void write_text_like(std::string_view pattern, json::Writer& w) {
  w.begin_object();
  w.member("type", "string");
  w.member("pattern", pattern);
  w.end_object();
}

void write_text(const Shape&, json::Writer& w) {
  write_names("type", {"string", "number", "boolean"}, w);
}

void write_boolean(const Shape&, json::Writer& w) {
  w.key("anyOf");
  w.begin_array();
  w.begin_object();
  w.member("type", "boolean");
  w.end_object();
  write_text_like(kYesNo, w);
  w.end_array();
}

void write_whole(const Shape& shape, json::Writer& w) {
  w.key("anyOf");
  w.begin_array();
  w.begin_object();
  w.member("type", "integer");
  w.member("minimum", shape.min);
  w.member("maximum", shape.max);
  w.end_object();
  write_text_like(kWhole, w);
  w.end_array();
}

void write_number(const Shape&, json::Writer& w) {
  w.key("anyOf");
  w.begin_array();
  w.begin_object();
  w.member("type", "number");
  w.member("minimum", std::int64_t{0});
  w.end_object();
  write_text_like(kNumeral, w);
  w.end_array();
}

void write_word(const Shape& shape, json::Writer& w) {
  w.key("anyOf");
  w.begin_array();
  w.begin_object();
  w.key("enum");
  w.begin_array();
  for (const std::string_view word : shape.words()) w.string(word);
  w.end_array();
  w.end_object();
  write_text_like(kVariable, w);
  w.end_array();
}

void write_keys(const std::vector<KeyShape>& keys, json::Writer& w) {
  write_names("type", {"object", "null"}, w);
  w.key("properties");
  w.begin_object();
  for (const KeyShape& row : keys) {
    w.key(row.key);
    w.begin_object();
    if (!row.about.empty()) w.member("description", row.about);
    write_shape(row.shape, w);
    w.end_object();
  }
  w.end_object();
  w.key("additionalProperties");
  w.boolean(false);
}

void write_section(const Shape& shape, json::Writer& w) {
  write_keys(shape.keys(), w);
}

void write_inner(std::string_view key, const Shape& shape, json::Writer& w) {
  w.key(key);
  w.begin_object();
  write_shape(shape, w);
  w.end_object();
}

void write_map(const Shape& shape, json::Writer& w) {
  write_names("type", {"object", "null"}, w);
  write_inner("additionalProperties", *shape.first, w);
}

void write_list(const Shape& shape, json::Writer& w) {
  write_names("type", {"array", "null"}, w);
  write_inner("items", *shape.first, w);
}

void write_either(const Shape& shape, json::Writer& w) {
  w.key("anyOf");
  w.begin_array();
  for (const Shape* each : {shape.first, shape.second}) {
    w.begin_object();
    write_shape(*each, w);
    w.end_object();
  }
  w.end_array();
}

struct KindRow {
  ShapeKind kind;
  void (*write)(const Shape& shape, json::Writer& w);
};
constexpr std::array kKinds = {
    KindRow{ShapeKind::text, write_text},
    KindRow{ShapeKind::boolean, write_boolean},
    KindRow{ShapeKind::whole, write_whole},
    KindRow{ShapeKind::number, write_number},
    KindRow{ShapeKind::word, write_word},
    KindRow{ShapeKind::section, write_section},
    KindRow{ShapeKind::map, write_map},
    KindRow{ShapeKind::list, write_list},
    KindRow{ShapeKind::either, write_either},
};

void write_shape(const Shape& shape, json::Writer& w) {
  for (const KindRow& row : kKinds) {
    if (row.kind == shape.kind) row.write(shape, w);
  }
}

/// A line for each member, for those who read and compare it.
class Indented {
 public:
  explicit Indented(std::string_view json) {
    for (const char c : json) put(c);
    out_ += '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  void put(char c) {
    if (in_text_) {
      in_text_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
      out_ += c;
      return;
    }
    if (c == '}' || c == ']') end_line(--depth_);
    out_ += c;
    in_text_ = c == '"';
    if (c == ':') out_ += ' ';
    if (c == '{' || c == '[') end_line(++depth_);
    if (c == ',') end_line(depth_);
  }
  void end_line(std::size_t depth) {
    out_ += '\n';
    out_.append(depth * 2, ' ');
  }

  std::string out_;
  std::size_t depth_ = 0;
  bool in_text_ = false;
  bool escaped_ = false;
};

}  // namespace
}  // namespace gateway

std::string config_schema() {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.member("$schema", gateway::kDraft);
  w.member("title", "Configuration of llm-proxy");
  w.member("description",
           "Made by `llm-proxy schema`. ${NAME} and ${NAME:-default} stand for "
           "variables of the environment in every value.");
  gateway::write_keys(gateway::file_keys(), w);
  w.end_object();
  return gateway::Indented(out).take();
}

}  // namespace llmproxy
