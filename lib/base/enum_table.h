// Tables of wire spellings: one row per spelling, read and written by the
// same rows. The first row of a value is the one that is written; every row
// is read.
//
//   constexpr auto kEfforts = enum_table<Effort>({{Effort::low, "low"}, ...});
//   static_assert(covers(kEfforts, kLastEffort));
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace llmproxy {

template <class E>
struct EnumRow {
  E value;
  std::string_view wire;
};

template <class E, std::size_t N>
using EnumTable = std::array<EnumRow<E>, N>;

template <class E, std::size_t N>
consteval EnumTable<E, N> enum_table(const EnumRow<E> (&rows)[N]) {
  EnumTable<E, N> table{};
  for (std::size_t i = 0; i < N; ++i) table[i] = rows[i];
  return table;
}

/// True when every value up to `last` has a row.
template <class E, std::size_t N>
consteval bool covers(const EnumTable<E, N>& table, E last) {
  for (std::size_t value = 0; value <= static_cast<std::size_t>(last);
       ++value) {
    bool found = false;
    for (const auto& row : table) {
      found = found || static_cast<std::size_t>(row.value) == value;
    }
    if (!found) return false;
  }
  return true;
}

/// The spelling to write; empty when the table has none.
template <class E, std::size_t N>
constexpr std::string_view to_wire(const EnumTable<E, N>& table, E value) {
  for (const auto& row : table) {
    if (row.value == value) return row.wire;
  }
  return {};
}

template <class E, std::size_t N>
constexpr std::optional<E> from_wire(const EnumTable<E, N>& table,
                                     std::string_view wire) {
  for (const auto& row : table) {
    if (row.wire == wire) return row.value;
  }
  return std::nullopt;
}

/// "auto, none or required", for messages.
template <class E, std::size_t N>
std::string spellings(const EnumTable<E, N>& table) {
  std::string out;
  for (std::size_t i = 0; i < N; ++i) {
    if (i > 0) out += i + 1 == N ? " or " : ", ";
    out += table[i].wire;
  }
  return out;
}

}  // namespace llmproxy
