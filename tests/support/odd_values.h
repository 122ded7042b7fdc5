// What may stand where something else is expected, and a JSON text with one of
// its values replaced by each of them in turn: tables instead of a test for
// every field.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmproxy::testing {

/// Empty, absent, of the wrong type, or of the right type and hard to carry.
inline constexpr std::string_view kOddValues[] = {
    "null",
    R"("")",
    "[]",
    "{}",
    "false",
    "true",
    "0",
    "-1",
    "-0",
    "1e999",
    "0.5",
    "123456789012345678901234567890",
    "9223372036854775807",
    R"(" ")",
    R"("a")",
    R"("a\u0000b")",
    R"("\ud800")",
    R"("\r\n")",
    "[null]",
    R"([""])",
    "[[]]",
    "[{}]",
    R"({"":""})",
    R"({"a/item/b":1})",
    R"({"~0/\"\\":{}})",
};

/// One value of a text: where, and how long.
struct Spot {
  std::size_t offset = 0;
  std::size_t size = 0;
  std::string path;  ///< for messages
};

/// All values below the root, in document order.
std::vector<Spot> spots_of(std::string_view json);

/// The text with another value at that spot.
std::string with_value(std::string_view json, const Spot& spot,
                       std::string_view value);
/// The text without the member or element at that spot.
std::string without_value(std::string_view json, const Spot& spot);

/// Every text that differs from `json` in one value, `visit(text, name)` each.
template <class Visit>
void for_each_odd(std::string_view json, Visit visit) {
  for (const Spot& spot : spots_of(json)) {
    for (const std::string_view value : kOddValues) {
      visit(with_value(json, spot, value),
            spot.path + " = " + std::string(value));
    }
    visit(without_value(json, spot), spot.path + " left out");
  }
}

}  // namespace llmproxy::testing
