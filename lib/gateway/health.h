// Health: how each backend does, learned from the requests that went to it.
// Nobody is asked: a probe costs money with most providers.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// Thread-safe.
class Health {
 public:
  explicit Health(const std::vector<Backend>& backends);

  /// A finished request.
  void note(const RequestRecord& record);

  /// `{"status":"ok","providers":{NAME:{...}}}`. A provider is "unused" before
  /// its first request, "ok" or "failing" by its last; "seconds_ago" is the
  /// age of that, "errors" counts what was the provider's fault.
  std::string report() const;

 private:
  struct Row {
    std::string name;
    std::string_view dialect;
    std::atomic<std::int64_t> requests{0};
    std::atomic<std::int64_t> errors{0};
    std::atomic<int> last_status{0};
    std::atomic<bool> failing{false};
    std::atomic<std::int64_t> last{0};  ///< Unix seconds
  };
  std::deque<Row> rows_;
};

}  // namespace llmproxy::gateway
