#include "load/report.h"

#include <fmt/format.h>

#include <algorithm>

namespace llmproxy::bench {

std::string summary_us(std::vector<std::int64_t>& times) {
  if (times.empty()) return "null";
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    const auto index =
        static_cast<std::size_t>(share * static_cast<double>(times.size() - 1));
    return static_cast<double>(times[index]) / 1000.0;
  };
  return fmt::format(
      R"({{"p50":{:.1f},"p90":{:.1f},"p99":{:.1f},"max":{:.1f}}})", at(0.5),
      at(0.9), at(0.99), at(1));
}

}  // namespace llmproxy::bench
