// Brackets are counted outside of strings; what stands at depth 0 (the field
// names of events, line ends) is passed over.
#include "gateway/usage_members.h"

#include <algorithm>
#include <array>
#include <optional>

#include "json/count.h"
#include "json/json.h"

namespace llmproxy::gateway {
namespace {

// Names and counts are far shorter. Bytes.
constexpr std::size_t kMostKept = std::size_t{16} << 10;
constexpr std::size_t kLongestName = 32;

/// Members of answers that hold counts [openai, gemini; cohere: meta].
constexpr std::array<std::string_view, 3> kMembers = {"usage", "usageMetadata",
                                                      "meta"};
/// Where in them.
constexpr std::array<std::string_view, 2> kInner = {"tokens", "billed_units"};

/// A count by its names. The first that is there counts.
struct CountRow {
  std::optional<std::int64_t> Usage::*count;
  std::string_view name;
};
constexpr std::array kCounts = {
    CountRow{&Usage::input_tokens, "prompt_tokens"},
    CountRow{&Usage::input_tokens, "input_tokens"},
    CountRow{&Usage::input_tokens, "promptTokenCount"},
    CountRow{&Usage::output_tokens, "completion_tokens"},
    CountRow{&Usage::output_tokens, "output_tokens"},
    CountRow{&Usage::output_tokens, "candidatesTokenCount"},
};
/// What those say that count nothing else: what goes in is all there is.
constexpr std::string_view kTotal = "total_tokens";

/// Bytes that mean something, by their values: answers are large.
using Marks = std::array<bool, 256>;
constexpr Marks marks_of(std::string_view marks) {
  Marks out{};
  for (const char mark : marks) out[static_cast<unsigned char>(mark)] = true;
  return out;
}
constexpr Marks kStringMarks = marks_of("\"\\");
constexpr Marks kOuterMarks = marks_of("\"{}[],:");
/// Where only what opens and closes counts.
constexpr Marks kInnerMarks = marks_of("\"{}[]");

/// bytes.size() = there is none.
std::size_t find_mark(std::string_view bytes, const Marks& marks) {
  std::size_t i = 0;
  while (i < bytes.size() && !marks[static_cast<unsigned char>(bytes[i])]) ++i;
  return i;
}

Usage counts_in(const json::Value& object) {
  Usage out;
  for (const CountRow& row : kCounts) {
    if (!(out.*row.count)) out.*row.count = json::count_of(object[row.name]);
  }
  out.cached_input_tokens =
      json::count_of(object["prompt_tokens_details"]["cached_tokens"]);
  if (!out.input_tokens && !out.output_tokens) {
    out.input_tokens = json::count_of(object[kTotal]);
  }
  return out;
}

}  // namespace

void UsageMembers::feed(std::string_view bytes) {
  while (!bytes.empty()) bytes.remove_prefix(take(bytes));
}

std::size_t UsageMembers::take(std::string_view bytes) {
  if (in_string_) return take_string(bytes);
  const std::size_t mark =
      find_mark(bytes, depth_ == 1 ? kOuterMarks : kInnerMarks);
  keep(bytes.substr(0, mark));
  if (mark == bytes.size()) return mark;
  take_mark(bytes[mark]);
  return mark + 1;
}

std::size_t UsageMembers::take_string(std::string_view bytes) {
  if (escaped_) {
    escaped_ = false;
    keep(bytes.substr(0, 1));
    return 1;
  }
  const std::size_t end = find_mark(bytes, kStringMarks);
  if (name_is_next_ && name_.size() <= kLongestName) {
    name_ += bytes.substr(0, std::min(end, kLongestName));
  }
  if (end == bytes.size()) {
    keep(bytes);
    return end;
  }
  keep(bytes.substr(0, end + 1));
  escaped_ = bytes[end] == '\\';
  if (!escaped_) in_string_ = name_is_next_ = false;
  return end + 1;
}

// A comma ends a value and belongs to it no longer; nor does what closes the
// outermost object.
void UsageMembers::take_mark(char mark) {
  const bool outermost = depth_ == 1;
  switch (mark) {
    case '{':
    case '[':
      ++depth_;
      if (depth_ == 1) {
        name_is_next_ = true;
        name_.clear();
      }
      break;
    case '}':
    case ']':
      if (outermost) read_kept();
      if (depth_ > 0) --depth_;
      break;
    case ',':
      if (!outermost) break;
      read_kept();
      name_is_next_ = true;
      name_.clear();
      return;
    case ':':
      if (!outermost || keeping_) break;
      keeping_ =
          std::find(kMembers.begin(), kMembers.end(), name_) != kMembers.end();
      return;
    default:
      // At depth 0 there is nothing that could be read.
      in_string_ = depth_ > 0;
      break;
  }
  keep({&mark, 1});
}

void UsageMembers::keep(std::string_view bytes) {
  if (!keeping_) return;
  if (kept_.size() + bytes.size() > kMostKept) {
    keeping_ = false;
    kept_.clear();
    return;
  }
  kept_ += bytes;
}

void UsageMembers::read_kept() {
  if (!keeping_) return;
  keeping_ = false;
  json::Document document;
  const auto root = document.parse(kept_);
  if (root) {
    Usage found = counts_in(*root);
    for (const std::string_view name : kInner) {
      if (found.input_tokens || found.output_tokens) break;
      found = counts_in((*root)[name]);
    }
    if (found.input_tokens || found.output_tokens) usage_ = found;
  }
  kept_.clear();
}

}  // namespace llmproxy::gateway
