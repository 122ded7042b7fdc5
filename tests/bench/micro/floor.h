// The floor of a translation: what the JSON alone costs. simdjson parses the
// very bytes that come in, RapidJSON writes every key, string and number of
// the bytes that go out; nothing is understood in between.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace llmproxy::bench {

class Floor {
 public:
  /// JSON texts read, and JSON texts written, in one run.
  Floor(const std::vector<std::string>& read,
        const std::vector<std::string>& written);
  ~Floor();
  Floor(Floor&&) noexcept;

  /// Bytes written, so that nothing can be left out.
  std::size_t run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// simdjson and RapidJSON, and which of simdjson's kernels this processor
/// gets.
std::string json_library_versions();

}  // namespace llmproxy::bench
