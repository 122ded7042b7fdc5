// The only file that includes simdjson. Its first stage checks the UTF-8 and
// finds where each token begins, with the widest registers the processor has;
// one walk over these tokens leaves the flat index of json.h behind. Its
// parsers go on from there too, but the DOM forgets the source text and the
// on-demand parser takes twice as long to walk over everything.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>

#include "json/json.h"
#include "json/text.h"

namespace llmproxy::json {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Where a mistake is, as "byte 17 (line 2, column 4)".
std::string place(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto last = before.rfind('\n');
  const std::size_t column =
      last == std::string_view::npos ? offset : offset - last - 1;
  return fmt::format("byte {} (line {}, column {})", offset, lines + 1,
                     column + 1);
}

/// A nesting error of our own, told apart from simdjson's by its value.
constexpr auto kTooDeep = simdjson::DEPTH_ERROR;

Error syntax_error(std::string_view text, simdjson::error_code code,
                   std::optional<std::size_t> offset) {
  if (code == simdjson::EMPTY) return invalid_request("the body is empty");
  if (code == kTooDeep) {
    return invalid_request(
        fmt::format("the JSON is nested {} levels deep or more", kMaxDepth));
  }
  if (code == simdjson::UTF8_ERROR) {
    return invalid_request(fmt::format("invalid UTF-8 at {}",
                                       place(text, valid_utf8_prefix(text))));
  }
  if (code == simdjson::UNCLOSED_STRING) {
    return invalid_request(
        fmt::format("invalid JSON: the text ends inside a string, at {}",
                    place(text, text.size())));
  }
  if (code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT) offset = text.size();
  if (!offset) return invalid_request("the body is not valid JSON");
  return invalid_request(fmt::format(
      "the body is not valid JSON: mistake near {}", place(text, *offset)));
}

using Stage = simdjson::internal::dom_parser_implementation;

/// Strings that had escapes, one behind the other. They stay where they are.
class Decoded {
 public:
  void clear() { used_ = 0; }
  /// Room for what is left of a text of that size: decoded strings are never
  /// longer than their source, but simdjson writes more than it says.
  char* room(std::size_t text_size) {
    if (size_ < text_size) {
      size_ = text_size;
      bytes_ = std::make_unique_for_overwrite<char[]>(
          size_ + simdjson::SIMDJSON_PADDING);
    }
    return bytes_.get() + used_;
  }
  std::string_view take(std::size_t size) {
    used_ += size;
    return {bytes_.get() + used_ - size, size};
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

/// One walk over the tokens of a text, in order.
class Walk {
 public:
  /// `stage` knows where each token begins.
  Walk(std::string_view text, const Stage& stage, std::vector<Node>& nodes,
       Decoded& decoded)
      : text_(text),
        stage_(stage),
        at_(stage.structural_indexes.get()),
        end_(at_ + stage.n_structural_indexes),
        nodes_(nodes),
        decoded_(decoded) {}

  /// The whole text as one value.
  simdjson::error_code document() {
    nodes_.emplace_back();
    if (auto error = value(0)) return error;
    return at_ == end_ ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
  }
  /// Where it stands: behind a mistake, at the token that is one.
  std::size_t offset() const { return at_ < end_ ? *at_ : text_.size(); }

 private:
  /// First character of the next token, or 0 at the end.
  char peek() const { return at_ < end_ ? text_[*at_] : '\0'; }

  /// Text of a string or scalar: up to the next token, without the blanks
  /// between them.
  std::string_view token() const {
    std::size_t end = at_ + 1 < end_ ? at_[1] : text_.size();
    while (is_space(text_[end - 1])) --end;
    return text_.substr(*at_, end - *at_);
  }

  /// The value at hand into the last node.
  simdjson::error_code value(int depth) {
    const std::size_t self = nodes_.size() - 1;
    switch (peek()) {
      case '\0':
        return unexpected();
      case '{':
        return container(self, Type::object, '}', depth);
      case '[':
        return container(self, Type::array, ']', depth);
      case '"':
        nodes_[self].type = Type::string;
        nodes_[self].raw = token();
        return string(nodes_[self].text);
      default:
        return scalar(nodes_[self]);
    }
  }

  simdjson::error_code container(std::size_t self, Type type, char close,
                                 int depth) {
    if (depth + 1 >= kMaxDepth) return kTooDeep;
    const std::size_t start = *at_++;
    std::uint32_t count = 0;
    std::size_t previous = 0;
    for (; peek() != close; ++count) {
      if (count > 0) {
        if (auto error = sign(',')) return error;
      }
      const std::size_t index = nodes_.size();
      nodes_.emplace_back();
      if (type == Type::object) {
        if (auto error = key(nodes_[index].key)) return error;
      }
      if (auto error = value(depth + 1)) return error;
      if (previous != 0) {
        nodes_[previous].next = static_cast<std::uint32_t>(index);
      }
      previous = index;
    }
    Node& node = nodes_[self];
    node.type = type;
    node.count = count;
    node.raw = text_.substr(start, *at_++ - start + 1);
    return simdjson::SUCCESS;
  }

  simdjson::error_code key(std::string_view& out) {
    if (peek() != '"') return unexpected();
    if (auto error = string(out)) return error;
    return sign(':');
  }

  simdjson::error_code sign(char expected) {
    if (peek() != expected) return unexpected();
    ++at_;
    return simdjson::SUCCESS;
  }

  simdjson::error_code unexpected() const {
    return at_ < end_ ? simdjson::TAPE_ERROR
                      : simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
  }

  /// The decoded text of a string: a view of the source where nothing had to
  /// be decoded.
  simdjson::error_code string(std::string_view& out) {
    std::string_view inside = token();
    if (inside.size() < 2 || inside.back() != '"') return simdjson::TAPE_ERROR;
    inside = inside.substr(1, inside.size() - 2);
    out = inside;
    if (inside.find('\\') != std::string_view::npos && !decode(inside, out)) {
      return simdjson::STRING_ERROR;
    }
    ++at_;
    return simdjson::SUCCESS;
  }

  /// simdjson decodes many bytes at a time and reads behind the string's end.
  /// It refuses lone surrogates.
  bool decode(std::string_view inside, std::string_view& out) {
    char* const to = decoded_.room(text_.size());
    const auto left =
        static_cast<std::size_t>(text_.data() + text_.size() - inside.data());
    if (left >= inside.size() + simdjson::SIMDJSON_PADDING) {
      const auto* end = stage_.parse_string(
          reinterpret_cast<const std::uint8_t*>(inside.data()),
          reinterpret_cast<std::uint8_t*>(to));
      if (end != nullptr) {
        out = decoded_.take(
            static_cast<std::size_t>(reinterpret_cast<const char*>(end) - to));
        return true;
      }
    }
    std::string text;
    if (!unescape(inside, text)) return false;
    std::copy(text.begin(), text.end(), to);
    out = decoded_.take(text.size());
    return true;
  }

  simdjson::error_code scalar(Node& node) {
    node.raw = token();
    if (node.raw == "true" || node.raw == "false") {
      node.type = Type::boolean;
    } else if (node.raw == "null") {
      node.type = Type::null;
    } else if (is_number_text(node.raw)) {
      node.type = Type::number;
    } else {
      return simdjson::TAPE_ERROR;
    }
    ++at_;
    return simdjson::SUCCESS;
  }

  const std::string_view text_;
  const Stage& stage_;
  const std::uint32_t* at_;
  const std::uint32_t* const end_;
  std::vector<Node>& nodes_;
  Decoded& decoded_;
};

}  // namespace

struct Document::State {
  std::string text;
  std::vector<Node> nodes;
  Decoded decoded;
  std::unique_ptr<Stage> stage;

  simdjson::error_code find_tokens();
  Result<Value> index();
};

/// Its first stage reads no byte behind the text, so none need be added.
simdjson::error_code Document::State::find_tokens() {
  if (stage == nullptr) {
    constexpr std::size_t kUnusedDepth = 1;
    if (auto error = simdjson::get_active_implementation()
                         ->create_dom_parser_implementation(
                             text.size(), kUnusedDepth, stage)) {
      return error;
    }
  } else if (stage->capacity() < text.size()) {
    if (auto error = stage->set_capacity(text.size())) return error;
  }
  return stage->stage1(reinterpret_cast<const std::uint8_t*>(text.data()),
                       text.size(), simdjson::stage1_mode::regular);
}

Result<Value> Document::State::index() {
  nodes.clear();
  decoded.clear();
  if (auto error = find_tokens()) {
    return syntax_error(text, error, std::nullopt);
  }
  // A value is two tokens at least, itself and a comma or a bracket.
  nodes.reserve(stage->n_structural_indexes / 2 + 1);
  Walk walk(text, *stage, nodes, decoded);
  if (auto error = walk.document()) {
    return syntax_error(text, error, walk.offset());
  }
  return Value(&nodes, 0);
}

Document::Document() : state_(std::make_unique<State>()) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Result<Value> Document::parse(std::string_view text) {
  State& state = *state_;
  state.text.assign(text);
  return state.index();
}

Result<Value> Document::parse_owned(std::string text) {
  State& state = *state_;
  state.text = std::move(text);
  return state.index();
}

std::string_view Document::text() const { return state_->text; }

}  // namespace llmproxy::json
