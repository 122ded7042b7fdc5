#include "fuzz/kit/json_tree.h"

#include <utility>

namespace llmproxy::fuzz {
namespace {

// Deeper than the library takes, so that its bound is tried, too.
constexpr int kDeepest = 96;

class TreeReader {
 public:
  explicit TreeReader(std::string_view text) : text_(text) {}

  std::optional<Tree> whole() {
    Tree tree;
    if (!value(tree, 0)) return std::nullopt;
    blanks();
    if (at_ != text_.size()) return std::nullopt;
    return tree;
  }

 private:
  void blanks() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
  }
  bool take(char wanted) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool is_next(char wanted) {
    blanks();
    return at_ < text_.size() && text_[at_] == wanted;
  }

  bool string(std::string& out) {
    if (!is_next('"')) return false;
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= text_.size()) return false;
    ++at_;
    out = text_.substr(begin, at_ - begin);
    return true;
  }

  bool value(Tree& tree, int depth) {
    if (depth > kDeepest) return false;
    if (take('{')) return children(tree, Tree::Kind::object, '}', depth);
    if (take('[')) return children(tree, Tree::Kind::array, ']', depth);
    if (is_next('"')) return string(tree.text);
    const std::size_t end =
        std::min(text_.find_first_of(" \t\r\n,:{}[]\"", at_), text_.size());
    tree.text = text_.substr(at_, end - at_);
    at_ = end;
    return !tree.text.empty();
  }

  bool children(Tree& tree, Tree::Kind kind, char close, int depth) {
    tree.kind = kind;
    if (take(close)) return true;
    do {
      Tree child;
      const bool named = kind == Tree::Kind::object;
      if (named && !(string(child.name) && take(':'))) return false;
      if (!value(child, depth + 1)) return false;
      tree.children.push_back(std::move(child));
    } while (take(','));
    return take(close);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void collect(Tree& tree, std::vector<Tree*>& out) {
  out.push_back(&tree);
  for (Tree& child : tree.children) collect(child, out);
}

}  // namespace

std::optional<Tree> read_tree(std::string_view text) {
  return TreeReader(text).whole();
}

void write_tree(const Tree& tree, std::string& out) {
  if (tree.kind == Tree::Kind::scalar) {
    out += tree.text;
    return;
  }
  const bool object = tree.kind == Tree::Kind::object;
  out += object ? '{' : '[';
  bool first = true;
  for (const Tree& child : tree.children) {
    if (!std::exchange(first, false)) out += ',';
    // An element that became a member has no name yet.
    if (object) out.append(child.name.empty() ? "\"\"" : child.name) += ':';
    write_tree(child, out);
  }
  out += object ? '}' : ']';
}

std::vector<Tree*> nodes_of(Tree& tree) {
  std::vector<Tree*> out;
  collect(tree, out);
  return out;
}

}  // namespace llmproxy::fuzz
