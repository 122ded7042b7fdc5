// Reading and writing objects by tables: ObjectReader remembers which members
// were asked for, so that the rest can be kept as extensions; ScalarField
// rows decode and encode the same member with the same range.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/enum_table.h"
#include "json/json.h"
#include "json/writer.h"

namespace llmproxy::json {

/// An integer that is not less than `least`.
inline Result<std::int64_t> read_at_least(Value value, std::int64_t least,
                                          std::string_view name,
                                          std::string path) {
  const auto integer = value.integer();
  if (integer && *integer >= least) return *integer;
  return invalid_request(
      fmt::format("{} must be an integer of at least {}", name, least),
      std::move(path));
}

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

  /// The same where absent means false.
  Result<bool> optional_flag(std::string_view name) {
    LLMPROXY_ASSIGN(const auto flag, optional_bool(name));
    return flag.value_or(false);
  }

  /// An integer of at least `least`.
  Result<std::optional<std::int64_t>> optional_at_least(std::string_view name,
                                                        std::int64_t least) {
    LLMPROXY_ASSIGN(const Value value, optional(name, Type::number));
    if (!value) return std::optional<std::int64_t>();
    LLMPROXY_ASSIGN(const std::int64_t integer,
                    read_at_least(value, least, name, path_of(name)));
    return std::optional(integer);
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

/// Adds what nobody asked for to `extensions`, `prefix` before each name.
inline void keep_rest(const ObjectReader& reader, std::string_view prefix,
                      Extensions& extensions) {
  for (Extension& extension : reader.rest()) {
    extension.name.insert(0, prefix);
    extensions.push_back(std::move(extension));
  }
}

/// "<what> must be an object, not <type>"
inline Error not_an_object(std::string_view what, Value value,
                           std::string path) {
  return invalid_request(fmt::format("{} must be an object, not {}", what,
                                     to_string(value.type())),
                         std::move(path));
}

/// `read(element, its path)` for each element, up to the first error. An array
/// may be missing; nothing else stands for one.
template <class Read>
Result<void> read_each(Value array, std::string_view path, Read read) {
  if (!array.absent() && !array.is_array()) {
    return invalid_request(
        fmt::format("{} must be an array, not {}",
                    path.substr(path.rfind('/') + 1), to_string(array.type())),
        std::string(path));
  }
  std::size_t index = 0;
  for (const Value element : array.children()) {
    LLMPROXY_TRY(read(element, pointer(path, index++)));
  }
  return {};
}

/// What `read(element, its path)` makes of each, appended.
template <class T, class Read>
Result<void> read_into(std::vector<T>& out, Value array, std::string_view path,
                       Read read) {
  return read_each(array, path,
                   [&](Value value, const std::string& at) -> Result<void> {
                     LLMPROXY_ASSIGN(T element, read(value, at));
                     out.push_back(std::move(element));
                     return {};
                   });
}

/// The texts of an array, which may be missing, appended; `complaint` is said
/// of anything else.
inline Result<void> read_strings(Value array, std::string_view complaint,
                                 const std::string& path,
                                 std::vector<std::string>& out) {
  if (!array.absent() && !array.is_array()) {
    return invalid_request(std::string(complaint), path);
  }
  for (const Value text : array.children()) {
    if (!text.is_string()) return invalid_request(std::string(complaint), path);
    out.emplace_back(text.string());
  }
  return {};
}

/// What a word means; `name` is what errors call its place.
template <class E, std::size_t N>
Result<E> read_word(const EnumTable<E, N>& table, std::string_view word,
                    std::string_view name, std::string path) {
  if (const auto value = from_wire(table, word)) return *value;
  return invalid_request(fmt::format("{} must be {}", name, spellings(table)),
                         std::move(path));
}

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
bool in_range(const ScalarField<T>& field, std::optional<double> number) {
  return number && *number >= field.min && *number <= field.max;
}

/// Takes the number over; false where it is out of range, or no integer where
/// it must be one.
template <class T>
bool set_field(const ScalarField<T>& field, const Value& value, T& target) {
  const auto number = value.number();
  if (!in_range(field, number)) return false;
  if (const auto* real =
          std::get_if<std::optional<double> T::*>(&field.member)) {
    target.*(*real) = number;
    return true;
  }
  const auto integer = value.integer();
  target.*std::get<std::optional<std::int64_t> T::*>(field.member) = integer;
  return integer.has_value();
}

template <class T>
Result<void> read_fields(std::span<const ScalarField<T>> fields,
                         ObjectReader& reader, T& target) {
  for (const ScalarField<T>& field : fields) {
    LLMPROXY_ASSIGN(const Value value,
                    reader.optional(field.name, Type::number));
    if (!value || set_field(field, value, target)) continue;
    const std::string path = reader.path_of(field.name);
    if (!in_range(field, value.number())) return out_of_range(field, path);
    return invalid_request(fmt::format("{} must be an integer", field.name),
                           path);
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
