// Bodies to measure with: one conversation, one answer and one stream, made in
// the canonical model and written by each dialect's own encoders, so that all
// dialects say the same. The same bytes in every run.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "llmproxy/dialect.h"

namespace llmproxy::bench {

/// A model that is usual behind that dialect.
std::string model_of(const Dialect& dialect);

/// A client's body of about that size: up to 4 KB one question, above it an
/// agent's conversation with tools, calls and their results.
std::string request_body(const Dialect& dialect, std::size_t bytes);

/// What a request's path would say, for dialects whose model stands there.
RequestHead head_of(const std::string& model);

/// A finished answer of a few paragraphs and one tool call.
std::string response_body(const Dialect& dialect);

/// An answer as an upstream streams it, cut as it arrives: one piece of bytes
/// an event of the canonical stream.
struct Stream {
  std::vector<std::string> head;    ///< up to the first delta
  std::vector<std::string> deltas;  ///< small texts
  std::vector<std::string> tail;    ///< the end
};
Stream stream_pieces(const Dialect& dialect, std::size_t deltas);

/// The JSON texts of a stream's events, without their framing.
std::vector<std::string> event_texts(const Dialect& dialect,
                                     const std::string& bytes);

}  // namespace llmproxy::bench
