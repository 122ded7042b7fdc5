// AccessLog: one line for each finished request, as text or JSON, through
// spdlog's background thread. When that cannot keep up, the oldest lines are
// lost; a request never waits for its line.
//
// Nothing a client or an upstream says can break out of its field: control
// characters are escaped, long values are cut. Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "llmproxy/config.h"
#include "llmproxy/gateway.h"
#include "llmproxy/result.h"

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace llmproxy {

using LogTime = std::chrono::system_clock::time_point;

/// "2026-11-20T22:59:00.123Z info id=... method=POST ..."; fields without a
/// value are left out.
std::string text_line(const RequestRecord& record, LogTime when);
/// The same as a JSON object; times in milliseconds.
std::string json_line(const RequestRecord& record, LogTime when);

class AccessLog final : public Observer {
 public:
  /// Errors: invalid_request for a level or format that does not exist, or a
  /// file that cannot be written.
  static Result<std::unique_ptr<AccessLog>> open(const LogConfig& config);
  /// Writes what is waiting.
  ~AccessLog() override;

  void on_request(const RequestRecord& record) override;

 private:
  AccessLog() = default;

  bool json_ = false;
  std::shared_ptr<spdlog::logger> logger_;
  /// Ends first, having written what was waiting.
  std::shared_ptr<spdlog::details::thread_pool> thread_;
};

}  // namespace llmproxy
