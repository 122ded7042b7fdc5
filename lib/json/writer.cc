// The only file that includes RapidJSON.
#include "json/writer.h"

#include <rapidjson/writer.h>

#include <cmath>

#include "json/text.h"

namespace llmproxy::json {
namespace {

/// RapidJSON's output stream concept over a std::string.
struct StringAppender {
  using Ch = char;
  std::string* out;
  void Put(char c) { out->push_back(c); }
  void Flush() {}
};

/// RapidJSON keeps the commas and colons and spells numbers. It puts strings
/// and raw text byte by byte; here whole runs are appended.
class Runs final : public rapidjson::Writer<StringAppender> {
 public:
  using rapidjson::Writer<StringAppender>::Writer;

  void quoted(std::span<const std::string_view> pieces) {
    Prefix(rapidjson::kStringType);
    std::string& out = *os_->out;
    out += '"';
    for (const std::string_view piece : pieces) append_escaped(out, piece);
    out += '"';
  }
  void quoted(std::string_view text) { quoted(std::span(&text, 1)); }
  void raw(std::string_view json) {
    Prefix(rapidjson::kObjectType);
    os_->out->append(json);
  }
};

}  // namespace

struct Writer::Impl {
  Impl(std::string& out, Spacing between)
      : stream{&out}, writer(stream), spacing(between) {}
  StringAppender stream;
  Runs writer;
  const Spacing spacing;
};

Writer::Writer(std::string& out, Spacing spacing)
    : impl_(std::make_unique<Impl>(out, spacing)) {}
Writer::~Writer() = default;

void Writer::reset(std::string& out) {
  impl_->stream.out = &out;
  impl_->writer.Reset(impl_->stream);
}

void Writer::begin_object() { impl_->writer.StartObject(); }
void Writer::end_object() { impl_->writer.EndObject(); }
void Writer::begin_array() { impl_->writer.StartArray(); }
void Writer::end_array() { impl_->writer.EndArray(); }

void Writer::key(std::string_view name) { impl_->writer.quoted(name); }

void Writer::string(std::string_view text) { impl_->writer.quoted(text); }

void Writer::joined(std::span<const std::string_view> pieces) {
  impl_->writer.quoted(pieces);
}

void Writer::number(std::int64_t value) { impl_->writer.Int64(value); }

// JSON has no word for infinity or "not a number"; RapidJSON writes nothing.
void Writer::number(double value) {
  if (!std::isfinite(value)) return null();
  impl_->writer.Double(value);
}

void Writer::boolean(bool value) { impl_->writer.Bool(value); }

void Writer::null() { impl_->writer.Null(); }

void Writer::raw(std::string_view json) {
  if (json.empty()) return null();
  if (impl_->spacing == Spacing::kept) return impl_->writer.raw(json);
  impl_->writer.raw({});
  append_without_whitespace(*impl_->stream.out, json);
}

}  // namespace llmproxy::json
