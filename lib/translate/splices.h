// Changes to a JSON text that keep every other byte of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"

namespace llmproxy {

/// Changes to one JSON text, made in one pass at the end. They must not
/// overlap, and two at the same place stay in the order they came in. Values
/// and views given are of that text, which outlives this object.
class Splices {
 public:
  explicit Splices(std::string_view text) : text_(text) {}

  void replace(std::string_view old, std::string text);
  /// As the first member of an object, or element of an array.
  void insert_front(const json::Value& into, std::string text);
  /// As the last element of an array.
  void insert_back(const json::Value& array, std::string text);
  /// Adds to the end of a string, whose own spelling stays.
  void extend(const json::Value& string, std::string_view text);

  std::string apply();

 private:
  struct Edit {
    std::size_t offset = 0;
    std::size_t length = 0;
    std::string text;
  };
  std::size_t offset(std::string_view raw) const {
    return static_cast<std::size_t>(raw.data() - text_.data());
  }

  std::string_view text_;
  std::vector<Edit> edits_;
};

/// A JSON string of `text`, which may hold what is no UTF-8.
std::string quoted(std::string_view text);

/// The last element of an array, or a missing value.
json::Value last_child(const json::Value& array);

}  // namespace llmproxy
