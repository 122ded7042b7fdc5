// A boundary is looked for from its line's end on: LF stands nowhere else in
// what is looked for, so one that fails to match is never tried again.
#include "wire/form.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "llmproxy/http.h"
#include "wire/parameters.h"

namespace llmproxy::wire {
namespace {

constexpr std::string_view kFormType = "multipart/form-data";
// RFC 2046, section 5.1.1.
constexpr std::size_t kMaxBoundary = 70;
constexpr std::string_view kBoundaryPunctuation = "'()+_,-./:=? ";
// Behind a boundary there may be blanks, which nobody writes.
constexpr std::size_t kMaxBoundaryLine = 256;

Error malformed(std::string_view what) {
  return invalid_request(
      fmt::format("the form (multipart/form-data) is malformed: {}", what));
}

bool is_boundary_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') ||
         kBoundaryPunctuation.find(c) != std::string_view::npos;
}

std::string_view type_of(std::string_view content_type) {
  return trimmed(content_type.substr(0, content_type.find(';')));
}

/// Codings that leave the bytes as they are [RFC 2045, section 6.2].
bool is_plain_coding(std::string_view coding) {
  constexpr std::array<std::string_view, 3> kPlain = {"7bit", "8bit", "binary"};
  return std::any_of(kPlain.begin(), kPlain.end(), [&](std::string_view name) {
    return same_header_name(name, coding);
  });
}

}  // namespace

bool is_form(std::string_view content_type) {
  return same_header_name(type_of(content_type), kFormType);
}

Result<std::string> form_boundary(std::string_view content_type) {
  const std::size_t end = std::min(content_type.find(';'), content_type.size());
  const auto all = parameters_of(content_type.substr(end));
  if (!all) return malformed("its content-type cannot be read");
  const Parameter* found = nullptr;
  for (const Parameter& parameter : *all) {
    if (parameter.name != "boundary") continue;
    if (found != nullptr) return malformed("content-type has two boundaries");
    found = &parameter;
  }
  if (found == nullptr) return malformed("content-type names no boundary");
  const std::string& text = found->value;
  const bool well = !text.empty() && text.size() <= kMaxBoundary &&
                    text.back() != ' ' && !found->escaped &&
                    std::all_of(text.begin(), text.end(), is_boundary_char);
  if (!well) return malformed("content-type has a boundary that may not be");
  return text;
}

FormReader::FormReader(std::string_view boundary)
    : needle_("\n--" + std::string(boundary)) {
  begin_search();
}

void FormReader::begin_search() {
  matched_ = 1;
  after_cr_ = true;
}

Result<void> FormReader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    LLMPROXY_ASSIGN(const std::size_t count, take(bytes));
    last_ = bytes[count - 1];
    bytes.remove_prefix(count);
  }
  return {};
}

Result<std::size_t> FormReader::take(std::string_view bytes) {
  if (state_ == State::boundary || state_ == State::head) {
    return take_line(bytes);
  }
  return take_content(bytes);
}

Result<std::size_t> FormReader::take_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  const std::size_t count =
      end == std::string_view::npos ? bytes.size() : end + 1;
  const bool head = state_ == State::head;
  if (line_.size() + count > (head ? kMaxPartHead : kMaxBoundaryLine)) {
    return malformed(head ? "the head of a part is too large"
                          : "a line that begins with the boundary goes on");
  }
  line_.append(bytes.substr(0, count));
  taken_ += count;
  if (end == std::string_view::npos) return count;
  if (!line_.ends_with("\r\n")) {
    return malformed("a line ends in LF alone; it must end in CRLF");
  }
  line_.resize(line_.size() - 2);
  LLMPROXY_TRY(head ? head_line() : boundary_line());
  line_.clear();
  return count;
}

Result<std::size_t> FormReader::take_content(std::string_view bytes) {
  const std::size_t count = search(bytes);
  taken_ += count;
  if (matched_ == needle_.size()) {
    LLMPROXY_TRY(found_boundary(taken_ - (needle_.size() - 1)));
  }
  return count;
}

std::size_t FormReader::search(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (matched_ == 0) {
      i = bytes.find('\n', i);
      if (i == std::string_view::npos) return bytes.size();
      after_cr_ = (i > 0 ? bytes[i - 1] : last_) == '\r';
      matched_ = 1;
      ++i;
    } else if (bytes[i] == needle_[matched_]) {
      ++i;
      if (++matched_ == needle_.size()) break;
    } else {
      matched_ = 0;
    }
  }
  return i;
}

/// `at` is where its "--" stands.
Result<void> FormReader::found_boundary(std::uint64_t at) {
  matched_ = 0;
  if (!after_cr_) {
    return malformed("a boundary stands behind LF alone; it must be CRLF");
  }
  if (state_ == State::after) {
    return malformed("a boundary follows the last one");
  }
  if (state_ == State::before) {
    first_boundary_ = at;
  } else {
    // Some readers take the end of the head for that of the line.
    if (at < part_.begin + 2) {
      return malformed("a boundary follows the head of a part at once");
    }
    part_.end = at - 2;
    parts_.push_back(std::move(part_));
  }
  state_ = State::boundary;
  return {};
}

Result<void> FormReader::boundary_line() {
  const std::string_view text = trimmed(line_);
  if (text == "--") {
    state_ = State::after;
    begin_search();
    return {};
  }
  if (!text.empty()) {
    return malformed("a line begins with the boundary and goes on");
  }
  if (parts_.size() == kMaxFormParts) {
    Error error =
        malformed(fmt::format("it has more than {} parts", kMaxFormParts));
    error.kind = ErrorKind::request_too_large;
    return error;
  }
  part_ = {};
  head_size_ = 0;
  named_ = false;
  state_ = State::head;
  return {};
}

Result<void> FormReader::head_line() {
  if (line_.empty()) return end_of_head(taken_);
  head_size_ += line_.size() + 2;
  if (head_size_ > kMaxPartHead) {
    return malformed("the head of a part is too large");
  }
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
      has_control(line)) {
    return malformed("a line in the head of a part is no header");
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (same_header_name(name, "content-disposition")) return disposition(value);
  if (same_header_name(name, "content-transfer-encoding") &&
      !is_plain_coding(value)) {
    return malformed("a part is encoded; send its bytes as they are");
  }
  return {};
}

Result<void> FormReader::disposition(std::string_view value) {
  if (named_) return malformed("a part has two content-dispositions");
  const std::size_t end = std::min(value.find(';'), value.size());
  const auto all = parameters_of(value.substr(end));
  if (!same_header_name(trimmed(value.substr(0, end)), "form-data") || !all) {
    return malformed(R"(content-disposition must be form-data; name="NAME")");
  }
  std::size_t names = 0;
  for (const Parameter& parameter : *all) {
    // RFC 7578 has no such parameter, and some readers take it for the name.
    if (parameter.name == "name*") {
      return malformed("a part has name*; write name=");
    }
    if (parameter.name.starts_with("filename")) part_.file = true;
    if (parameter.name != "name") continue;
    ++names;
    part_.name = parameter.value;
    // Readers differ in what a backslash before a letter is.
    if (parameter.escaped && is_token(part_.name)) {
      return malformed("a part has a name with a backslash that means nothing");
    }
  }
  if (names != 1) return malformed("a part must have one name");
  if (part_.name.size() > kMaxPartName) {
    return malformed("the name of a part is too long");
  }
  named_ = true;
  return {};
}

/// `at` is where the content begins.
Result<void> FormReader::end_of_head(std::uint64_t at) {
  if (!named_) return malformed("a part has no content-disposition");
  part_.begin = at;
  state_ = State::content;
  begin_search();
  return {};
}

Result<void> FormReader::finish() {
  // The last line may end without CRLF.
  const bool last_line = state_ == State::boundary && trimmed(line_) == "--";
  if (state_ == State::after || last_line) return {};
  if (state_ == State::before) {
    return malformed("its boundary is nowhere in the body");
  }
  return malformed(
      "it breaks off: its last boundary (--BOUNDARY--) is missing");
}

}  // namespace llmproxy::wire
