// A JSON array that is written element by element, cut into its elements as
// they are complete; and the framing of Gemini, which is that or server-sent
// events, as the first byte tells.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "wire/framer.h"

namespace llmproxy::wire {

/// Objects one after the other; brackets, commas and blanks between them are
/// skipped, so that an object without an array around it is read too.
class JsonArrayFramer final : public Framer {
 public:
  void feed(std::string_view bytes) override;
  bool next(Frame& frame) override;
  bool last(Frame&) override { return false; }
  std::string_view fault() const override { return fault_; }
  std::size_t consumed() const override { return consumed_; }

 private:
  bool skip_between();

  std::string buffer_;
  std::size_t start_ = 0;    // first byte of the element, or before it
  std::size_t scanned_ = 0;  // everything before was looked at
  std::size_t dropped_ = 0;  // bytes gone from the front of buffer_
  std::size_t consumed_ = 0;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  std::string_view fault_;
};

/// Decides at the first byte that is no blank.
class SseOrArrayFramer final : public Framer {
 public:
  void feed(std::string_view bytes) override;
  bool next(Frame& frame) override { return inner_ && inner_->next(frame); }
  bool last(Frame& frame) override { return inner_ && inner_->last(frame); }
  std::string_view fault() const override {
    return inner_ ? inner_->fault() : std::string_view();
  }
  std::size_t consumed() const override {
    return inner_ ? inner_->consumed() : 0;
  }

 private:
  std::unique_ptr<Framer> inner_;
  std::string waiting_;  // blanks before the first byte that counts
};

}  // namespace llmproxy::wire
