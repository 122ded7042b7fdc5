// The only file of the benchmarks that includes simdjson and RapidJSON.
#include "bench/micro/floor.h"

#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <simdjson.h>

#include <cstdlib>
#include <string_view>

namespace llmproxy::bench {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

enum class Step : std::uint8_t {
  object,
  end_object,
  array,
  end_array,
  key,
  string,
  integer,
  real,
  boolean,
  null,
};

/// One call of a RapidJSON writer.
struct Token {
  Step step;
  std::string text = {};
  std::int64_t integer = 0;
  double real = 0;
};

/// RapidJSON's handler concept: remembers a document as calls of a writer.
struct Recorder : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Recorder> {
  std::vector<Token> tokens;
  bool add(Token token) {
    tokens.push_back(std::move(token));
    return true;
  }
  bool Null() { return add({Step::null}); }
  bool Bool(bool b) { return add({Step::boolean, {}, b ? 1 : 0}); }
  bool Int(int i) { return Int64(i); }
  bool Uint(unsigned u) { return Int64(u); }
  bool Int64(std::int64_t i) { return add({Step::integer, {}, i}); }
  bool Uint64(std::uint64_t u) { return Int64(static_cast<std::int64_t>(u)); }
  bool Double(double d) { return add({Step::real, {}, 0, d}); }
  bool String(const char* s, rapidjson::SizeType n, bool) {
    return add({Step::string, std::string(s, n)});
  }
  bool Key(const char* s, rapidjson::SizeType n, bool) {
    return add({Step::key, std::string(s, n)});
  }
  bool StartObject() { return add({Step::object}); }
  bool EndObject(rapidjson::SizeType) { return add({Step::end_object}); }
  bool StartArray() { return add({Step::array}); }
  bool EndArray(rapidjson::SizeType) { return add({Step::end_array}); }
};

std::vector<Token> tokens_of(const std::string& json) {
  rapidjson::StringStream stream(json.c_str());
  rapidjson::Reader reader;
  Recorder recorder;
  if (!reader.Parse(stream, recorder)) std::abort();
  return std::move(recorder.tokens);
}

void write(const Token& token, Writer& writer) {
  const auto length = static_cast<rapidjson::SizeType>(token.text.size());
  switch (token.step) {
    case Step::object:
      writer.StartObject();
      return;
    case Step::end_object:
      writer.EndObject();
      return;
    case Step::array:
      writer.StartArray();
      return;
    case Step::end_array:
      writer.EndArray();
      return;
    case Step::key:
      writer.Key(token.text.c_str(), length);
      return;
    case Step::string:
      writer.String(token.text.c_str(), length);
      return;
    case Step::integer:
      writer.Int64(token.integer);
      return;
    case Step::real:
      writer.Double(token.real);
      return;
    case Step::boolean:
      writer.Bool(token.integer != 0);
      return;
    case Step::null:
      writer.Null();
      return;
  }
}

}  // namespace

struct Floor::State {
  simdjson::dom::parser parser;
  std::vector<simdjson::padded_string> read;
  std::vector<std::vector<Token>> written;
  rapidjson::StringBuffer out;
  Writer writer{out};
};

Floor::Floor(const std::vector<std::string>& read,
             const std::vector<std::string>& written)
    : state_(std::make_unique<State>()) {
  for (const std::string& text : read) state_->read.emplace_back(text);
  for (const std::string& text : written) {
    state_->written.push_back(tokens_of(text));
  }
}
Floor::~Floor() = default;
Floor::Floor(Floor&&) noexcept = default;

std::size_t Floor::run() {
  State& s = *state_;
  std::size_t bytes = 0;
  for (const simdjson::padded_string& text : s.read) {
    simdjson::dom::element root;
    if (s.parser.parse(text).get(root)) std::abort();
  }
  for (const std::vector<Token>& document : s.written) {
    s.out.Clear();
    s.writer.Reset(s.out);
    for (const Token& token : document) write(token, s.writer);
    bytes += s.out.GetSize();
  }
  return bytes;
}

std::string json_library_versions() {
  return std::string("simdjson ") + SIMDJSON_STRINGIFY(SIMDJSON_VERSION) +
         " (" + simdjson::get_active_implementation()->name() +
         "), RapidJSON " + RAPIDJSON_VERSION_STRING;
}

}  // namespace llmproxy::bench
