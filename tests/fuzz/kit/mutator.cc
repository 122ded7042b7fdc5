#include "fuzz/kit/mutator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <random>
#include <utility>

#include "fuzz/kit/json_tree.h"
#include "fuzz/kit/words.h"

namespace llmproxy::fuzz {
namespace {

/// Small and the same everywhere, unlike the distributions of <random>.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t count) {
    return count == 0 ? 0 : engine_() % count;
  }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <class Container>
  auto& any_of(Container& all) {
    return all[below(std::size(all))];
  }

 private:
  std::minstd_rand engine_;
};

// Values at which code that was not careful breaks.
constexpr std::array<std::string_view, 44> kOddValues = {
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e400",
    "-0.0",
    "9223372036854775808",
    "18446744073709551616",
    "2147483648",
    "1e3",
    "\"\"",
    "\" \"",
    "\"\\n\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\u2028\"",
    "\"/\"",
    "\"~1\"",
    "\"a/item/b\"",
    "\"{}\"",
    "\"{\\\"a\\\":\"",
    "\"[]\"",
    "\"null\"",
    "\"data:image/png;base64,AAAA\"",
    "\"data:,\"",
    "\"http://a.test/x.png\"",
    "\"[DONE]\"",
    "\"\\r\\ndata: x\"",
    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "a\"",
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "[null]",
    "[\"\"]",
    "{\"type\":\"text\"}",
    "{\"type\":\"text\",\"text\":\"\"}",
    "{\"type\":\"object\"}",
    "{\"$ref\":\"#\"}",
    "{\"a/item/b\":1}",
    "{\"\":{}}"};

std::string_view some_value(Dice& dice) {
  const auto& known = words().values;
  if (known.empty() || dice.one_in(2)) return dice.any_of(kOddValues);
  return dice.any_of(known);
}

std::string some_name(Dice& dice) {
  const auto& known = words().names;
  if (known.empty() || dice.one_in(30)) return "\"x/item/~y\"";
  return dice.any_of(known);
}

Tree some_tree(Dice& dice) {
  const std::string_view text = some_value(dice);
  if (auto tree = read_tree(text)) return *std::move(tree);
  return Tree{Tree::Kind::scalar, std::string(text), {}, {}};
}

/// Puts `with` where `node` is; a member keeps its name.
void put(Tree& node, Tree with) {
  with.name = node.name;
  node = std::move(with);
}

using Nodes = std::vector<Tree*>;

void replace_value(Nodes& nodes, Dice& dice) {
  put(*dice.any_of(nodes), some_tree(dice));
}
void copy_value(Nodes& nodes, Dice& dice) {
  Tree copy = *dice.any_of(nodes);
  put(*dice.any_of(nodes), std::move(copy));
}
void rename_member(Nodes& nodes, Dice& dice) {
  Tree& node = *dice.any_of(nodes);
  if (!node.name.empty()) node.name = some_name(dice);
}
void add_child(Nodes& nodes, Dice& dice) {
  Tree& node = *dice.any_of(nodes);
  if (node.kind == Tree::Kind::scalar) return;
  Tree child = dice.one_in(3) ? *dice.any_of(nodes) : some_tree(dice);
  child.name = node.kind == Tree::Kind::object ? some_name(dice) : "";
  const auto at =
      static_cast<std::ptrdiff_t>(dice.below(node.children.size() + 1));
  node.children.insert(node.children.begin() + at, std::move(child));
}
void drop_child(Nodes& nodes, Dice& dice) {
  Tree& node = *dice.any_of(nodes);
  if (node.children.empty()) return;
  node.children.erase(
      node.children.begin() +
      static_cast<std::ptrdiff_t>(dice.below(node.children.size())));
}
void repeat_child(Nodes& nodes, Dice& dice) {
  Tree& node = *dice.any_of(nodes);
  if (node.children.empty()) return;
  const Tree copy = dice.any_of(node.children);
  node.children.insert(node.children.end(), dice.one_in(8) ? 20 : 1, copy);
}
void swap_children(Nodes& nodes, Dice& dice) {
  Tree& node = *dice.any_of(nodes);
  if (node.children.size() < 2) return;
  Tree& one = dice.any_of(node.children);
  Tree& other = dice.any_of(node.children);
  if (&one != &other) std::swap(one, other);
}
void clear_node(Nodes& nodes, Dice& dice) {
  Tree& node = *dice.any_of(nodes);
  node.children.clear();
  if (node.text.starts_with('"')) node.text = "\"\"";
}
void wrap_node(Nodes& nodes, Dice& dice) {
  Tree& node = *dice.any_of(nodes);
  for (std::size_t depth = dice.one_in(8) ? 60 : 1; depth > 0; --depth) {
    Tree inner = node;
    Tree outer;
    outer.kind = dice.one_in(2) ? Tree::Kind::array : Tree::Kind::object;
    inner.name =
        outer.kind == Tree::Kind::object ? some_name(dice) : std::string();
    outer.children.push_back(std::move(inner));
    put(node, std::move(outer));
  }
}
void extend_text(Nodes& nodes, Dice& dice) {
  Tree& node = *dice.any_of(nodes);
  std::string_view more = some_value(dice);
  if (!node.text.starts_with('"') || !more.starts_with('"')) return;
  more.remove_prefix(1);
  node.text.pop_back();
  node.text += more;
}
/// As a text with JSON in it: arguments and schemas travel so.
void quote_node(Nodes& nodes, Dice& dice) {
  Tree& node = *dice.any_of(nodes);
  std::string inner;
  write_tree(node, inner);
  std::string text = "\"";
  for (const char c : inner) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  put(node, Tree{Tree::Kind::scalar, text + "\"", {}, {}});
}

using Change = void (*)(Nodes& nodes, Dice& dice);
// What finds most stands twice.
constexpr Change kChanges[] = {
    replace_value, replace_value, copy_value,    rename_member,
    add_child,     add_child,     drop_child,    drop_child,
    repeat_child,  swap_children, clear_node,    wrap_node,
    extend_text,   quote_node,    rename_member, copy_value,
};

bool mutate_json(std::string& text, Dice& dice) {
  auto tree = read_tree(text);
  if (!tree) return false;
  std::size_t changes = 1 + dice.below(3);
  while (changes-- > 0) {
    Nodes nodes = nodes_of(*tree);
    dice.any_of(kChanges)(nodes, dice);
  }
  text.clear();
  write_tree(*tree, text);
  return true;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t size =
        end == std::string_view::npos ? text.size() : end + 1;
    out.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line;
  return out;
}

/// Lines are dropped, repeated and moved.
void mutate_order(std::vector<std::string>& lines, Dice& dice) {
  const auto at = static_cast<std::ptrdiff_t>(dice.below(lines.size()));
  const std::string line = lines[static_cast<std::size_t>(at)];
  const bool keep = dice.one_in(2);
  if (!keep) lines.erase(lines.begin() + at);
  if (dice.one_in(keep ? 1 : 2)) {
    const auto to = static_cast<std::ptrdiff_t>(dice.below(lines.size() + 1));
    lines.insert(lines.begin() + to, line);
  }
}

/// The JSON in one of the lines.
bool mutate_event(std::vector<std::string>& lines, Dice& dice) {
  std::string& line = dice.any_of(lines);
  const std::size_t begin = line.find('{');
  if (begin == std::string::npos) return false;
  std::string json = line.substr(begin);
  while (json.ends_with('\n') || json.ends_with('\r')) json.pop_back();
  if (!mutate_json(json, dice)) return false;
  line = line.substr(0, begin) + json + "\n";
  return true;
}

bool mutate_lines(std::string& text, Form form, Dice& dice) {
  std::vector<std::string> lines = lines_of(text);
  if (lines.empty()) return false;
  if (form == Form::events && !dice.one_in(4)) {
    // Most lines of a stream have JSON; the others do not count as a try.
    bool done = false;
    for (int tries = 0; tries < 4 && !done; ++tries) {
      done = mutate_event(lines, dice);
    }
    if (!done) return false;
  } else {
    mutate_order(lines, dice);
  }
  text = joined(lines);
  return true;
}

/// Bytes at a random place become others, come or go.
void mutate_bytes(std::string& text, std::size_t longest, Dice& dice) {
  const auto at = dice.below(text.size() + 1);
  const auto byte = static_cast<char>(dice.below(256));
  switch (dice.below(3)) {
    case 0:
      text.insert(at, 1 + dice.below(4), byte);
      break;
    case 1:
      text.erase(at, 1 + dice.below(8));
      break;
    default:
      if (at < text.size()) text[at] = byte;
  }
  if (text.size() > longest) text.resize(longest);
}

void change_choice(std::string& text, Dice& dice) {
  if (text.size() < Input::kChoices) text.resize(Input::kChoices);
  text[dice.below(Input::kChoices)] = static_cast<char>(dice.below(256));
}

bool mutate_text(std::string& text, Form form, Dice& dice) {
  switch (form) {
    case Form::bytes:
      return false;
    case Form::json:
      return mutate_json(text, dice);
    case Form::lines:
    case Form::events:
      return mutate_lines(text, form, dice);
  }
  return false;
}

std::string_view text_part(std::string_view input) {
  return input.substr(std::min(input.size(), Input::kChoices));
}

}  // namespace

std::size_t mutate(const Target& target, std::uint8_t* data, std::size_t size,
                   std::size_t longest, unsigned seed, ByteMutator bytes) {
  Dice dice(seed);
  std::string text(reinterpret_cast<const char*>(data), size);
  if (text.size() < Input::kChoices || dice.one_in(6)) {
    change_choice(text, dice);
  }
  // One in a few goes without regard for structure.
  std::string rest(text_part(text));
  const bool kept = !dice.one_in(5) && mutate_text(rest, target.form, dice);
  if (kept && Input::kChoices + rest.size() <= longest) {
    text = text.substr(0, Input::kChoices) + rest;
  } else if (bytes != nullptr && text.size() <= longest) {
    std::copy(text.begin(), text.end(), data);
    return Input::kChoices + bytes(data + Input::kChoices,
                                   text.size() - Input::kChoices,
                                   longest - Input::kChoices);
  } else {
    rest = text_part(text);
    mutate_bytes(rest, longest - Input::kChoices, dice);
    text = text.substr(0, Input::kChoices) + rest;
  }
  const std::size_t out = std::min(text.size(), longest);
  std::copy_n(text.begin(), out, data);
  return out;
}

std::string crossed(const Target& target, std::string_view a,
                    std::string_view b, unsigned seed) {
  Dice dice(seed);
  const std::string choices(a.substr(0, Input::kChoices));
  auto one = read_tree(text_part(a));
  auto other = read_tree(text_part(b));
  if (target.form == Form::json && one && other) {
    Nodes nodes = nodes_of(*one);
    Nodes others = nodes_of(*other);
    put(*dice.any_of(nodes), *dice.any_of(others));
    std::string out = choices;
    write_tree(*one, out);
    return out;
  }
  std::vector<std::string> lines = lines_of(text_part(a));
  const std::vector<std::string> more = lines_of(text_part(b));
  if (target.form == Form::bytes || lines.empty() || more.empty()) {
    const std::string_view front = text_part(a);
    const std::string_view back = text_part(b);
    return choices + std::string(front.substr(0, dice.below(front.size() + 1)))
                         .append(back.substr(dice.below(back.size() + 1)));
  }
  const std::size_t from = dice.below(more.size());
  const std::size_t count = 1 + dice.below(more.size() - from);
  const auto begin = more.begin() + static_cast<std::ptrdiff_t>(from);
  lines.insert(
      lines.begin() + static_cast<std::ptrdiff_t>(dice.below(lines.size() + 1)),
      begin, begin + static_cast<std::ptrdiff_t>(count));
  return choices + joined(lines);
}

}  // namespace llmproxy::fuzz
