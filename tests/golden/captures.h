// Recorded requests of real clients: files of JSON objects with an array
// `exchange`, whose elements of kind "http" hold method, path and body. They
// may lie anywhere, and are put through the properties of every request.
#pragma once

#include <string>
#include <vector>

#include "golden/scenario.h"

namespace llmproxy::testing {

struct Captured {
  std::string name;  ///< file, and which of its requests
  Scenario scenario;
};

struct Captures {
  std::vector<Captured> requests;
  /// Requests that are no chat in any dialect: method and path.
  std::vector<std::string> others;
};

/// What `file` holds. Errors: what is wrong with it.
Result<Captures> read_captures(const std::string& file);

/// Checks all of a folder and prints failures, the table of pairs and a
/// summary. Returns 0 when there was something and all is well.
int run_captures(const std::string& folder);

}  // namespace llmproxy::testing
