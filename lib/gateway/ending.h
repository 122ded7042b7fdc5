// Ending: calls that still run when the process is about to exit, and are told
// so: each ends with an error of its own making instead of being cut off.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>

#include "llmproxy/result.h"

namespace llmproxy::gateway {

/// Code of the error, and what the log calls it.
inline constexpr std::string_view kShutdown = "shutdown";

class Ending {
 public:
  /// Is told as long as it lives; the function is not running any more when it
  /// is gone, and must not make or destroy another one.
  class Notice {
   public:
    Notice(Ending& ending, std::function<void()> told);
    Notice(const Notice&) = delete;
    Notice& operator=(const Notice&) = delete;
    ~Notice();

   private:
    Ending& ending_;
  };

  bool begun() const { return begun_; }
  /// Tells all that there are, and each that comes later at once.
  void begin();
  /// What calls end with then.
  static Error error();

 private:
  std::atomic<bool> begun_{false};
  std::mutex mutex_;
  std::map<const Notice*, std::function<void()>> told_;
};

}  // namespace llmproxy::gateway
