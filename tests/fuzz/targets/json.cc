// Texts: JSON read and written, UTF-8, base64, data URLs.
#include "json/json.h"
#include "base/text.h"
#include "chat/media.h"
#include "fuzz/kit/json_tree.h"
#include "fuzz/kit/properties.h"
#include "json/text.h"
#include "json/writer.h"

namespace llmproxy::fuzz {
namespace {

void write(const json::Value& value, json::Writer& writer) {
  switch (value.type()) {
    case json::Type::object:
      writer.begin_object();
      for (const json::Value child : value.children()) {
        writer.key(child.key());
        write(child, writer);
      }
      return writer.end_object();
    case json::Type::array:
      writer.begin_array();
      for (const json::Value child : value.children()) write(child, writer);
      return writer.end_array();
    case json::Type::string:
      return writer.string(value.string());
    default:
      return writer.raw(value.raw());
  }
}

/// Indexed, written and indexed again, it is the same.
void write_again(const json::Value& root) {
  std::string once;
  json::Writer writer(once);
  write(root, writer);
  json::Document document;
  const auto again = document.parse(once);
  expect(static_cast<bool>(again), "what is written is read", once);
  std::string twice;
  writer.reset(twice);
  write(*again, writer);
  expect(once == twice, "it is the same again", twice);
  expect(json::without_whitespace(once) == once, "it has no white space", once);
}

void look_up(const json::Value& value) {
  value.integer();
  value.number();
  value.boolean();
  expect(is_utf8(value.string()), "a text is UTF-8", value.string());
  std::size_t count = 0;
  for (const json::Value child : value.children()) {
    ++count;
    if (value.is_object()) {
      expect(static_cast<bool>(value[child.key()]), "a member is found",
             child.key());
    }
    look_up(child);
  }
  expect(count == value.size(), "all children are counted");
}

void read(std::string_view text) {
  json::Document document;
  const auto root = document.parse(text);
  expect(root.has_value() == json::is_json(text), "JSON is JSON", text);
  if (!root) return expect_error(root.error(), {});
  expect(is_utf8(text), "JSON is UTF-8", text);
  expect(read_tree(text).has_value(), "others read it, too", text);
  look_up(*root);
  write_again(*root);
  const std::string compact = json::without_whitespace(text);
  expect(json::is_json(compact) && compact.size() <= text.size(),
         "without white space it is the same", compact);
}

void escape(std::string_view text) {
  const std::string valid = json::replace_invalid_utf8(text);
  expect(is_utf8(valid), "what was repaired is UTF-8", valid);
  expect(!is_utf8(text) || valid == text, "what is right stays", valid);
  std::string escaped;
  json::append_escaped(escaped, valid);
  expect(json::is_json("\"" + escaped + "\""), "a text is written", escaped);
  std::string back;
  expect(json::unescape(escaped, back) && back == valid, "and read again",
         back);
  std::string any;
  json::unescape(text, any);
  expect(any.size() <= text.size(), "unescaping adds nothing", any);
}

void encode(std::string_view text) {
  const std::string encoded = encode_base64(text);
  expect(decode_base64(encoded) == std::string(text), "base64 comes back",
         encoded);
  if (const auto decoded = decode_base64(text)) {
    expect(decoded->size() <= text.size(), "base64 decodes to less", text);
  }
  if (const auto media = media_from_url(text, "/url")) {
    expect(media->data.size() <= 3 * text.size() + 4, "an image is its URL's",
           text);
  }
  media_type_of_file(text);
}

void run(Input& input) {
  const std::string_view text = input.rest();
  read(text);
  escape(text);
  encode(text);
}

const Registered kRegistered({"json", Form::json, 4096, run});

}  // namespace
}  // namespace llmproxy::fuzz
