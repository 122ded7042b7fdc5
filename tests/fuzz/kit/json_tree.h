// JSON as a tree that may be changed and written again: what the mutator
// works on. Reads what is nearly JSON, too; checks nothing, and keeps strings
// and numbers as they are spelled.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmproxy::fuzz {

struct Tree {
  enum class Kind { object, array, scalar };
  Kind kind = Kind::scalar;
  /// As spelled, with the quotes of strings: of scalars.
  std::string text;
  /// As spelled, with quotes: of members of objects.
  std::string name;
  std::vector<Tree> children;
};

/// nullopt = not JSON, or deeper than anybody reads.
std::optional<Tree> read_tree(std::string_view text);
void write_tree(const Tree& tree, std::string& out);

/// The tree and everything below it, parents first.
std::vector<Tree*> nodes_of(Tree& tree);

}  // namespace llmproxy::fuzz
