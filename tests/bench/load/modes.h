// What bench_load can play. Each mode runs to its end and gives its numbers
// as one JSON object.
#pragma once

#include <cstdint>
#include <string>

#include "load/request.h"

namespace llmproxy::bench {

struct CallOptions {
  std::size_t connections = 1;
  double seconds = 1;       ///< of counted calls
  double warmup = 0;        ///< seconds of calls before those
  std::uint64_t count = 0;  ///< this many calls instead of seconds
};
/// A closed loop: each connection sends its next call when it has read the
/// answer to the last.
std::string run_calls(const Target& target, const CallOptions& options);

struct StreamOptions {
  std::size_t streams = 1;  ///< open at once
  double ramp = 1000;       ///< opened a second
  std::int64_t events = 0;  ///< text events that a complete stream has
  double limit = 600;       ///< seconds after which the rest is given up
  /// Streams that the client closes after a random number of events, one
  /// after the other in the place of each; 0 = all are read to their end.
  std::uint64_t leave = 0;
  unsigned seed = 1;
};
std::string run_streams(const Target& target, const StreamOptions& options);

struct IdleOptions {
  std::size_t connections = 1;
  double seconds = 10;
};
/// Connections that send nothing.
std::string run_idle(const Target& target, const IdleOptions& options);

struct SlowOptions {
  std::size_t connections = 1;
  double seconds = 10;
  double interval = 1;  ///< seconds between two bytes
  bool read = false;    ///< read slowly, instead of sending slowly
};
std::string run_slow(const Target& target, const SlowOptions& options);

}  // namespace llmproxy::bench
