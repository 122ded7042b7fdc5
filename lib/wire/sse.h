// Server-sent events: bytes in any pieces in, whole events out.
//
// After the WHATWG algorithm: LF, CRLF and lone CR end lines, one BOM at the
// very start is skipped, comments and unknown fields are ignored, several
// `data` lines join with LF. Linear in the bytes fed, however small the
// pieces: the search position is remembered. Buffered bytes are bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "wire/framer.h"

namespace llmproxy::wire {

class SseDecoder final : public Framer {
 public:
  void feed(std::string_view bytes) override;
  /// The next complete event that has data. A lone comment or blank line
  /// gives none.
  bool next(Frame& frame) override;
  /// Some servers leave out the blank line at the end.
  bool last(Frame& frame) override;
  std::string_view fault() const override;
  std::size_t consumed() const override { return consumed_; }

 private:
  bool take_line(std::string_view& line);
  bool dispatch(Frame& frame);
  void field(std::string_view line);

  std::string buffer_;
  std::size_t start_ = 0;    // first byte not yet taken as a line
  std::size_t scanned_ = 0;  // no line end before this
  std::size_t consumed_ = 0;
  std::size_t total_ = 0;  // bytes dropped from the front of buffer_
  std::string name_;
  std::string data_;
  std::string out_name_;
  std::string out_data_;
  bool has_data_ = false;
  bool at_start_ = true;
  bool skip_lf_ = false;  // the last line ended in CR: an LF belongs to it
  bool finished_ = false;
  bool overflowed_ = false;
};

/// Appends what stands before an event's data, for those who write that
/// themselves and end it with kEventEnd.
void begin_event(std::string& out, std::string_view name);
inline constexpr std::string_view kEventEnd = "\n\n";
/// Appends "event: name\n" (when there is a name) and "data: ...\n\n".
/// `data` must hold no line end.
void append_event(std::string& out, std::string_view name,
                  std::string_view data);
/// Appends a comment, which every client ignores.
void append_comment(std::string& out, std::string_view text);

}  // namespace llmproxy::wire
