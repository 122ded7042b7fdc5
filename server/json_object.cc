#include "server/json_object.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace llmproxy {
namespace {

// Writes what is not ASCII as \u escapes.
using Writer = rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>,
                                 rapidjson::ASCII<>>;

/// `text` with what is not UTF-8 replaced by U+FFFD; the writer would stop
/// in the middle of the string.
std::string valid_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    rapidjson::MemoryStream stream(text.data(), text.size());
    unsigned codepoint = 0;
    const bool valid = rapidjson::UTF8<>::Decode(stream, &codepoint);
    const std::size_t length = valid ? stream.Tell() : 1;
    out += valid ? text.substr(0, length) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(length);
  }
  return out;
}

rapidjson::SizeType size_of(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

}  // namespace

struct JsonObject::Impl {
  Impl() : writer(buffer) { writer.StartObject(); }
  void key(std::string_view name) { writer.Key(name.data(), size_of(name)); }

  rapidjson::StringBuffer buffer;
  Writer writer;
};

JsonObject::JsonObject() : impl_(std::make_unique<Impl>()) {}
JsonObject::~JsonObject() = default;

void JsonObject::text(std::string_view name, std::string_view value) {
  impl_->key(name);
  const std::string valid = valid_utf8(value);
  impl_->writer.String(valid.data(), size_of(valid));
}

void JsonObject::number(std::string_view name, std::int64_t value) {
  impl_->key(name);
  impl_->writer.Int64(value);
}

void JsonObject::real(std::string_view name, double value) {
  impl_->key(name);
  impl_->writer.Double(value);
}

void JsonObject::flag(std::string_view name, bool value) {
  impl_->key(name);
  impl_->writer.Bool(value);
}

std::string JsonObject::take() {
  impl_->writer.EndObject();
  return {impl_->buffer.GetString(), impl_->buffer.GetSize()};
}

}  // namespace llmproxy
