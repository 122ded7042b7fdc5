#include "wire/json_array.h"

#include <algorithm>

#include "wire/sse.h"

namespace llmproxy::wire {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kBetween = " \t\r\n,[]";

}  // namespace

void JsonArrayFramer::feed(std::string_view bytes) {
  // At least half of the buffer goes each time: linear in all.
  if (start_ > buffer_.size() / 2) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    dropped_ += start_;
    start_ = 0;
  }
  buffer_.append(bytes);
  if (buffer_.size() - start_ > kMaxEvent) {
    fault_ = "an element of the upstream's array is too large";
  }
}

/// True when an element begins at start_.
bool JsonArrayFramer::skip_between() {
  start_ =
      std::min(buffer_.find_first_not_of(kBetween, start_), buffer_.size());
  scanned_ = start_;
  if (start_ == buffer_.size()) return false;
  if (buffer_[start_] == '{') return true;
  fault_ = "the upstream's array holds something that is no object";
  return false;
}

bool JsonArrayFramer::next(Frame& frame) {
  if (!fault_.empty()) return false;
  if (depth_ == 0 && !skip_between()) return false;
  for (; scanned_ < buffer_.size(); ++scanned_) {
    const char c = buffer_[scanned_];
    if (escaped_) {
      escaped_ = false;
    } else if (in_string_) {
      escaped_ = c == '\\';
      in_string_ = c != '"';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      ++scanned_;
      frame.name = {};
      frame.data = std::string_view(buffer_).substr(start_, scanned_ - start_);
      start_ = scanned_;
      frame.begin = consumed_;
      consumed_ = dropped_ + start_;
      return true;
    }
  }
  return false;
}

void SseOrArrayFramer::feed(std::string_view bytes) {
  if (inner_) return inner_->feed(bytes);
  waiting_.append(bytes);
  const std::size_t first = waiting_.find_first_not_of(kBlanks);
  if (first == std::string::npos) return;
  const char c = waiting_[first];
  if (c == '[' || c == '{') {
    inner_ = std::make_unique<JsonArrayFramer>();
  } else {
    inner_ = std::make_unique<SseDecoder>();
  }
  inner_->feed(waiting_);
  waiting_.clear();
}

}  // namespace llmproxy::wire
