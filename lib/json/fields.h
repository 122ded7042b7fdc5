// Reading and writing objects by tables: ObjectReader remembers which members
// were asked for, so that the rest can be kept as extensions; ScalarField
// rows decode and encode the same member with the same range.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "json/json.h"
#include "json/writer.h"

namespace llmproxy::json {

/// One object of a request. Errors carry the JSON pointer of the member.
class ObjectReader {
 public:
  ObjectReader(Value object, std::string path)
      : object_(object), path_(std::move(path)) {
    taken_.reserve(kUsualMembers);
  }

  const std::string& path() const { return path_; }
  std::string path_of(std::string_view name) const {
    return pointer(path_, name);
  }
  Value object() const { return object_; }

  /// The member, which then counts as known.
  Value take(std::string_view name) {
    taken_.push_back(name);
    return object_[name];
  }
  /// A member that may be missing or null, else must be of that type.
  Result<Value> optional(std::string_view name, Type type) {
    const Value value = take(name);
    if (value.absent()) return Value();
    if (value.type() != type) return wrong_type(name, value, type);
    return value;
  }
  Result<Value> required(std::string_view name, Type type) {
    const Value value = take(name);
    if (value.absent()) {
      return invalid_request(fmt::format("{} is required", name),
                             path_of(name));
    }
    if (value.type() != type) return wrong_type(name, value, type);
    return value;
  }
  /// Text of a required or optional string member.
  Result<std::string> required_string(std::string_view name) {
    LLMPROXY_ASSIGN(const Value value, required(name, Type::string));
    return std::string(value.string());
  }
  Result<std::string> optional_string(std::string_view name) {
    LLMPROXY_ASSIGN(const Value value, optional(name, Type::string));
    return std::string(value.string());
  }
  Result<std::optional<bool>> optional_bool(std::string_view name) {
    LLMPROXY_ASSIGN(const Value value, optional(name, Type::boolean));
    return value.boolean();
  }

  /// Members nobody asked for; nulls say nothing and are left out.
  Extensions rest() const {
    Extensions out;
    for (const Value member : object_.children()) {
      if (member.is_null() || is_taken(member.key())) continue;
      out.push_back({std::string(member.key()), member.raw_json()});
    }
    return out;
  }

 private:
  bool is_taken(std::string_view name) const {
    for (const std::string_view taken : taken_) {
      if (taken == name) return true;
    }
    return false;
  }
  Error wrong_type(std::string_view name, Value value, Type expected) const {
    return invalid_request(
        fmt::format("{} must be {}, not {}", name, to_string(expected),
                    to_string(value.type())),
        path_of(name));
  }

  static constexpr std::size_t kUsualMembers = 8;

  Value object_;
  std::string path_;
  std::vector<std::string_view> taken_;
};

/// One scalar member of T, its wire name and its range.
template <class T>
struct ScalarField {
  std::string_view name;
  std::variant<std::optional<double> T::*, std::optional<std::int64_t> T::*>
      member;
  double min;
  double max;
};

template <class T>
Error out_of_range(const ScalarField<T>& field, const std::string& path) {
  return invalid_request(fmt::format("{} must be between {} and {}", field.name,
                                     field.min, field.max),
                         path);
}

template <class T>
Result<void> read_fields(std::span<const ScalarField<T>> fields,
                         ObjectReader& reader, T& target) {
  for (const ScalarField<T>& field : fields) {
    LLMPROXY_ASSIGN(const Value value,
                    reader.optional(field.name, Type::number));
    if (!value) continue;
    const std::string path = reader.path_of(field.name);
    const auto number = value.number();
    if (!number || *number < field.min || *number > field.max) {
      return out_of_range(field, path);
    }
    if (const auto* real =
            std::get_if<std::optional<double> T::*>(&field.member)) {
      target.*(*real) = number;
      continue;
    }
    const auto integer = value.integer();
    if (!integer) {
      return invalid_request(fmt::format("{} must be an integer", field.name),
                             path);
    }
    target.*std::get<std::optional<std::int64_t> T::*>(field.member) = integer;
  }
  return {};
}

template <class T>
void write_fields(std::span<const ScalarField<T>> fields, Writer& writer,
                  const T& source) {
  for (const ScalarField<T>& field : fields) {
    std::visit([&](auto member) { writer.member(field.name, source.*member); },
               field.member);
  }
}

}  // namespace llmproxy::json
