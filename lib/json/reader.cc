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
#include "json/value_count.h"

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
                   std::optional<std::size_t> offset,
                   const ParseLimits& limits) {
  if (code == simdjson::EMPTY) return invalid_request("the body is empty");
  if (code == kTooDeep) {
    return invalid_request(fmt::format(
        "the JSON is nested {} levels deep or more", limits.max_depth));
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

/// Errors of our own that simdjson's parsers would not give here.
constexpr auto kTooManyValues = simdjson::OUT_OF_BOUNDS;

Error size_error(simdjson::error_code code, const ParseLimits& limits) {
  Error error;
  error.kind = ErrorKind::request_too_large;
  error.fault = Fault::client;
  error.message =
      code == kTooManyValues
          ? fmt::format("the JSON has more than {} values", limits.max_values)
          : "the JSON is too large to be read";
  return error;
}

using Stage = simdjson::internal::dom_parser_implementation;

/// Strings that had escapes, one behind the other. They stay where they are.
class Decoded {
 public:
  void clear() { used_ = 0; }
  const char* data() const { return bytes_.get(); }
  std::size_t capacity() const { return size_; }
  /// Room for what is left of a text of that size: decoded strings are never
  /// longer than their source, but simdjson writes more than it says. What is
  /// not written takes no memory.
  char* room(std::size_t text_size) {
    if (size_ < text_size) {
      size_ = text_size;
      bytes_ = std::make_unique_for_overwrite<char[]>(
          size_ + simdjson::SIMDJSON_PADDING);
    }
    return bytes_.get() + used_;
  }
  /// Where the next `size` bytes of it begin, which are kept.
  std::uint32_t take(std::size_t size) {
    used_ += size;
    return static_cast<std::uint32_t>(used_ - size);
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
  Walk(std::string_view text, std::size_t max_depth, const Stage& stage,
       std::vector<Node>& nodes, Decoded& decoded)
      : text_(text),
        max_depth_(max_depth),
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

  /// Bytes of a string or scalar: up to the next token, without the blanks
  /// between them.
  std::uint32_t token_size() const {
    std::size_t end = at_ + 1 < end_ ? at_[1] : text_.size();
    while (is_space(text_[end - 1])) --end;
    return static_cast<std::uint32_t>(end - *at_);
  }

  /// The value at hand into the last node.
  simdjson::error_code value(std::size_t depth) {
    const std::size_t self = nodes_.size() - 1;
    switch (peek()) {
      case '\0':
        return unexpected();
      case '{':
        return container(self, Type::object, '}', depth);
      case '[':
        return container(self, Type::array, ']', depth);
      case '"':
        return string(nodes_[self]);
      default:
        return scalar(nodes_[self]);
    }
  }

  simdjson::error_code container(std::size_t self, Type type, char close,
                                 std::size_t depth) {
    if (depth + 1 >= max_depth_) return kTooDeep;
    const std::uint32_t start = *at_++;
    std::uint32_t count = 0;
    std::size_t previous = 0;
    for (; peek() != close; ++count) {
      if (count > 0) {
        if (auto error = sign(',')) return error;
      }
      const std::size_t index = nodes_.size();
      nodes_.emplace_back();
      if (type == Type::object) {
        if (auto error = key(nodes_[index])) return error;
      }
      if (auto error = value(depth + 1)) return error;
      if (previous != 0) {
        nodes_[previous].next = static_cast<std::uint32_t>(index);
      }
      previous = index;
    }
    Node& node = nodes_[self];
    node.type = type;
    node.size = count;
    node.raw = start;
    node.raw_size = *at_++ - start + 1;
    return simdjson::SUCCESS;
  }

  simdjson::error_code key(Node& node) {
    if (peek() != '"') return unexpected();
    const Place place = decoded(token_size());
    if (place.error) return place.error;
    node.key = place.begin;
    node.key_size = place.size;
    node.key_decoded = place.decoded;
    ++at_;
    return sign(':');
  }

  simdjson::error_code string(Node& node) {
    node.type = Type::string;
    node.raw = *at_;
    node.raw_size = token_size();
    const Place place = decoded(node.raw_size);
    if (place.error) return place.error;
    node.text = place.begin;
    node.size = place.size;
    node.text_decoded = place.decoded;
    ++at_;
    return simdjson::SUCCESS;
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

  /// Where the decoded text of a string is.
  struct Place {
    simdjson::error_code error = simdjson::SUCCESS;
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
    bool decoded = false;
  };

  /// The string at hand, quotes included in its size: in the source where
  /// nothing had to be decoded.
  Place decoded(std::uint32_t token) {
    const std::uint32_t begin = *at_ + 1;
    if (token < 2 || text_[*at_ + token - 1] != '"') {
      return {simdjson::TAPE_ERROR};
    }
    const std::string_view inside = text_.substr(begin, token - 2);
    if (inside.find('\\') == std::string_view::npos) {
      return {simdjson::SUCCESS, begin, token - 2};
    }
    return decode(inside);
  }

  /// simdjson decodes many bytes at a time and reads behind the string's end.
  /// It refuses lone surrogates.
  Place decode(std::string_view inside) {
    char* const to = decoded_.room(text_.size());
    const auto left =
        static_cast<std::size_t>(text_.data() + text_.size() - inside.data());
    if (left >= inside.size() + simdjson::SIMDJSON_PADDING) {
      const auto* end = stage_.parse_string(
          reinterpret_cast<const std::uint8_t*>(inside.data()),
          reinterpret_cast<std::uint8_t*>(to));
      if (end != nullptr) {
        return kept(reinterpret_cast<const char*>(end) - to);
      }
    }
    std::string text;
    if (!unescape(inside, text)) return {simdjson::STRING_ERROR};
    std::copy(text.begin(), text.end(), to);
    return kept(static_cast<std::ptrdiff_t>(text.size()));
  }

  Place kept(std::ptrdiff_t size) {
    const auto bytes = static_cast<std::uint32_t>(size);
    return {simdjson::SUCCESS, decoded_.take(bytes), bytes, true};
  }

  simdjson::error_code scalar(Node& node) {
    node.raw = *at_;
    node.raw_size = token_size();
    const std::string_view raw = text_.substr(node.raw, node.raw_size);
    if (raw == "true" || raw == "false") {
      node.type = Type::boolean;
    } else if (raw == "null") {
      node.type = Type::null;
    } else if (is_number_text(raw)) {
      node.type = Type::number;
    } else {
      return simdjson::TAPE_ERROR;
    }
    ++at_;
    return simdjson::SUCCESS;
  }

  const std::string_view text_;
  const std::size_t max_depth_;
  const Stage& stage_;
  const std::uint32_t* at_;
  const std::uint32_t* const end_;
  std::vector<Node>& nodes_;
  Decoded& decoded_;
};

/// Larger memory is not kept for the next text. Bytes.
constexpr std::size_t kKept = std::size_t{64} << 10;

}  // namespace

struct Document::State {
  std::string owned;
  std::string_view text;
  Index index;
  Decoded decoded;
  std::unique_ptr<Stage> stage;

  void forget();
  Result<Value> read(std::string_view source, const ParseLimits& limits);
  simdjson::error_code find_tokens();
  simdjson::error_code walk(std::size_t max_depth, std::size_t& offset);
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

simdjson::error_code Document::State::walk(std::size_t max_depth,
                                           std::size_t& offset) {
  // A value is two tokens at least, itself and a comma or a bracket.
  index.nodes.reserve(stage->n_structural_indexes / 2 + 1);
  Walk walk(text, max_depth, *stage, index.nodes, decoded);
  const auto error = walk.document();
  offset = walk.offset();
  index.source = text.data();
  index.decoded = decoded.data();
  return error;
}

void Document::State::forget() {
  text = {};
  index.nodes.clear();
  decoded.clear();
  if (index.nodes.capacity() * sizeof(Node) > kKept) {
    std::vector<Node>().swap(index.nodes);
  }
  if (decoded.capacity() > kKept) decoded = Decoded();
  if (owned.capacity() > kKept) std::string().swap(owned);
}

Result<Value> Document::State::read(std::string_view source,
                                    const ParseLimits& limits) {
  text = source;
  // Finding tokens takes four bytes for each: of a very large text the values
  // are counted before, of others only where there are tokens enough.
  constexpr std::size_t kVeryLarge = std::size_t{16} << 20;
  if (text.size() > kVeryLarge && has_more_values(text, limits.max_values)) {
    return size_error(kTooManyValues, limits);
  }
  std::optional<std::size_t> offset;
  auto error = find_tokens();
  if (!error && stage->n_structural_indexes > limits.max_values &&
      has_more_values(text, limits.max_values)) {
    error = kTooManyValues;
  }
  if (!error) error = walk(limits.max_depth, offset.emplace());
  // Nothing but reading needs it.
  if (stage != nullptr && stage->capacity() > kKept) stage.reset();
  if (error == simdjson::CAPACITY || error == kTooManyValues) {
    return size_error(error, limits);
  }
  if (error) return syntax_error(text, error, offset, limits);
  return Value(&index, 0);
}

Document::Document() : state_(std::make_unique<State>()) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Result<Value> Document::parse(std::string_view text,
                              const ParseLimits& limits) {
  state_->forget();
  state_->owned.assign(text);
  return state_->read(state_->owned, limits);
}

Result<Value> Document::parse_owned(std::string text,
                                    const ParseLimits& limits) {
  state_->forget();
  state_->owned = std::move(text);
  return state_->read(state_->owned, limits);
}

Result<Value> Document::parse_view(std::string_view text,
                                   const ParseLimits& limits) {
  state_->forget();
  return state_->read(text, limits);
}

std::string_view Document::text() const { return state_->text; }

std::string Document::take_text() {
  const bool borrowed = state_->text.data() != state_->owned.data();
  std::string text =
      borrowed ? std::string(state_->text) : std::move(state_->owned);
  state_->forget();
  return text;
}

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace llmproxy::json
