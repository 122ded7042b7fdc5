// The table of all pairs of dialects: how many cases cross from one to the
// other, and how many losses they declare.
#pragma once

#include <array>
#include <map>
#include <string>
#include <utility>

#include "golden/scenario.h"

namespace llmproxy::testing {

class PairTable {
 public:
  /// Counts a case towards every dialect.
  void add(const Scenario& scenario);
  /// Pairs and nouns of which nothing crossed; 0 = every one is shown.
  std::size_t gaps() const;
  /// One line a pair: request, response, stream.
  std::string text() const;

 private:
  struct Cell {
    int crossed = 0;
    int refused = 0;  ///< with a reason: the target cannot do it
    std::size_t losses = 0;
  };
  static constexpr std::size_t kColumns = 3;  // request, response, stream
  using Row = std::array<Cell, kColumns>;

  std::map<std::pair<std::string, std::string>, Row> rows_;
};

}  // namespace llmproxy::testing
