// CommandQueue: how other threads talk to the engine. A list of commands, and
// an eventfd for the engine's epoll to watch.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace llmproxy {

class Job;

enum class CommandKind : std::uint8_t { start, cancel, resume, linger };

struct Command {
  CommandKind kind;
  std::shared_ptr<Job> job;
};

/// Thread-safe.
class CommandQueue {
 public:
  struct Batch {
    std::vector<Command> commands;  ///< in the order they were posted
    bool stop = false;              ///< the engine is to end
  };

  CommandQueue();
  ~CommandQueue();
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;

  /// Readable while something waits; -1 when the process had no descriptor.
  int fd() const { return fd_; }
  /// Thrown away once the queue is closed.
  void post(Command command);
  void ask_stop();
  Batch take();
  /// Closes, unless commands wait. True when closed.
  bool close();

 private:
  void wake() const;

  const int fd_;
  std::mutex mutex_;
  Batch batch_;
  bool closed_ = false;
};

}  // namespace llmproxy
