// TaskQueue: threads made when work comes, reused while idle, ended when
// idle for long. Where all are busy tasks wait, the oldest is next.
//
// Thread-safe. The destructor waits for every task.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "server/fiber_stack.h"

namespace llmproxy {

class TaskQueue {
 public:
  using Task = std::function<void()>;
  struct Options {
    std::size_t max_threads = 1;
    std::size_t stack_bytes = kStackBytes;
    /// A thread without work ends after this long.
    std::chrono::milliseconds idle{10'000};
  };

  explicit TaskQueue(const Options& options);
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;
  ~TaskQueue();

  /// Takes `task` and runs it on a thread of its own, at once or when one of
  /// `max_threads` is free. False = there is no thread and none can be made,
  /// or the queue was shut down; `task` is untouched then. Tasks must not
  /// throw.
  bool enqueue(Task& task);
  /// Takes no more tasks and waits until those it took are over, at most
  /// `limit`. True = all threads have ended.
  bool shutdown(std::chrono::milliseconds limit);
  /// Threads alive, busy or idle.
  std::size_t threads() const;

 private:
  struct Start;
  static void* run(void* start);
  bool make_thread(Task& task);
  void work(Task task);
  /// Waits for a task; false = there was none, and the thread is no longer
  /// counted.
  bool next(Task& task);
  void join_ended();

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable work_or_stop_;
  std::condition_variable thread_ended_;
  bool stopping_ = false;
  std::size_t threads_ = 0;
  /// Threads in next().
  std::size_t idle_ = 0;
  std::deque<Task> tasks_;
  std::vector<pthread_t> ended_;
};

}  // namespace llmproxy
