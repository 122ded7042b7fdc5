// The time at which an event was sent, written into its text, so that a
// reader behind any number of translations can tell how long it took.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace llmproxy::bench {

/// `t`, 18 digits, `;`: 31 years of nanoseconds, and nothing that JSON escapes.
constexpr std::size_t kMarkDigits = 18;

void append_mark(std::string& out, std::int64_t ns);

/// Finds marks in bytes that come in any pieces.
class MarkScanner {
 public:
  /// Calls `found(ns)` for each mark that ends in `bytes`.
  template <class Found>
  void feed(std::string_view bytes, Found&& found) {
    for (const char c : bytes) {
      if (c == 't') {
        matched_ = 1;
        value_ = 0;
      } else if (matched_ == 0) {
        continue;
      } else if (c >= '0' && c <= '9' && matched_ <= kMarkDigits) {
        value_ = value_ * 10 + (c - '0');
        ++matched_;
      } else {
        if (c == ';' && matched_ == kMarkDigits + 1) found(value_);
        matched_ = 0;
      }
    }
  }

 private:
  std::size_t matched_ = 0;  // characters of a mark seen so far
  std::int64_t value_ = 0;
};

/// Finds one text in bytes that come in any pieces.
class Needle {
 public:
  explicit Needle(std::string_view text) : text_(text) {}
  void feed(std::string_view bytes);
  bool found() const { return found_; }

 private:
  std::string_view text_;
  std::string tail_;  // what a match may have begun in
  bool found_ = false;
};

/// The text inside `"bytes":"..."` of bytes that come in any pieces, decoded:
/// Bedrock hides the events of claude in base64.
class Base64Field {
 public:
  /// Appends what was completed by `bytes` to `out`.
  void feed(std::string_view bytes, std::string& out);

 private:
  std::string pending_;
};

}  // namespace llmproxy::bench
