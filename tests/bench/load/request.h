// The request that a run sends again and again, as bytes.
#pragma once

#include <string>
#include <vector>

#include "kit/dialect.h"

namespace llmproxy::bench {

struct Target {
  int port = 0;
  Dialect dialect = Dialect::openai_chat;
  std::string model;
  // In place of what the dialect has; empty = that.
  std::string path;
  std::string body;
  std::vector<std::string> headers;  ///< further ones, `name: value`
};

/// Head and body. The built-in body is a short question with a system prompt,
/// about 600 bytes.
std::string request_bytes(const Target& target, bool stream);

/// What only a stream's terminal event has in it.
std::string_view end_of_stream(Dialect dialect);

}  // namespace llmproxy::bench
