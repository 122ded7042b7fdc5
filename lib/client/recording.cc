// The text form of recordings, see replay.h.
#include "client/recording.h"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace llmproxy {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";
constexpr char kEscape = '^';

// --- Writing

void write_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != kEscape) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += kEscape;
    out += kHex[byte / 16];
    out += kHex[byte % 16];
  }
}

void write_line(std::string_view word, std::string_view text,
                std::string& out) {
  out.append(word).append(" ");
  write_escaped(text, out);
  out += '\n';
}

void write_bytes(std::string_view word, std::string_view bytes,
                 std::string& out) {
  out.append(word).append("\n");
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    out += end == bytes.npos ? '~' : '|';
    write_escaped(bytes.substr(0, end), out);
    out += '\n';
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
  }
}

void write_headers(const Headers& headers, std::string& out) {
  for (const Header& header : headers) {
    write_line("header", header.name + ": " + header.value, out);
  }
}

// --- Reading

std::optional<ErrorKind> kind_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(kLastErrorKind); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    if (to_string(kind) == name) return kind;
  }
  return std::nullopt;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != kEscape) {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    const char* digits = text.data() + i + 1;
    if (text.size() - i < 3) return std::nullopt;
    const auto [end, code] = std::from_chars(digits, digits + 2, byte, 16);
    if (code != std::errc() || end != digits + 2) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<std::vector<RecordedTransfer>> read() {
    if (!text_.starts_with(kRecordingTitle))
      return fault("this is not a recording");
    while (!text_.empty()) {
      ++line_;
      const std::size_t end = text_.find('\n');
      const std::string_view line = text_.substr(0, end);
      text_.remove_prefix(end == text_.npos ? text_.size() : end + 1);
      if (line_ > 1 && !line.empty()) LLMPROXY_TRY(take(line));
    }
    if (open_) return fault("the last transfer has no \"end\" line");
    return std::move(transfers_);
  }

 private:
  Error fault(std::string_view what) const {
    return invalid_request(fmt::format("line {}: {}", line_, what));
  }

  Result<void> take(std::string_view line) {
    const bool bytes = line.front() == '|' || line.front() == '~';
    const std::size_t space = line.find(' ');
    const std::string_view word =
        bytes ? line.substr(0, 1) : line.substr(0, space);
    const std::string_view rest =
        bytes ? line.substr(1)
              : line.substr(space == line.npos ? line.size() : space + 1);
    std::optional<std::string> text = unescaped(rest);
    if (!text)
      return fault("each ^ must be followed by two hexadecimal digits");
    if (word == "request") return begin(*text);
    if (!open_) return fault("this line belongs to no request");
    if (bytes) return add_bytes(*text, word == "|");
    if (word == "response") return add_status(*text);
    if (word == "header") return add_header(*text);
    if (word == "body" || word == "piece") return begin_bytes(word);
    if (word == "end") return end(*text);
    return fault(fmt::format("unknown word '{}'", word));
  }

  Result<void> begin(const std::string& text) {
    if (open_) return fault("the previous transfer has no \"end\" line");
    const std::size_t space = text.find(' ');
    if (space == text.npos) return fault("expected a method and a URL");
    open_ = true;
    answered_ = false;
    bytes_ = nullptr;
    RecordedTransfer& transfer = transfers_.emplace_back();
    transfer.request.method = text.substr(0, space);
    transfer.request.url = text.substr(space + 1);
    transfer.reply.status = 0;
    return {};
  }

  Result<void> add_status(std::string_view text) {
    answered_ = true;
    bytes_ = nullptr;
    int& status = transfers_.back().reply.status;
    const char* last = text.data() + text.size();
    const auto [end, code] = std::from_chars(text.data(), last, status);
    if (code != std::errc() || end != last)
      return fault("expected an HTTP status");
    return {};
  }

  Result<void> add_header(std::string_view text) {
    const std::size_t colon = text.find(": ");
    if (colon == text.npos)
      return fault("expected a header: name, colon, space and value");
    RecordedTransfer& transfer = transfers_.back();
    (answered_ ? transfer.reply.headers : transfer.request.headers)
        .push_back({std::string(text.substr(0, colon)),
                    std::string(text.substr(colon + 2))});
    return {};
  }

  Result<void> begin_bytes(std::string_view word) {
    if ((word == "piece") != answered_) {
      return fault("expected \"body\" in a request, \"piece\" in a response");
    }
    RecordedTransfer& transfer = transfers_.back();
    bytes_ = answered_ ? &transfer.reply.pieces.emplace_back()
                       : &transfer.request.body;
    return {};
  }

  Result<void> add_bytes(const std::string& text, bool whole_line) {
    if (bytes_ == nullptr)
      return fault("these bytes belong to no body or piece");
    bytes_->append(text);
    if (whole_line) *bytes_ += '\n';
    return {};
  }

  Result<void> end(std::string_view text) {
    open_ = false;
    if (text.empty()) return {};
    const std::size_t colon = text.find(": ");
    const auto kind = kind_named(text.substr(0, colon));
    if (!kind) return fault("unknown kind of error");
    Error error;
    error.kind = *kind;
    error.fault = Fault::upstream;
    if (colon != text.npos) error.message = text.substr(colon + 2);
    transfers_.back().reply.end = std::move(error);
    return {};
  }

  std::string_view text_;
  int line_ = 0;
  std::vector<RecordedTransfer> transfers_;
  bool open_ = false;
  bool answered_ = false;
  std::string* bytes_ = nullptr;  ///< what lines of bytes are added to
};

}  // namespace

void write_transfer(const RecordedTransfer& transfer, std::string& out) {
  const UpstreamRequest& request = transfer.request;
  const Reply& reply = transfer.reply;
  write_line("request", request.method + " " + request.url, out);
  write_headers(request.headers, out);
  write_bytes("body", request.body, out);
  write_line("response", std::to_string(reply.status), out);
  write_headers(reply.headers, out);
  for (const std::string& piece : reply.pieces) {
    write_bytes("piece", piece, out);
  }
  if (reply.end) {
    out += "end\n";
  } else {
    const Error& error = reply.end.error();
    write_line("end",
               fmt::format("{}: {}", to_string(error.kind), error.message),
               out);
  }
  out += '\n';
}

Result<std::vector<RecordedTransfer>> read_recording(std::string_view text) {
  return Reader(text).read();
}

}  // namespace llmproxy
