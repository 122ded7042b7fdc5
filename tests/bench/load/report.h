// Numbers of a run as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmproxy::bench {

/// Times in nanoseconds as {"p50":..,"p90":..,"p99":..,"max":..} in
/// microseconds; `null` of none. Sorts them.
std::string summary_us(std::vector<std::int64_t>& times);

}  // namespace llmproxy::bench
