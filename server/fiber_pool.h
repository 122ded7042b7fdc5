// FiberPool: runs tasks on fibers, spread over one loop a processor.
//
// Thread-safe. The destructor waits for every task.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "server/fiber_loop.h"
#include "server/task_queue.h"

namespace llmproxy {

class FiberPool {
 public:
  /// At most `max_tasks` at once.
  explicit FiberPool(std::size_t max_tasks);
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;
  ~FiberPool();

  /// Takes `task` and runs it soon. False = there are too many; `task` is
  /// untouched then. Tasks must not throw. A task that finds itself on no
  /// fiber (FiberLoop::on_fiber) could be given no stack, and must not wait.
  bool enqueue(Fiber::Task& task);
  /// Takes no more tasks and waits until the running ones are over, at most
  /// `limit`. True = all are.
  bool shutdown(std::chrono::milliseconds limit);

 private:
  void end_task();

  const std::size_t max_tasks_;
  std::mutex mutex_;
  std::condition_variable task_ended_;
  std::size_t tasks_ = 0;
  bool stopping_ = false;
  /// For what would delay the fibers of a loop.
  TaskQueue helpers_;
  std::vector<std::unique_ptr<FiberLoop>> loops_;
};

}  // namespace llmproxy
