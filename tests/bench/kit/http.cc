#include "kit/http.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace llmproxy::bench {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::size_t> number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string_view> header_in(std::string_view head,
                                          std::string_view name) {
  for (std::size_t end = head.find("\r\n"); end != std::string_view::npos;) {
    head.remove_prefix(end + 2);
    end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !same(line.substr(0, colon), name))
      continue;
    const std::size_t begin = line.find_first_not_of(' ', colon + 1);
    return begin == std::string_view::npos ? "" : line.substr(begin);
  }
  return std::nullopt;
}

void RequestReader::feed(std::string_view bytes) {
  buffer_.erase(0, std::exchange(start_, 0));
  buffer_ += bytes;
}

bool RequestReader::read_head() {
  const std::size_t end = buffer_.find(kHeadEnd, start_);
  if (end == std::string::npos) return false;
  head_ = end + kHeadEnd.size() - start_;
  const std::string_view head = std::string_view(buffer_).substr(start_, head_);
  body_ =
      number(header_in(head, "content-length").value_or("0"), 10).value_or(0);
  return true;
}

std::optional<Request> RequestReader::next() {
  if (head_ == 0 && !read_head()) return std::nullopt;
  const std::string_view rest = std::string_view(buffer_).substr(start_);
  if (rest.size() < head_ + body_) return std::nullopt;
  const std::size_t path = rest.find(' ') + 1;
  const Request out{rest.substr(path, rest.find(' ', path) - path),
                    rest.substr(head_, body_)};
  start_ += std::exchange(head_, 0) + body_;
  return out;
}

void ResponseReader::close() {
  if (state_ == State::done) return;
  state_ = state_ == State::until_close ? State::done : State::broken;
}

void ResponseReader::read_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::size_t size =
      end == std::string_view::npos ? bytes.size() : end + 1;
  line_ += bytes.substr(0, size);
  bytes.remove_prefix(size);
  if (end == std::string_view::npos) return;
  if (state_ == State::head) {
    if (line_.ends_with(kHeadEnd)) end_head();
    return;
  }
  if (state_ == State::size)
    begin_chunk();
  else if (state_ == State::data_end)
    state_ = State::size;
  else if (line_ == "\r\n")
    state_ = State::done;  // of the trailer
  line_.clear();
}

void ResponseReader::end_head() {
  const std::string_view head = line_;
  const std::size_t space = std::min(head.find(' '), head.size() - 1);
  status_ = static_cast<int>(number(head.substr(space + 1), 10).value_or(0));
  keeps_alive_ = !same(header_in(head, "connection").value_or(""), "close");
  chunked_ = same(header_in(head, "transfer-encoding").value_or(""), "chunked");
  const auto length = header_in(head, "content-length");
  left_ = number(length.value_or("0"), 10).value_or(0);
  if (chunked_) {
    state_ = State::size;
  } else if (length) {
    state_ = left_ == 0 ? State::done : State::data;
  } else {
    state_ = State::until_close;
    keeps_alive_ = false;
  }
  line_.clear();
}

void ResponseReader::begin_chunk() {
  const auto size = number(line_, 16);
  left_ = size.value_or(0);
  state_ = !size ? State::broken : *size == 0 ? State::trailer : State::data;
}

std::string_view ResponseReader::take(std::string_view& bytes) {
  if (state_ == State::until_close) return std::exchange(bytes, {});
  const std::string_view taken = bytes.substr(0, left_);
  bytes.remove_prefix(taken.size());
  left_ -= taken.size();
  if (left_ == 0) state_ = chunked_ ? State::data_end : State::done;
  return taken;
}

}  // namespace llmproxy::bench
