// Reading JSON: one parse into a flat index of nodes, then plain look-ups.
//
// Why an index of our own over simdjson's on-demand parser: the on-demand API
// must be walked in document order and its views die with the next document,
// and the DOM forgets the source text. Here a Document owns its text and each
// Value knows its exact source text (raw()), so that what is not understood
// can be passed on byte for byte, and members may be asked for in any order.
//
// A Document may be parsed into again and again and keeps its memory, unless
// that grew large; Values and views of the previous text die then. Not
// thread-safe.
//
//   json::Document document;
//   LLMPROXY_ASSIGN(json::Value root, document.parse(text));
//   std::string_view model = root["model"].string();
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/internal_api.h"
#include "llmproxy/chat.h"
#include "llmproxy/parse_limits.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy::json {

/// Of what models and programs say: answers, arguments in text, RawJson.
inline constexpr ParseLimits kPieceLimits = {.max_depth = 64};

enum class Type : std::uint8_t {
  missing,  ///< no such member
  null,
  boolean,
  number,
  string,
  array,
  object,
};
std::string_view to_string(Type type);

/// One value in document order, of 32 bytes: what it points to is told as an
/// offset, since a request may have as many values as its bytes allow.
struct Node {
  std::uint32_t raw = 0;  ///< where the exact source text begins
  std::uint32_t raw_size = 0;
  /// Decoded key, for members of an object.
  std::uint32_t key = 0;
  std::uint32_t key_size = 0;
  /// Decoded text of a string.
  std::uint32_t text = 0;
  /// Bytes of that text; number of children of an array or object.
  std::uint32_t size = 0;
  std::uint32_t next = 0;  ///< index of the next sibling, 0 = none
  Type type = Type::missing;
  /// Strings that had escapes are in the buffer of decoded ones, all others
  /// in the source text.
  bool key_decoded = false;
  bool text_decoded = false;
};

/// The nodes of a text, and what their offsets count from.
struct Index {
  std::vector<Node> nodes;
  const char* source = nullptr;
  const char* decoded = nullptr;

  std::string_view raw(const Node& node) const {
    return {source + node.raw, node.raw_size};
  }
  std::string_view text(const Node& node) const {
    return {(node.text_decoded ? decoded : source) + node.text, node.size};
  }
  std::string_view key(const Node& node) const {
    return {(node.key_decoded ? decoded : source) + node.key, node.key_size};
  }
};

/// The only maker of RawJson that checks nothing: for text that the reader has
/// just read, that a Writer has just written, or that is a constant.
struct Trusted {
  static RawJson json(std::string text) { return RawJson(std::move(text)); }
};

class Value;

/// Children of an array or members of an object, for range-for.
class Range {
 public:
  class Iterator {
   public:
    Iterator(const Index* index, std::uint32_t at) : index_(index), at_(at) {}
    inline Value operator*() const;
    Iterator& operator++() {
      at_ = index_->nodes[at_].next;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const Index* index_;
    std::uint32_t at_;
  };
  Range(const Index* index, std::uint32_t first)
      : index_(index), first_(first) {}
  Iterator begin() const { return {index_, first_}; }
  Iterator end() const { return {index_, 0}; }

 private:
  const Index* index_;
  std::uint32_t first_;
};

/// One value of a document; cheap to copy. A missing value answers every
/// question with "no".
class Value {
 public:
  Value() = default;
  Value(const Index* index, std::uint32_t at) : index_(index), at_(at) {}

  Type type() const { return index_ ? node().type : Type::missing; }
  explicit operator bool() const { return index_ != nullptr; }
  bool is_null() const { return type() == Type::null; }
  /// Missing or null: optional fields treat both the same.
  bool absent() const { return type() <= Type::null; }
  bool is_string() const { return type() == Type::string; }
  bool is_object() const { return type() == Type::object; }
  bool is_array() const { return type() == Type::array; }
  bool is_number() const { return type() == Type::number; }

  /// Decoded text, or empty when this is not a string.
  std::string_view string() const {
    return is_string() ? index_->text(node()) : std::string_view();
  }
  /// Exact source text.
  std::string_view raw() const {
    return index_ ? index_->raw(node()) : std::string_view();
  }
  RawJson raw_json() const { return Trusted::json(std::string(raw())); }
  std::string_view key() const {
    return index_ ? index_->key(node()) : std::string_view();
  }
  std::optional<bool> boolean() const;
  bool is_true() const { return type() == Type::boolean && raw() == "true"; }
  /// Integers written as such, or as 3.0 or 3e2; nullopt when not integral
  /// or out of range.
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;

  /// Number of elements or members.
  std::size_t size() const { return type() >= Type::array ? node().size : 0; }
  /// Elements of an array, members of an object, else nothing.
  Range children() const { return {index_, size() > 0 ? at_ + 1 : 0}; }
  /// The first of them, or a missing value.
  Value first() const { return size() > 0 ? Value(index_, at_ + 1) : Value(); }
  /// The member of that name, or a missing value. Of duplicates the last
  /// counts, as in most parsers.
  Value operator[](std::string_view name) const;

 private:
  const Node& node() const { return index_->nodes[at_]; }

  const Index* index_ = nullptr;
  std::uint32_t at_ = 0;
};

inline Value Range::Iterator::operator*() const { return {index_, at_}; }

class Document {
 public:
  Document();
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;

  /// Errors: invalid_request with byte offset, line and column of the
  /// mistake; invalid UTF-8; trailing text; more nesting than `limits` allow;
  /// request_too_large for more values than they allow.
  Result<Value> parse(std::string_view text, const ParseLimits& limits = {});
  /// Takes the text over instead of copying it.
  Result<Value> parse_owned(std::string text, const ParseLimits& limits = {});
  /// Borrows the text, which must outlive the Values.
  Result<Value> parse_view(std::string_view text,
                           const ParseLimits& limits = {});
  /// The text last parsed.
  std::string_view text() const;
  /// Gives the text up, and all Values with it; one that was borrowed is
  /// copied.
  std::string take_text();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// True when `text` is one complete JSON value (an object, if asked) of no
/// more values than ParseLimits allow by default.
bool is_json(std::string_view text);
bool is_json_object(std::string_view text);

/// "/a/b" + "c~d" -> "/a/b/c~0d" (RFC 6901).
std::string pointer(std::string_view base, std::string_view name);
std::string pointer(std::string_view base, std::size_t index);

}  // namespace llmproxy::json
LLMPROXY_INTERNAL_END
