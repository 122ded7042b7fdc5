// What may stand behind a key of the configuration. It stands in the rows that
// read the keys, so that the schema made of it cannot say anything else.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace llmproxy::gateway {

enum class ShapeKind : std::uint8_t {
  text,
  boolean,
  whole,    ///< from min to max
  number,   ///< above or from min
  word,     ///< one of some
  section,  ///< keys that are known
  map,      ///< keys of the user's choice to `first`
  list,     ///< of `first`
  either,   ///< `first` or `second`
};

struct KeyShape;

struct Shape {
  ShapeKind kind = ShapeKind::text;
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::vector<std::string_view> (*words)() = nullptr;
  std::vector<KeyShape> (*keys)() = nullptr;
  const Shape* first = nullptr;
  const Shape* second = nullptr;
};

/// One key of a section.
struct KeyShape {
  std::string_view key;
  Shape shape;
  std::string_view about;  ///< a sentence for who fills it in
};

// Where the value is of no type of its own.
inline constexpr Shape kText{};
inline constexpr Shape kBoolean{.kind = ShapeKind::boolean};
inline constexpr Shape kNumber{.kind = ShapeKind::number};
inline constexpr Shape kTexts{.kind = ShapeKind::list, .first = &kText};
inline constexpr Shape kTextMap{.kind = ShapeKind::map, .first = &kText};
inline constexpr Shape kNumberMap{.kind = ShapeKind::map, .first = &kNumber};

constexpr Shape whole(std::int64_t min, std::int64_t max) {
  return {.kind = ShapeKind::whole, .min = min, .max = max};
}

template <const auto& words>
std::vector<std::string_view> words_of() {
  return {words.begin(), words.end()};
}

/// One of a constant list of words.
template <const auto& words>
constexpr Shape word() {
  return {.kind = ShapeKind::word, .words = words_of<words>};
}

/// The shapes of the rows of a table of YamlField.
template <const auto& fields>
std::vector<KeyShape> keys_of() {
  std::vector<KeyShape> out;
  for (const auto& field : fields) {
    out.push_back({field.key, field.shape, field.about});
  }
  return out;
}

/// A section that such a table reads.
template <const auto& fields>
constexpr Shape section() {
  return {.kind = ShapeKind::section, .keys = keys_of<fields>};
}

/// The whole file.
std::vector<KeyShape> file_keys();

}  // namespace llmproxy::gateway
