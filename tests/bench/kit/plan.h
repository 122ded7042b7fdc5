// What a model of the mock does, as its name says it: `mock-e40-i200000` sends
// 40 text events, one each 200,000 us. A name goes through every dialect and
// every proxy, in a path as well as in a body.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llmproxy::bench {

struct Plan {
  std::int64_t events = 20;      ///< e: text events of a stream
  std::int64_t interval_us = 0;  ///< i: between two of them
  std::int64_t think_us = 0;     ///< t: before the first byte
  std::int64_t text_bytes = 24;  ///< s: text of an event beside its mark
};

/// The plan of the first model in `text` (a path or a body); what the name
/// leaves out, or its absence, is as in `defaults`.
Plan plan_in(std::string_view text, const Plan& defaults);

std::string model_of(const Plan& plan);

}  // namespace llmproxy::bench
