// AccessLog: one line for each finished request, as text or JSON, through
// spdlog's background thread. When that cannot keep up, the oldest lines are
// lost; a request never waits for its line.
//
// Nothing a client or an upstream says can break out of its field: control
// characters are escaped, long values are cut. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

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

/// How lines are written: for programs, or for who sits before a terminal.
enum class LogStyle : std::uint8_t { text, json, terminal, coloured };

/// A short line for people: time, status, model, backend, tokens, duration.
std::string terminal_line(const RequestRecord& record, LogTime when,
                          bool paint);
/// What Observer::on_details tells, as one line; on a terminal one for each.
std::string detail_line(const RequestRecord& record,
                        const std::vector<RequestDetail>& details, LogTime when,
                        LogStyle style);

class AccessLog final : public Observer {
 public:
  /// Errors: invalid_request for a level or format that does not exist, or a
  /// file that cannot be written.
  static Result<std::unique_ptr<AccessLog>> open(const LogConfig& config);
  /// Writes what is waiting.
  ~AccessLog() override;

  void on_request(const RequestRecord& record) override;
  /// With the level debug.
  bool wants_details() const override;
  void on_details(const RequestRecord& record,
                  const std::vector<RequestDetail>& details) override;
  /// Goes on in a new file of the same name, the old one having been moved
  /// away. Errors: a file that cannot be written; lines go to the old one then.
  Result<void> reopen();

 private:
  explicit AccessLog(const LogConfig& config) : config_(config) {}

  std::shared_ptr<spdlog::logger> logger() const;
  Result<void> open_logger();

  const LogConfig config_;
  LogStyle style_ = LogStyle::text;
  mutable std::mutex mutex_;
  std::shared_ptr<spdlog::logger> logger_;  ///< the mutex's
  /// Ends first, having written what was waiting.
  std::shared_ptr<spdlog::details::thread_pool> thread_;
};

}  // namespace llmproxy
