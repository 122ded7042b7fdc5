// Unified line diff: longest common subsequence by the textbook table, after
// equal heads and tails are cut off. Texts here have at most some thousand
// lines, of which few differ.
#include "support/diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace llmproxy::testing {
namespace {

constexpr std::size_t kContext = 3;
// Above this many table cells the middle is shown as replaced as a whole.
constexpr std::size_t kMaxCells = 4'000'000;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

struct Line {
  char mark;  // ' ', '-', '+'
  std::string_view text;
};

using Lines = std::vector<std::string_view>;

void append(std::vector<Line>& script, char mark, Lines::const_iterator begin,
            Lines::const_iterator end) {
  for (; begin != end; ++begin) script.push_back({mark, *begin});
}

// Edit script of the two middles, by longest common subsequence.
void append_middle(std::vector<Line>& script, const Lines& want,
                   const Lines& have) {
  const std::size_t rows = want.size();
  const std::size_t columns = have.size();
  if (rows == 0 || columns == 0 || (rows + 1) * (columns + 1) > kMaxCells) {
    append(script, '-', want.begin(), want.end());
    append(script, '+', have.begin(), have.end());
    return;
  }
  const std::size_t width = columns + 1;
  std::vector<std::uint32_t> best((rows + 1) * width, 0);
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      best[i * width + j] =
          want[i] == have[j]
              ? best[(i + 1) * width + j + 1] + 1
              : std::max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && want[i] == have[j]) {
      script.push_back({' ', want[i]});
      ++i, ++j;
    } else if (j == columns || (i < rows && best[(i + 1) * width + j] >=
                                                best[i * width + j + 1])) {
      script.push_back({'-', want[i++]});
    } else {
      script.push_back({'+', have[j++]});
    }
  }
}

std::vector<Line> edit_script(const Lines& want, const Lines& have) {
  std::size_t head = 0;
  while (head < want.size() && head < have.size() && want[head] == have[head]) {
    ++head;
  }
  std::size_t tail = 0;
  while (tail < want.size() - head && tail < have.size() - head &&
         want[want.size() - 1 - tail] == have[have.size() - 1 - tail]) {
    ++tail;
  }
  const auto offset = [](const Lines& lines, std::size_t n) {
    return lines.begin() + static_cast<std::ptrdiff_t>(n);
  };
  std::vector<Line> script;
  append(script, ' ', want.begin(), offset(want, head));
  append_middle(script,
                Lines(offset(want, head), offset(want, want.size() - tail)),
                Lines(offset(have, head), offset(have, have.size() - tail)));
  append(script, ' ', offset(want, want.size() - tail), want.end());
  return script;
}

}  // namespace

std::string unified_diff(std::string_view want, std::string_view have,
                         std::size_t first_line) {
  const std::vector<Line> script = edit_script(lines_of(want), lines_of(have));
  // Lines to show: changes and their neighbourhood.
  std::vector<bool> shown(script.size(), false);
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (script[i].mark == ' ') continue;
    const std::size_t begin = i < kContext ? 0 : i - kContext;
    const std::size_t end = std::min(script.size(), i + kContext + 1);
    std::fill(shown.begin() + static_cast<std::ptrdiff_t>(begin),
              shown.begin() + static_cast<std::ptrdiff_t>(end), true);
  }
  std::string out;
  std::size_t line = first_line;
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (shown[i] && (i == 0 || !shown[i - 1])) {
      out += "@@ line " + std::to_string(line) + " @@\n";
    }
    if (shown[i]) {
      out += script[i].mark;
      out += script[i].text;
      out += '\n';
    }
    if (script[i].mark != '+') ++line;
  }
  return out;
}

}  // namespace llmproxy::testing
