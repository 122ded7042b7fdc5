// The only file that includes RapidJSON.
#include "json/writer.h"

#include <rapidjson/writer.h>

namespace llmproxy::json {
namespace {

/// RapidJSON's output stream concept over a std::string.
struct StringAppender {
  using Ch = char;
  std::string* out;
  void Put(char c) { out->push_back(c); }
  void Flush() {}
};

rapidjson::SizeType length(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

/// Never null: RapidJSON asserts on a null pointer even of length 0.
const char* data(std::string_view text) {
  return text.empty() ? "" : text.data();
}

}  // namespace

struct Writer::Impl {
  explicit Impl(std::string& out) : stream{&out}, writer(stream) {}
  StringAppender stream;
  // No nesting of our own is deep, but raw JSON may hold anything.
  rapidjson::Writer<StringAppender> writer;
};

Writer::Writer(std::string& out) : impl_(std::make_unique<Impl>(out)) {}
Writer::~Writer() = default;

void Writer::reset(std::string& out) {
  impl_->stream.out = &out;
  impl_->writer.Reset(impl_->stream);
}

void Writer::begin_object() { impl_->writer.StartObject(); }
void Writer::end_object() { impl_->writer.EndObject(); }
void Writer::begin_array() { impl_->writer.StartArray(); }
void Writer::end_array() { impl_->writer.EndArray(); }

void Writer::key(std::string_view name) {
  impl_->writer.Key(data(name), length(name));
}

void Writer::string(std::string_view text) {
  impl_->writer.String(data(text), length(text));
}

void Writer::number(std::int64_t value) { impl_->writer.Int64(value); }

void Writer::number(double value) { impl_->writer.Double(value); }

void Writer::boolean(bool value) { impl_->writer.Bool(value); }

void Writer::null() { impl_->writer.Null(); }

void Writer::raw(std::string_view json) {
  if (json.empty()) return null();
  impl_->writer.RawValue(json.data(), json.size(), rapidjson::kObjectType);
}

}  // namespace llmproxy::json
