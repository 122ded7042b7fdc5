#include "translate/foreign_seals.h"

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy {
namespace {

/// Base64 of "llmproxy:", as every seal begins.
constexpr std::string_view kSeal = "\"bGxtcHJveHk6";

/// True when the value that begins behind `before` belongs to such a member.
bool is_value_of(const SealedMembers& row, std::string_view before) {
  constexpr std::string_view kBlanks = " \t\r\n";
  before = trimmed_right(before, kBlanks);
  if (!before.ends_with(':')) return false;
  before.remove_suffix(1);
  before = trimmed_right(before, kBlanks);
  return std::any_of(
      row.members.begin(), row.members.end(),
      [&](std::string_view member) { return before.ends_with(member); });
}

}  // namespace

std::string without_foreign_seals(const Dialect& dialect, std::string body) {
  const SealedMembers* row = dialect.seals;
  if (row == nullptr) return body;
  const std::boyer_moore_horspool_searcher seal(kSeal.begin(), kSeal.end());
  const std::string_view text = body;
  std::string out;
  std::size_t copied = 0;
  for (auto at = text.begin();;) {
    at = std::search(at, text.end(), seal);
    if (at == text.end()) break;
    const auto begin = static_cast<std::size_t>(at - text.begin());
    // Base64 has no escapes: the next quote ends it.
    const std::size_t quote = text.find('"', begin + 1);
    if (quote == std::string_view::npos) break;
    if (is_value_of(*row, text.substr(0, begin))) {
      out.append(text, copied, begin - copied).append(row->instead);
      copied = quote + 1;
    }
    at = text.begin() + static_cast<std::ptrdiff_t>(quote + 1);
  }
  if (copied == 0) return body;
  return out.append(text.substr(copied));
}

}  // namespace llmproxy
