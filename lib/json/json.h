// Reading JSON: one parse into a flat index of nodes, then plain look-ups.
//
// Why an index of our own over simdjson's on-demand parser: the on-demand API
// must be walked in document order and its views die with the next document,
// and the DOM forgets the source text. Here a Document owns its text and each
// Value knows its exact source text (raw()), so that what is not understood
// can be passed on byte for byte, and members may be asked for in any order.
//
// A Document may be parsed into again and again and keeps its memory; Values
// and views of the previous text die then. Not thread-safe.
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
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy::json {

/// Documents nested this deep or deeper are refused.
inline constexpr int kMaxDepth = 64;

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

/// One value in document order. Views point into the Document's text or,
/// for strings with escapes, into its string buffer.
struct Node {
  std::string_view raw;     ///< exact source text
  std::string_view text;    ///< decoded text of a string
  std::string_view key;     ///< decoded key, for members of an object
  std::uint32_t next = 0;   ///< index of the next sibling, 0 = none
  std::uint32_t count = 0;  ///< number of children
  Type type = Type::missing;
};

class Value;

/// Children of an array or members of an object, for range-for.
class Range {
 public:
  class Iterator {
   public:
    Iterator(const std::vector<Node>* nodes, std::uint32_t index)
        : nodes_(nodes), index_(index) {}
    inline Value operator*() const;
    Iterator& operator++() {
      index_ = (*nodes_)[index_].next;
      return *this;
    }
    bool operator!=(const Iterator& other) const {
      return index_ != other.index_;
    }

   private:
    const std::vector<Node>* nodes_;
    std::uint32_t index_;
  };
  Range(const std::vector<Node>* nodes, std::uint32_t first)
      : nodes_(nodes), first_(first) {}
  Iterator begin() const { return {nodes_, first_}; }
  Iterator end() const { return {nodes_, 0}; }

 private:
  const std::vector<Node>* nodes_;
  std::uint32_t first_;
};

/// One value of a document; cheap to copy. A missing value answers every
/// question with "no".
class Value {
 public:
  Value() = default;
  Value(const std::vector<Node>* nodes, std::uint32_t index)
      : nodes_(nodes), index_(index) {}

  Type type() const { return nodes_ ? node().type : Type::missing; }
  explicit operator bool() const { return nodes_ != nullptr; }
  bool is_null() const { return type() == Type::null; }
  /// Missing or null: optional fields treat both the same.
  bool absent() const { return type() <= Type::null; }
  bool is_string() const { return type() == Type::string; }
  bool is_object() const { return type() == Type::object; }
  bool is_array() const { return type() == Type::array; }
  bool is_number() const { return type() == Type::number; }

  /// Decoded text, or empty when this is not a string.
  std::string_view string() const {
    return is_string() ? node().text : std::string_view();
  }
  /// Exact source text.
  std::string_view raw() const {
    return nodes_ ? node().raw : std::string_view();
  }
  RawJson raw_json() const { return {std::string(raw())}; }
  std::string_view key() const {
    return nodes_ ? node().key : std::string_view();
  }
  std::optional<bool> boolean() const;
  bool is_true() const { return type() == Type::boolean && raw() == "true"; }
  /// Integers written as such, or as 3.0 or 3e2; nullopt when not integral
  /// or out of range.
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;

  /// Number of elements or members.
  std::size_t size() const { return nodes_ ? node().count : 0; }
  /// Elements of an array, members of an object, else nothing.
  Range children() const {
    return {nodes_, nodes_ && node().count > 0 ? index_ + 1 : 0};
  }
  /// The member of that name, or a missing value. Of duplicates the last
  /// counts, as in most parsers.
  Value operator[](std::string_view name) const;

 private:
  const Node& node() const { return (*nodes_)[index_]; }

  const std::vector<Node>* nodes_ = nullptr;
  std::uint32_t index_ = 0;
};

inline Value Range::Iterator::operator*() const { return {nodes_, index_}; }

class Document {
 public:
  Document();
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;

  /// Errors: invalid_request with byte offset, line and column of the
  /// mistake; invalid UTF-8; nesting of kMaxDepth or more; trailing text.
  Result<Value> parse(std::string_view text);
  /// Takes the text over instead of copying it.
  Result<Value> parse_owned(std::string text);
  /// The text last parsed.
  std::string_view text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// True when `text` is one complete JSON value (an object, if asked).
bool is_json(std::string_view text);
bool is_json_object(std::string_view text);

/// "/a/b" + "c~d" -> "/a/b/c~0d" (RFC 6901).
std::string pointer(std::string_view base, std::string_view name);
std::string pointer(std::string_view base, std::size_t index);

}  // namespace llmproxy::json
LLMPROXY_INTERNAL_END
