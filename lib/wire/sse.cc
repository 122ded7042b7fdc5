#include "wire/sse.h"

namespace llmproxy::wire {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

/// The first LF or CR. Two searches for one character each are many times
/// faster than one for either; block by block, so that lines that all end in
/// CR are not searched for an LF to the very end.
std::size_t end_of_line(std::string_view text, std::size_t from) {
  constexpr std::size_t kBlock = 512;
  for (; from < text.size(); from += kBlock) {
    const std::string_view block = text.substr(from, kBlock);
    const std::size_t lf = block.find('\n');
    const std::size_t cr = block.substr(0, lf).find('\r');
    const std::size_t end = cr != std::string_view::npos ? cr : lf;
    if (end != std::string_view::npos) return from + end;
  }
  return std::string_view::npos;
}

}  // namespace

void SseDecoder::feed(std::string_view bytes) {
  // Drop what was taken before growing; amortised linear because at least
  // half of the buffer goes each time.
  if (start_ > 0 && (start_ == buffer_.size() || start_ > buffer_.size() / 2)) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    total_ += start_;
    start_ = 0;
  }
  buffer_.append(bytes);
  if (buffer_.size() - start_ + data_.size() > kMaxEvent) overflowed_ = true;
}

/// A line without its end, once the end is known. A CR at the very end of
/// the buffer is a line end already; the LF that may follow is skipped later,
/// so that an event is never held back for one more byte.
bool SseDecoder::take_line(std::string_view& line) {
  if (skip_lf_ && start_ < buffer_.size()) {
    if (buffer_[start_] == '\n') ++start_;
    if (scanned_ < start_) scanned_ = start_;
    skip_lf_ = false;
    // The LF belongs to the event that the CR before it ended.
    if (!has_data_ && name_.empty()) consumed_ = total_ + start_;
  }
  if (at_start_) {
    const std::string_view head =
        std::string_view(buffer_).substr(start_, kBom.size());
    if (head.size() < kBom.size() && kBom.substr(0, head.size()) == head &&
        !finished_) {
      return false;
    }
    if (head == kBom) start_ += kBom.size();
    if (scanned_ < start_) scanned_ = start_;
    at_start_ = false;
  }
  const std::size_t end = end_of_line(buffer_, scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return false;
  }
  line = std::string_view(buffer_).substr(start_, end - start_);
  skip_lf_ = buffer_[end] == '\r';
  start_ = end + 1;
  scanned_ = start_;
  return true;
}

void SseDecoder::field(std::string_view line) {
  const auto colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value;
  if (colon != std::string_view::npos) {
    value = line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  }
  if (name == "data") {
    if (has_data_) data_ += '\n';
    data_.append(value);
    has_data_ = true;
  } else if (name == "event") {
    name_.assign(value);
  }
}

bool SseDecoder::dispatch(Frame& frame) {
  frame.begin = consumed_;
  consumed_ = total_ + start_;
  const bool complete = has_data_;
  if (complete) {
    out_name_.swap(name_);
    out_data_.swap(data_);
    frame.name = out_name_;
    frame.data = out_data_;
  }
  name_.clear();
  data_.clear();
  has_data_ = false;
  return complete;
}

bool SseDecoder::next(Frame& frame) {
  std::string_view line;
  while (!overflowed_ && take_line(line)) {
    if (line.empty()) {
      if (dispatch(frame)) return true;
    } else {
      field(line);
    }
  }
  return false;
}

bool SseDecoder::last(Frame& frame) {
  if (finished_) return false;
  finished_ = true;
  if (overflowed_) return false;
  std::string_view line;
  while (take_line(line)) {
    if (!line.empty()) field(line);
  }
  if (start_ < buffer_.size()) {
    field(std::string_view(buffer_).substr(start_));
    start_ = buffer_.size();
  }
  return dispatch(frame);
}

std::string_view SseDecoder::fault() const {
  return overflowed_ ? "an event of the upstream's stream is too large" : "";
}

void begin_event(std::string& out, std::string_view name) {
  if (!name.empty()) {
    out += "event: ";
    out += name;
    out += '\n';
  }
  out += "data: ";
}

void append_event(std::string& out, std::string_view name,
                  std::string_view data) {
  begin_event(out, name);
  out += data;
  out += kEventEnd;
}

void append_comment(std::string& out, std::string_view text) {
  out += ": ";
  out += text;
  out += "\n\n";
}

}  // namespace llmproxy::wire
