// Typed look-ups on values, and JSON pointers.
#include <array>
#include <charconv>
#include <cmath>

#include "json/json.h"

namespace llmproxy::json {

std::string_view to_string(Type type) {
  constexpr std::array<std::string_view, 7> kNames = {
      "nothing",  "null",     "a boolean", "a number",
      "a string", "an array", "an object"};
  return kNames[static_cast<std::size_t>(type)];
}

Value Value::operator[](std::string_view name) const {
  Value found;
  if (!is_object()) return found;
  for (const Value member : children()) {
    if (member.key() == name) found = member;
  }
  return found;
}

std::optional<bool> Value::boolean() const {
  if (type() != Type::boolean) return std::nullopt;
  return raw() == "true";
}

std::optional<double> Value::number() const {
  if (!is_number()) return std::nullopt;
  const std::string_view text = raw();
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> Value::integer() const {
  if (!is_number()) return std::nullopt;
  const std::string_view text = raw();
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  // 3.0 and 3e2 are integers too; 2^53 keeps the conversion exact.
  const auto real = number();
  constexpr double kExact = 9007199254740992.0;
  if (!real || std::abs(*real) > kExact || std::trunc(*real) != *real) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*real);
}

bool is_json(std::string_view text) {
  Document document;
  return document.parse(text).has_value();
}

bool is_json_object(std::string_view text) {
  Document document;
  const auto root = document.parse(text);
  return root && root->is_object();
}

std::string pointer(std::string_view base, std::string_view name) {
  std::string out(base);
  out += '/';
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string pointer(std::string_view base, std::size_t index) {
  return std::string(base) + '/' + std::to_string(index);
}

}  // namespace llmproxy::json
