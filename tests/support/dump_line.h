// One line of a dump: words, name=value attributes, and lines below it. The
// alphabet of dump.cc and dump_answer.cc; nothing else includes it.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/chat.h"
#include "support/json_text.h"

namespace llmproxy::testing {

/// The name of an enumerator, from a table in its order.
template <std::size_t kSize, class E>
std::string_view name_of(const std::string_view (&names)[kSize], E value) {
  const auto index = static_cast<std::size_t>(value);
  return index < kSize ? names[index] : "?";
}

/// Builds one line and the lines below it.
class Line {
 public:
  explicit Line(std::string_view head) : text_(head) {}

  Line& word(std::string_view value) {
    text_ += ' ';
    text_ += value;
    return *this;
  }
  Line& word_if(bool condition, std::string_view value) {
    return condition ? word(value) : *this;
  }
  Line& string(std::string_view value) { return word(quoted(value)); }
  Line& attribute(std::string_view name, std::string_view value) {
    return word(std::string(name) + "=" + quoted(value));
  }
  Line& given(std::string_view name, std::string_view value) {
    return value.empty() ? *this : attribute(name, value);
  }
  Line& plain(std::string_view name, std::string_view value) {
    return word(std::string(name) + "=" + std::string(value));
  }
  Line& given(std::string_view name, const std::optional<std::int64_t>& value) {
    return value ? plain(name, std::to_string(*value)) : *this;
  }
  Line& given(std::string_view name, const std::optional<bool>& value) {
    return value ? plain(name, *value ? "true" : "false") : *this;
  }
  Line& given(std::string_view name, const std::optional<double>& value) {
    if (!value) return *this;
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, *value);
    return plain(name, std::string_view(digits, end.ptr));
  }
  Line& given(std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return *this;
    std::string list = "[";
    for (const std::string& value : values) {
      if (list.size() > 1) list += ',';
      list += quoted(value);
    }
    return plain(name, list + "]");
  }
  Line& cache(const std::optional<CacheMarker>& marker) {
    if (!marker) return *this;
    return marker->ttl.empty() ? word("cache")
                               : attribute("cache", marker->ttl);
  }

  /// The line and `below`, two spaces in.
  std::string text(std::string_view below = {}) const {
    std::string out = text_ + "\n";
    while (!below.empty()) {
      const std::size_t end = below.find('\n') + 1;
      out += "  ";
      out += below.substr(0, end);
      below.remove_prefix(end);
    }
    return out;
  }

 private:
  std::string text_;
};

/// "head {...}", or nothing when there is no JSON.
std::string json_line(std::string_view head, const RawJson& json);
/// One "extension name value" each.
std::string dump_extensions(const Extensions& extensions);
/// The parts, one below the other.
std::string dump_parts(const std::vector<ContentPart>& parts);

}  // namespace llmproxy::testing
