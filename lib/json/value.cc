// Typed look-ups on values, and JSON pointers.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/bounded.h"
#include "json/json.h"

namespace llmproxy {

Result<RawJson> RawJson::parse(std::string text) {
  json::Document document;
  LLMPROXY_TRY(document.parse(text, json::kPieceLimits));
  return RawJson(std::move(text));
}

}  // namespace llmproxy

namespace llmproxy::json {

std::string_view to_string(Type type) {
  constexpr std::array<std::string_view, 7> kNames = {
      "nothing",  "null",     "a boolean", "a number",
      "a string", "an array", "an object"};
  return kNames[static_cast<std::size_t>(type)];
}

Value Value::operator[](std::string_view name) const {
  if (!is_object() || size() == 0) return {};
  const Node* const all = index_->nodes.data();
  std::uint32_t found = 0;
  for (std::uint32_t at = at_ + 1; at != 0; at = all[at].next) {
    if (all[at].key_size == name.size() && index_->key(all[at]) == name) {
      found = at;
    }
  }
  return found == 0 ? Value() : Value(index_, found);
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
  return document.parse_view(text).has_value();
}

bool is_json_object(std::string_view text) {
  Document document;
  const auto root = document.parse_view(text);
  return root && root->is_object();
}

// A schema may hold as many members as it has bytes, each below a name of as
// many: what is longer than anybody reads is cut while it grows.
std::string pointer(std::string_view base, std::string_view name) {
  std::string out;
  if (base.size() > kMaxPointer) return std::string(base);
  name = name.substr(0, kMaxPointer + 1);
  out.reserve(base.size() + 1 + name.size());
  out += base;
  out += '/';
  if (std::none_of(name.begin(), name.end(),
                   [](char c) { return c == '~' || c == '/'; })) {
    return out += name;
  }
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
  if (base.size() > kMaxPointer) return std::string(base);
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
