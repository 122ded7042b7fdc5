// Writing JSON, over RapidJSON: commas, escapes and number spelling are its
// business. Output is appended to the caller's string, without white space.
//
//   json::Writer w(out);
//   w.begin_object();
//   w.member("model", request.model);
//   w.key("tools");
//   w.begin_array();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/chat.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy::json {

/// What becomes of the white space in JSON of others that is written as it is.
enum class Spacing : std::uint8_t {
  kept,  ///< every byte stays: prompt caches compare bytes
  /// None between tokens: a line end there would end the line of a
  /// server-sent event.
  none,
};

/// Writes one JSON value. reset() makes it ready for the next one without a
/// new allocation, which stream encoders rely on.
class Writer {
 public:
  explicit Writer(std::string& out, Spacing spacing = Spacing::kept);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Ready for a new value that goes to `out`.
  void reset(std::string& out);

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);

  /// What is not UTF-8 becomes U+FFFD.
  void string(std::string_view text);
  /// One string of these, each of which is UTF-8 by itself.
  void joined(std::span<const std::string_view> pieces);
  void number(std::int64_t value);
  /// What is not finite becomes null.
  void number(double value);
  void boolean(bool value);
  void null();
  /// Text that is JSON already, written as it is but for its spacing; empty
  /// text becomes null.
  void raw(const RawJson& json) { raw(json.text()); }
  /// The same for text that was just read or written: nothing looks at it
  /// again.
  void raw(std::string_view json);

  void member(std::string_view name, std::string_view text) {
    key(name);
    string(text);
  }
  void member(std::string_view name, const char* text) {
    member(name, std::string_view(text));
  }
  void member(std::string_view name, std::int64_t value) {
    key(name);
    number(value);
  }
  void member(std::string_view name, double value) {
    key(name);
    number(value);
  }
  void member(std::string_view name, bool value) {
    key(name);
    boolean(value);
  }
  void member(std::string_view name, const RawJson& json) {
    member_raw(name, json.text());
  }
  template <class T>
  void member(std::string_view name, const std::optional<T>& value) {
    if (value) member(name, *value);
  }
  void member_raw(std::string_view name, std::string_view json) {
    key(name);
    raw(json);
  }
  void member_null(std::string_view name) {
    key(name);
    null();
  }
  /// Written only when there is something to write.
  void member_if(std::string_view name, std::string_view text) {
    if (!text.empty()) member(name, text);
  }
  /// Where there is nothing to write, null.
  void member_or_null(std::string_view name, std::string_view text) {
    text.empty() ? member_null(name) : member(name, text);
  }
  template <class T>
  void member_or_null(std::string_view name, const std::optional<T>& value) {
    value ? member(name, *value) : member_null(name);
  }
  /// The same as members.
  void begin_object(std::string_view name) {
    key(name);
    begin_object();
  }
  void begin_array(std::string_view name) {
    key(name);
    begin_array();
  }
  /// Objects that say their `type` first.
  void begin_typed(std::string_view type) {
    begin_object();
    member("type", type);
  }
  void begin_typed(std::string_view name, std::string_view type) {
    key(name);
    begin_typed(type);
  }
  /// Members that are arrays of such; nothing where they are empty.
  void member_if(std::string_view name, std::span<const std::string> texts) {
    if (!texts.empty()) member(name, texts);
  }
  void member_if(std::string_view name, std::span<const RawJson> values) {
    if (values.empty()) return;
    begin_array(name);
    for (const RawJson& value : values) raw(value);
    end_array();
  }
  void member(std::string_view name, std::span<const std::string> texts) {
    begin_array(name);
    for (const std::string& text : texts) string(text);
    end_array();
  }
  /// Objects with one member, {`name`: value}, and members that are such.
  template <class T>
  void object(std::string_view name, const T& value) {
    begin_object();
    member(name, value);
    end_object();
  }
  template <class T>
  void object(std::string_view outer, std::string_view name, const T& value) {
    key(outer);
    object(name, value);
  }
  void extensions(const Extensions& extensions) {
    for (const Extension& extension : extensions) {
      member(extension.name, extension.value);
    }
  }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmproxy::json
LLMPROXY_INTERNAL_END
