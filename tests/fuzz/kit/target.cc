#include "fuzz/kit/target.h"

namespace llmproxy::fuzz {

void expect(bool holds, std::string_view property, std::string_view seen) {
  if (holds) return;
  // Longer texts hide what matters.
  constexpr std::size_t kMost = 2000;
  std::string what = "broken: " + std::string(property);
  if (!seen.empty()) what.append(": ").append(seen.substr(0, kMost));
  throw Broken{std::move(what)};
}

std::uint8_t Input::byte() {
  if (choices_.empty()) return 0;
  const auto value = static_cast<std::uint8_t>(choices_.front());
  choices_.remove_prefix(1);
  return value;
}

std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

}  // namespace llmproxy::fuzz
