// What the mock says in each dialect: one small answer, and streams.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kit/dialect.h"
#include "kit/plan.h"

namespace llmproxy::bench {

/// A stream that is being written.
struct StreamState {
  Plan plan;
  std::int64_t sent = 0;  ///< text events so far
  std::string text;       ///< all of it, for the dialect that repeats it
};

/// Writes the events of one dialect, without the framing of HTTP.
struct StreamWriter {
  std::string_view content_type;
  /// What stands before the first text event, and behind the last.
  void (*begin)(std::string& out, StreamState& stream);
  void (*text)(std::string& out, StreamState& stream, std::string_view text);
  void (*end)(std::string& out, StreamState& stream);
};

const StreamWriter& stream_writer(Dialect dialect);

/// The body of a whole answer.
std::string answer_body(Dialect dialect);

/// What a request asks for.
struct Ask {
  Dialect dialect;
  bool stream;
};

/// nullopt = no path of any dialect.
std::optional<Ask> ask_of(std::string_view path, std::string_view body);

}  // namespace llmproxy::bench
