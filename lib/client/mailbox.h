// Mailbox: how other threads talk to the engine. A list of letters, and an
// eventfd for the engine's epoll to watch.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace llmproxy {

class Job;

enum class Order : std::uint8_t { start, cancel, resume, linger };

struct Letter {
  Order order;
  std::shared_ptr<Job> job;
};

/// Thread-safe.
class Mailbox {
 public:
  struct Mail {
    std::vector<Letter> letters;  ///< in the order they were posted
    bool stop = false;            ///< the engine is to end
  };

  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Readable while something waits; -1 when the process had no descriptor.
  int fd() const { return fd_; }
  /// Thrown away once the mailbox is closed.
  void post(Letter letter);
  void ask_stop();
  Mail take();
  /// Closes, unless letters wait. True when closed.
  bool close();

 private:
  void wake() const;

  const int fd_;
  std::mutex mutex_;
  Mail mail_;
  bool closed_ = false;
};

}  // namespace llmproxy
