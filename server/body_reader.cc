// cpp-httplib 0.11.4 could read bodies too, but does not fit here: chunked
// ones grow without limit, `-1` passes as a chunk size, compressed ones are
// inflated without limit, multipart ones are taken apart, and what `curl -d`
// sends (x-www-form-urlencoded) is refused above 8 KiB.
#include "server/body_reader.h"

#include <algorithm>
#include <charconv>

namespace llmproxy {
namespace {

// A chunk's size line may carry extensions, which are ignored.
constexpr std::size_t kLongestLine = 1024;
constexpr int kMostTrailers = 64;
constexpr std::size_t kPiece = std::size_t{64} << 10;

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
  const char* end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data(), end, size, 16);
  if (parsed.ec != std::errc()) return false;
  const auto rest = std::string_view(parsed.ptr, end);
  const std::size_t next = rest.find_first_not_of(" \t");
  return next == std::string_view::npos || rest[next] == ';';
}

}  // namespace

BodyState BodyReader::read(const BodyFraming& framing, std::string& body) {
  if (framing.chunked) return read_chunks(body);
  if (framing.length > limits_.bytes) return BodyState::too_large;
  return append(framing.length, body);
}

BodyState BodyReader::read_chunks(std::string& body) {
  std::string text;
  for (;;) {
    BodyState state = line(text);
    if (state != BodyState::complete) return state;
    std::uint64_t size = 0;
    if (!chunk_size(text, size)) return BodyState::malformed;
    if (size == 0) return skip_trailers();
    if (size > limits_.bytes - body.size()) return BodyState::too_large;
    state = append(size, body);
    if (state != BodyState::complete) return state;
    state = line(text);
    if (state != BodyState::complete) return state;
    if (!text.empty()) return BodyState::malformed;
  }
}

BodyState BodyReader::append(std::uint64_t bytes, std::string& body) {
  while (bytes > 0) {
    const std::size_t before = body.size();
    // The length is a claim; memory grows with what really comes.
    const auto piece = std::min<std::uint64_t>(bytes, kPiece);
    body.resize(before + piece);
    std::size_t got = 0;
    const Input input =
        input_.read(body.data() + before, piece, deadline(), got);
    body.resize(before + got);
    if (input != Input::ok) return body_state(input);
    bytes -= got;
    received_ += got;
  }
  return BodyState::complete;
}

BodyState BodyReader::line(std::string& out) {
  for (;;) {
    const std::string_view waiting = input_.unread();
    const std::size_t end = waiting.find('\n');
    if (end != std::string_view::npos) {
      if (end == 0 || waiting[end - 1] != '\r') return BodyState::malformed;
      out.assign(waiting.substr(0, end - 1));
      input_.consume(end + 1);
      received_ += end + 1;
      return BodyState::complete;
    }
    if (waiting.size() > kLongestLine) return BodyState::malformed;
    const Input input = input_.more(deadline());
    if (input != Input::ok) return body_state(input);
  }
}

BodyState BodyReader::skip_trailers() {
  std::string text;
  for (int trailers = 0; trailers <= kMostTrailers; ++trailers) {
    const BodyState state = line(text);
    if (state != BodyState::complete || text.empty()) return state;
  }
  return BodyState::malformed;
}

Clock::time_point BodyReader::deadline() const {
  const auto earned = std::chrono::milliseconds(
      received_ * 1000 / std::max<std::size_t>(limits_.rate, 1));
  return std::min(Clock::now(), begun_ + earned) + limits_.silence;
}

}  // namespace llmproxy
