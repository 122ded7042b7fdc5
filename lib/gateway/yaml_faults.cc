// Each cause looks for itself, the likeliest first; the parser's own sentence
// is the last resort.
#include "gateway/yaml_faults.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kBlanks = " \t";

/// Line `number` of `text`, from 1, without its end; "" where there is none.
std::string_view line_of(std::string_view text, int number) {
  for (int i = 1; i < number; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view indentation(std::string_view line) {
  return line.substr(0, std::min(line.find_first_not_of(kBlanks), line.size()));
}

bool is_blank_or_comment(std::string_view line) {
  line.remove_prefix(indentation(line).size());
  return line.empty() || line.front() == '#';
}

// --- Brackets and quotes ---------------------------------------------------

struct Opening {
  char mark;
  int line;
};

/// Reads as much of YAML as tells what is open at the end of a text.
class OpenMarks {
 public:
  explicit OpenMarks(std::string_view text) : text_(text) {
    while (at_ < text_.size()) step();
  }

  /// The quote or bracket that the end of the text is inside of.
  std::optional<Opening> open() const {
    if (quote_) return quote_;
    if (brackets_.empty()) return std::nullopt;
    return brackets_.back();
  }
  std::optional<Opening> quote() const { return quote_; }
  /// Line of the first ${NAME} without quotes between brackets, or 0.
  int bare_variable() const { return bare_variable_; }

 private:
  void step() {
    const char c = text_[at_];
    if (quote_) {
      step_in_quote(c);
    } else if (c == '\n') {
      before_ = '\0';
      blank_ = false;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      blank_ = true;
    } else if (c == '#' && (blank_ || before_ == '\0')) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return;
    } else if (text_.substr(at_).starts_with("${")) {
      return skip_variable();
    } else {
      step_in_text(c);
    }
    if (c == '\n') ++line_;
    ++at_;
  }

  void step_in_quote(char c) {
    const bool doubled = c == '\'' && text_.substr(at_).starts_with("''");
    if ((quote_->mark == '"' && c == '\\') || (c == quote_->mark && doubled)) {
      const bool end = text_.substr(at_ + 1).starts_with('\n');
      if (!end) ++at_;
    } else if (c == quote_->mark) {
      quote_.reset();
      before_ = c;
    }
  }

  void step_in_text(char c) {
    if (is_fresh() && (c == '"' || c == '\'')) quote_ = Opening{c, line_};
    if (is_fresh() && (c == '{' || c == '[')) brackets_.push_back({c, line_});
    if ((c == '}' || c == ']') && !brackets_.empty()) brackets_.pop_back();
    before_ = c;
    blank_ = false;
  }

  void skip_variable() {
    if (!brackets_.empty() && bare_variable_ == 0) bare_variable_ = line_;
    const std::size_t end = text_.find_first_of("}\n", at_);
    at_ = std::min(end, text_.size());
    if (at_ < text_.size() && text_[at_] == '}') ++at_;
    before_ = '}';
    blank_ = false;
  }

  /// Where a value may begin, so that a quote or bracket is one.
  bool is_fresh() const {
    constexpr std::string_view kAtOnce{"\0[{,", 4};
    if (kAtOnce.find(before_) != std::string_view::npos) return true;
    return blank_ && std::string_view(":-?").find(before_) != std::string::npos;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  char before_ = '\0';  ///< on this line, blanks left out
  bool blank_ = false;  ///< since then
  std::optional<Opening> quote_;
  std::vector<Opening> brackets_;
  int bare_variable_ = 0;
};

// --- Causes ----------------------------------------------------------------

using Cause = std::optional<YamlFault>;

/// The last line at or above where it stopped that is indented with a tab.
Cause tab(std::string_view text, const YamlStop& stop) {
  for (int line = stop.line; line > 0; --line) {
    const std::string_view here = line_of(text, line);
    if (is_blank_or_comment(here)) continue;
    if (indentation(here).find('\t') == std::string_view::npos) continue;
    return YamlFault{line, "this line begins with a tab; indent with spaces"};
  }
  return std::nullopt;
}

Cause bare_star(std::string_view text, const YamlStop& stop) {
  const std::string_view line = line_of(text, stop.line);
  const auto at = static_cast<std::size_t>(std::max(stop.column - 1, 0));
  if (at >= line.size() || line[at] != '*') return std::nullopt;
  const std::string_view rest = line.substr(at);
  const std::size_t end = rest.find_first_of(":,}] ");
  // A text may be a key.
  const bool is_name = end != std::string_view::npos && rest[end] == ':';
  return YamlFault{
      stop.line,
      fmt::format(
          "a name or text that begins with * needs "
          "quotes: write {}",
          is_name ? fmt::format("\"{}\"", rest.substr(0, end)) : "\"*...\"")};
}

Cause bare_variable(std::string_view text, const YamlStop&) {
  const int line = OpenMarks(text).bare_variable();
  if (line == 0) return std::nullopt;
  return YamlFault{line,
                   "between { } or [ ] a variable needs quotes: write "
                   "\"${NAME}\""};
}

Cause open_bracket(std::string_view text, const YamlStop&) {
  const auto open = OpenMarks(text).open();
  if (!open) return std::nullopt;
  if (open->mark == '"' || open->mark == '\'') return unclosed_quote(text);
  return YamlFault{open->line,
                   fmt::format("the {} in this line is never closed by {}",
                               open->mark, open->mark == '{' ? '}' : ']')};
}

/// "key: some text: more".
Cause second_colon(std::string_view text, const YamlStop& stop) {
  const std::string_view line = line_of(text, stop.line);
  const auto at = static_cast<std::size_t>(std::max(stop.column - 1, 0));
  const std::size_t first = line.find(": ");
  if (first == std::string_view::npos || first >= at) return std::nullopt;
  return YamlFault{stop.line,
                   "a text that contains a colon and a space needs quotes"};
}

/// The nearest line above that says something.
int line_before(std::string_view text, int line) {
  for (--line; line > 0; --line) {
    if (!is_blank_or_comment(line_of(text, line))) return line;
  }
  return 0;
}

/// "port:8080", or "server" alone.
Cause colon_before(std::string_view text, const YamlStop& stop) {
  const int before = line_before(text, stop.line);
  if (before == 0) return std::nullopt;
  const std::string_view line = line_of(text, before);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return YamlFault{before, "is a colon missing at the end of this line?"};
  }
  const bool spaced = colon + 1 == line.size() || line[colon + 1] == ' ';
  if (spaced || line.find(": ") != std::string_view::npos) return std::nullopt;
  return YamlFault{before, "is a space missing after the colon in this line?"};
}

Cause deeper(std::string_view text, const YamlStop& stop) {
  const int before = line_before(text, stop.line);
  if (before == 0) return std::nullopt;
  const std::size_t here = indentation(line_of(text, stop.line)).size();
  if (here <= indentation(line_of(text, before)).size()) return std::nullopt;
  return YamlFault{stop.line,
                   "this line is indented more than the one before, which has "
                   "a value already"};
}

Cause odd_first_letter(std::string_view text, const YamlStop& stop) {
  const std::string_view line = line_of(text, stop.line);
  const auto at = static_cast<std::size_t>(std::max(stop.column - 1, 0));
  if (at >= line.size()) return std::nullopt;
  const char c = line[at];
  if (c <= ' ' || c > '~') return std::nullopt;
  return YamlFault{stop.line,
                   fmt::format("a text that begins with {} needs quotes", c)};
}

template <const auto& words>
Cause say(std::string_view, const YamlStop& stop) {
  return YamlFault{stop.line, std::string(words)};
}
constexpr std::string_view kEscape =
    "in double quotes a backslash begins an escape; write \\\\, or take single "
    "quotes";
constexpr std::string_view kNothingOpened =
    "a } or ] that nothing before it opens";
constexpr std::string_view kBehindValue =
    "between { } or [ ] something follows a closing quote, or a comma is "
    "missing";
constexpr std::string_view kOddIndent =
    "this line does not fit those above: it is indented like none of them, or "
    "something follows a closing quote";
constexpr std::string_view kBlock =
    "a text that begins with > or | needs quotes";
constexpr std::string_view kMark = "a text that begins with ? needs quotes";

struct CauseRow {
  std::string_view said;  ///< how yaml-cpp begins
  Cause (*find)(std::string_view text, const YamlStop& stop);
};
constexpr std::array kCauses = {
    CauseRow{"", tab},
    CauseRow{"the referenced anchor", bare_star},
    CauseRow{"alias", bare_star},
    CauseRow{"end of", bare_variable},
    CauseRow{"illegal flow end", bare_variable},
    CauseRow{"illegal map value", bare_variable},
    CauseRow{"end of map flow", open_bracket},
    CauseRow{"end of sequence flow", open_bracket},
    CauseRow{"end of map flow", say<kBehindValue>},
    CauseRow{"end of sequence flow", say<kBehindValue>},
    CauseRow{"illegal map value", open_bracket},
    CauseRow{"illegal map value", second_colon},
    CauseRow{"illegal map value", colon_before},
    CauseRow{"illegal map value", deeper},
    CauseRow{"unknown token", odd_first_letter},
    CauseRow{"unknown escape", say<kEscape>},
    CauseRow{"illegal flow end", say<kNothingOpened>},
    CauseRow{"end of map not found", say<kOddIndent>},
    CauseRow{"end of sequence not found", say<kOddIndent>},
    CauseRow{"unexpected character in block", say<kBlock>},
    CauseRow{"illegal map key", say<kMark>},
};

}  // namespace

YamlFault explain_stop(std::string_view text, const YamlStop& stop) {
  for (const CauseRow& row : kCauses) {
    if (!stop.said.starts_with(row.said)) continue;
    if (Cause found = row.find(text, stop)) return *std::move(found);
  }
  return {stop.line, std::string(stop.said)};
}

YamlFault unclosed_quote(std::string_view text) {
  const auto quote = OpenMarks(text).quote();
  if (!quote) return {1, "a quote in this file is never closed"};
  return {quote->line, fmt::format("the quote {} in this line is never closed",
                                   quote->mark)};
}

std::string_view no_keys_hint(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  text = text.substr(first);
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || line.find(": ") < equals) return {};
  return "; NAME=value lines belong into a file .env, or into the environment";
}

}  // namespace llmproxy::gateway
