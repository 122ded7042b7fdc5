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
  if (!is_object() || size() == 0) return {};
  const Node* const all = nodes_->data();
  std::uint32_t found = 0;
  for (std::uint32_t at = index_ + 1; at != 0; at = all[at].next) {
    if (all[at].key == name) found = at;
  }
  return found == 0 ? Value() : Value(nodes_, found);
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
  std::string out;
  out.reserve(base.size() + 1 + name.size());
  out += base;
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
  std::array<char, 20> digits{};  // of the largest index
  const char* end =
      std::to_chars(digits.data(), digits.data() + digits.size(), index).ptr;
  std::string out;
  out.reserve(base.size() + 1 + digits.size());
  out += base;
  out += '/';
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  return out;
}

}  // namespace llmproxy::json
