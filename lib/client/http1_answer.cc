#include "client/http1_answer.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.h"

namespace llmproxy {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kProtocol = "HTTP/";
// "HTTP/1.1 200"
constexpr std::size_t kStatusLine = 12;
// A size in hexadecimal, and extensions that nobody uses. Bytes.
constexpr std::size_t kLongestChunkLine = 4096;

constexpr int kSwitching = 101;
constexpr int kFirstFinal = 200;
constexpr int kNoContent = 204;
constexpr int kNotModified = 304;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// RFC 9112, section 2.2, and RFC 9110, section 5.5: neither may stand in a
/// line; some take them for its end.
bool has_forbidden(std::string_view text) {
  return text.find('\0') != text.npos || text.find('\r') != text.npos;
}

/// What take_line() gave, without the rest of its end. LF alone ends a line of
/// a head, too (RFC 9112, section 2.2).
std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// "HTTP/1.x nnn" and a blank or the end -> nnn.
std::optional<int> status_of(std::string_view line) {
  constexpr std::string_view kOne = "HTTP/1.";
  if (line.size() < kStatusLine || !line.starts_with(kOne)) return std::nullopt;
  if (!is_digit(line[7]) || line[8] != ' ') return std::nullopt;
  if (line.size() > kStatusLine && line[kStatusLine] != ' ')
    return std::nullopt;
  const std::string_view digits = line.substr(9, 3);
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  int status = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), status);
  return status < 100 ? std::nullopt : std::optional(status);
}

/// Calls `use` with each item of a header's lists, empty ones too, until it
/// says false.
template <class Use>
bool each_item(const Headers& headers, std::string_view name, const Use& use) {
  for (const Header& header : headers) {
    if (!same_header_name(header.name, name)) continue;
    const std::string_view list = header.value;
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t end = std::min(list.find(',', at), list.size());
      if (!use(trimmed(list.substr(at, end - at), kBlanks))) return false;
      at = end + 1;
    }
  }
  return true;
}

bool has_item(const Headers& headers, std::string_view name,
              std::string_view word) {
  return !each_item(headers, name, [word](std::string_view item) {
    return !same_header_name(item, word);
  });
}

bool has_header(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [name](const Header& h) {
    return same_header_name(h.name, name);
  });
}

}  // namespace

Http1Answer::State Http1Answer::feed(std::string_view bytes, Http1Sink& sink) {
  begun_ = begun_ || !bytes.empty();
  while (!bytes.empty() && state_ == State::head) read_heads(bytes, sink);
  while (!bytes.empty() && state_ == State::body) read_body(bytes, sink);
  // What nobody asked for would be taken for the next answer.
  if (!bytes.empty()) keeps_ = false;
  return state_;
}

Http1Answer::State Http1Answer::closed() {
  keeps_ = false;
  if (state_ == State::body && framing_ == Framing::until_close) {
    state_ = State::done;
  } else if (state_ == State::head || state_ == State::body) {
    fail(begun_ ? Fault::cut : Fault::nothing);
  }
  return state_;
}

bool Http1Answer::fail(Fault fault, std::string_view text) {
  state_ = State::broken;
  fault_ = fault;
  fault_text_ = text;
  keeps_ = false;
  return false;
}

// Lines mostly come whole: then nothing is copied. `line` lives until the next
// call.
bool Http1Answer::take_line(std::string_view& bytes, std::string_view& line) {
  const std::size_t end = bytes.find('\n');
  const bool whole = end != bytes.npos;
  line = bytes.substr(0, end);
  bytes.remove_prefix(whole ? end + 1 : bytes.size());
  if (!whole || !line_.empty()) {
    line_ += line;
    line = line_;
  }
  return whole;
}

bool Http1Answer::take_head_line(std::string_view& bytes,
                                 std::string_view& line) {
  std::string_view within = bytes.substr(0, kMaxHeads - head_bytes_);
  const std::size_t before = within.size();
  const bool whole = take_line(within, line);
  const std::size_t taken = before - within.size();
  bytes.remove_prefix(taken);
  head_bytes_ += taken;
  return whole;
}

// --- Heads -----------------------------------------------------------------

void Http1Answer::read_heads(std::string_view& bytes, Http1Sink& sink) {
  while (!bytes.empty() && state_ == State::head) {
    std::string_view line;
    const bool whole = take_head_line(bytes, line);
    // Other protocols may never send a line's end.
    if (status_ == 0 && !line.starts_with(kProtocol.substr(0, line.size()))) {
      fail(Fault::no_http);
      return;
    }
    if (!whole) {
      if (!bytes.empty()) fail(Fault::oversized_heads);
      return;
    }
    head_line(without_cr(line), sink);
    line_.clear();
  }
}

bool Http1Answer::head_line(std::string_view line, Http1Sink& sink) {
  if (has_forbidden(line)) {
    return fail(Fault::malformed_head,
                "its head holds a carriage return or a NUL");
  }
  if (status_ == 0) return status_line(line);
  if (line.empty()) return end_of_head(sink);
  return header_line(line);
}

bool Http1Answer::status_line(std::string_view line) {
  const std::optional<int> status = status_of(line);
  if (!status) {
    if (!line.starts_with(kProtocol)) return fail(Fault::no_http);
    return fail(Fault::malformed_head,
                "its status line is not one of HTTP/1.1");
  }
  status_ = *status;
  http10_ = line[7] == '0';
  headers_.clear();
  return true;
}

bool Http1Answer::header_line(std::string_view line) {
  if (kBlanks.find(line.front()) != kBlanks.npos) {
    // A header that goes on in this line (section 5.2).
    if (headers_.empty()) {
      return fail(Fault::malformed_head,
                  "its first header begins with a blank");
    }
    std::string& value = headers_.back().value;
    const std::string_view more = trimmed(line, kBlanks);
    if (!value.empty() && !more.empty()) value += ' ';
    value += more;
    return true;
  }
  const std::size_t colon = line.find(':');
  const std::string_view name = trimmed_right(line.substr(0, colon), kBlanks);
  if (colon == line.npos || !is_token(name)) {
    return fail(Fault::malformed_head, "a header has no name or no colon");
  }
  Header& header = headers_.emplace_back();
  header.name = name;
  header.value = trimmed(line.substr(colon + 1), kBlanks);
  return true;
}

bool Http1Answer::end_of_head(Http1Sink& sink) {
  if (status_ == kSwitching) {
    return fail(Fault::malformed_head,
                "it switches to a protocol that nobody asked for");
  }
  // "close" holds whichever head says it (section 9.6).
  keeps_ = keeps_ && !http10_ && !has_item(headers_, "connection", "close");
  if (status_ < kFirstFinal) {
    status_ = 0;  // interim: another head follows
    return true;
  }
  if (!choose_framing()) return false;
  state_ = framing_ == Framing::none ? State::done : State::body;
  if (!sink.on_head(status_, std::move(headers_))) state_ = State::stopped;
  return true;
}

// --- Framing ---------------------------------------------------------------

// RFC 9112, section 6.3.
bool Http1Answer::choose_framing() {
  const bool no_body = asked_ == Asked::head_only || status_ == kNoContent ||
                       status_ == kNotModified;
  if (no_body) return true;
  if (has_header(headers_, "transfer-encoding")) return read_transfer_coding();
  if (has_header(headers_, "content-length")) return read_length();
  framing_ = Framing::until_close;
  return true;
}

bool Http1Answer::read_transfer_coding() {
  int chunked = 0;
  const bool known =
      each_item(headers_, "transfer-encoding", [&](std::string_view coding) {
        if (coding.empty()) return true;
        if (same_header_name(coding, "identity")) return chunked == 0;
        return same_header_name(coding, "chunked") && ++chunked == 1;
      });
  if (!known) {
    return fail(Fault::malformed_head,
                "it has a transfer coding that nobody asked for");
  }
  const bool counted = has_header(headers_, "content-length");
  // Both, or chunks of HTTP/1.0: somebody between may have read it otherwise.
  if (http10_ || counted) keeps_ = false;
  // "identity" says nothing (RFC 7230 took it back).
  if (chunked == 0 && counted) return read_length();
  framing_ = chunked == 0 ? Framing::until_close : Framing::chunks;
  std::erase_if(headers_, [](const Header& header) {
    return same_header_name(header.name, "content-length");
  });
  return true;
}

bool Http1Answer::read_length() {
  std::optional<std::uint64_t> length;
  const bool clear =
      each_item(headers_, "content-length", [&](std::string_view text) {
        std::uint64_t value = 0;
        const char* end = text.data() + text.size();
        // Of an empty item as well: there are readers who see no other.
        const auto parsed = std::from_chars(text.data(), end, value);
        if (parsed.ec != std::errc() || parsed.ptr != end) return false;
        const std::optional<std::uint64_t> before =
            std::exchange(length, value);
        return !before || *before == value;
      });
  if (!clear || !length) {
    return fail(Fault::malformed_head, "its content-length is not one number");
  }
  left_ = *length;
  framing_ = left_ == 0 ? Framing::none : Framing::length;
  return true;
}

// --- Bodies ----------------------------------------------------------------

void Http1Answer::read_body(std::string_view& bytes, Http1Sink& sink) {
  switch (framing_) {
    case Framing::chunks:
      return read_chunks(bytes, sink);
    case Framing::length:
      take_counted(bytes, sink);
      if (state_ == State::body && left_ == 0) state_ = State::done;
      return;
    case Framing::until_close:
      if (!sink.on_body(bytes)) state_ = State::stopped;
      bytes = {};
      return;
    case Framing::none:
      state_ = State::done;
  }
}

void Http1Answer::take_counted(std::string_view& bytes, Http1Sink& sink) {
  const std::string_view piece = bytes.substr(
      0,
      static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
  bytes.remove_prefix(piece.size());
  left_ -= piece.size();
  if (!piece.empty() && !sink.on_body(piece)) state_ = State::stopped;
}

void Http1Answer::read_chunks(std::string_view& bytes, Http1Sink& sink) {
  while (!bytes.empty() && state_ == State::body) {
    if (chunk_ == Chunk::data) {
      take_counted(bytes, sink);
      if (left_ == 0) chunk_ = Chunk::data_end;
      continue;
    }
    std::string_view line;
    const bool whole = chunk_ == Chunk::trailer ? take_head_line(bytes, line)
                                                : take_line(bytes, line);
    if (!whole && !bytes.empty()) {
      fail(Fault::oversized_heads);
    } else if ((chunk_ == Chunk::size && line.size() > kLongestChunkLine) ||
               (chunk_ == Chunk::data_end && line != "\r")) {
      fail(Fault::malformed_chunk);
    } else if (whole) {
      chunk_line(line);
      line_.clear();
    }
  }
}

// What frames the data ends in CRLF (section 7.1). Of LF alone some make no
// end: they skip two bytes behind the data, or an extension up to the next
// CRLF.
bool Http1Answer::chunk_line(std::string_view raw) {
  const std::string_view line = without_cr(raw);
  if (has_forbidden(line)) return fail(Fault::malformed_chunk);
  if (chunk_ == Chunk::trailer) {
    if (line.empty()) state_ = State::done;
    return true;  // what else it says is nobody's business
  }
  if (line.size() == raw.size()) return fail(Fault::malformed_chunk);
  if (chunk_ == Chunk::data_end) {
    chunk_ = Chunk::size;
    return true;
  }
  const char* end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data(), end, left_, 16);
  const std::string_view rest = trimmed({parsed.ptr, end}, kBlanks);
  if (parsed.ec != std::errc() || (!rest.empty() && rest.front() != ';')) {
    return fail(Fault::malformed_chunk);
  }
  chunk_ = left_ == 0 ? Chunk::trailer : Chunk::data;
  return true;
}

}  // namespace llmproxy
