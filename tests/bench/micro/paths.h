// The ways through the core that are measured, each ready to be run again and
// again beside its floor.
#pragma once

#include <functional>
#include <string>

#include "bench/micro/floor.h"
#include "llmproxy/dialect.h"

namespace llmproxy::bench {

inline constexpr std::size_t kSmall = 1000;
inline constexpr std::size_t kLarge = 1'000'000;
/// Text deltas in a stream, all of which a run of it translates.
inline constexpr std::size_t kDeltas = 200;

struct Path {
  /// Does it once; bytes that came out.
  std::function<std::size_t()> run;
  Floor floor;
  /// What came in, as JSON texts.
  std::vector<std::string> input;
  /// Things done in one run: the deltas of a stream, else 1.
  std::size_t count = 1;
};

/// A client's request, parsed and translated. The same dialect on both sides
/// is the way past the translation, with another model put in.
Path request_path(const Dialect& from, const Dialect& to, std::size_t bytes);
/// An upstream's whole answer.
Path response_path(const Dialect& from, const Dialect& to);
/// A stream from its begin to its end.
Path stream_path(const Dialect& from, const Dialect& to);
/// One text delta after the other in a stream that does not end.
Path event_path(const Dialect& from, const Dialect& to);

}  // namespace llmproxy::bench
