// cpp-httplib 0.11.4 could read bodies too, but does not fit here: chunked
// ones grow without limit, `-1` passes as a chunk size, compressed ones are
// inflated without limit, multipart ones are taken apart, and what `curl -d`
// sends (x-www-form-urlencoded) is refused above 8 KiB.
#include "server/body_reader.h"

#include <algorithm>
#include <charconv>

#include "llmproxy/waiting.h"

namespace llmproxy {
namespace {

// A chunk's size line may carry extensions, which are ignored.
constexpr std::size_t kLongestLine = 1024;
constexpr int kMostTrailers = 64;
constexpr std::size_t kPiece = std::size_t{64} << 10;
// Small chunks are more framing than body. What all of it may come to, beside
// as much again as a body may have.
constexpr std::size_t kFraming = std::size_t{64} << 10;
// Moving more than this to a larger place takes long enough to be done apart.
constexpr std::size_t kLargeMove = std::size_t{1} << 20;
constexpr std::size_t kGrowth = 4;

/// Makes room for `wanted` bytes. Memory that was asked for and not yet
/// written to costs nothing; what is moved does, so it is moved seldom, and at
/// most once where it is known how much will come.
void make_room(std::string& body, std::size_t wanted, std::uint64_t promised) {
  if (body.capacity() >= wanted) return;
  std::size_t room = std::max(wanted, body.capacity() * kGrowth);
  if (promised > 0 && (body.size() >= kLargeMove || room > promised))
    room = promised;
  if (body.size() < kLargeMove) return body.reserve(room);
  run_apart([&] { body.reserve(room); });
}

BodyState body_state(Input input) {
  switch (input) {
    case Input::ok:
      return BodyState::complete;
    case Input::closed:
      return BodyState::closed;
    case Input::timeout:
      return BodyState::timeout;
  }
  return BodyState::closed;
}

bool chunk_size(const std::string& line, std::uint64_t& size) {
  if (std::any_of(line.begin(), line.end(), is_control)) return false;
  const char* end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data(), end, size, 16);
  if (parsed.ec != std::errc()) return false;
  const auto rest = std::string_view(parsed.ptr, end);
  const std::size_t next = rest.find_first_not_of(" \t");
  return next == std::string_view::npos || rest[next] == ';';
}

}  // namespace

char* BodyText::room(std::size_t size, std::uint64_t promised) {
  const std::size_t before = body_.size();
  make_room(body_, before + size, promised);
  body_.resize(before + size);
  return body_.data() + before;
}

BodyState BodyText::came(std::size_t size, std::size_t got) {
  body_.resize(body_.size() - size + got);
  return lease_.grow(got) ? BodyState::complete : BodyState::no_room;
}

BodyState BodyReader::read(const BodyFraming& framing, BodyPlace& body) {
  if (framing.chunked) return read_chunks(body);
  if (framing.length > limits_.bytes) return BodyState::too_large;
  promised_ = framing.length;
  return append(framing.length, body);
}

BodyState BodyReader::read_chunks(BodyPlace& body) {
  std::string text;
  for (;;) {
    BodyState state = line(text);
    if (state != BodyState::complete) return state;
    std::uint64_t size = 0;
    if (!chunk_size(text, size)) return BodyState::malformed;
    if (size == 0) return skip_trailers();
    if (size > limits_.bytes - size_) return BodyState::too_large;
    state = append(size, body);
    if (state != BodyState::complete) return state;
    state = line(text);
    if (state != BodyState::complete) return state;
    if (!text.empty()) return BodyState::malformed;
  }
}

BodyState BodyReader::append(std::uint64_t bytes, BodyPlace& body) {
  while (bytes > 0) {
    // The length is a claim; memory grows with what really comes.
    const auto piece =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kPiece));
    std::size_t got = 0;
    const Input input =
        input_.read(body.room(piece, promised_), piece, deadline_, got);
    BodyState state = body.came(piece, got);
    if (input != Input::ok) return body_state(input);
    if (state == BodyState::complete) state = count(got);
    if (state != BodyState::complete) return state;
    size_ += got;
    bytes -= got;
  }
  return BodyState::complete;
}

BodyState BodyReader::line(std::string& out) {
  for (;;) {
    const std::string_view waiting = input_.unread();
    const std::size_t end = waiting.find('\n');
    if (end != std::string_view::npos) {
      if (end == 0 || waiting[end - 1] != '\r' || end > kLongestLine)
        return BodyState::malformed;
      out.assign(waiting.substr(0, end - 1));
      input_.consume(end + 1);
      return count(end + 1);
    }
    if (waiting.size() > kLongestLine) return BodyState::malformed;
    const Input input = input_.more(deadline_);
    if (input != Input::ok) return body_state(input);
  }
}

BodyState BodyReader::skip_trailers() {
  std::string text;
  for (int trailers = 0; trailers <= kMostTrailers; ++trailers) {
    const BodyState state = line(text);
    if (state != BodyState::complete || text.empty()) return state;
    if (!is_header_line(text)) return BodyState::malformed;
  }
  return BodyState::malformed;
}

BodyState BodyReader::count(std::size_t bytes) {
  received_ += bytes;
  if (received_ > 2 * std::uint64_t{limits_.bytes} + kFraming)
    return BodyState::too_large;
  const std::chrono::microseconds earned(
      bytes * 1'000'000 / std::max<std::size_t>(limits_.rate, 1));
  deadline_ = std::min(deadline_ + earned, Clock::now() + limits_.silence);
  return BodyState::complete;
}

}  // namespace llmproxy
