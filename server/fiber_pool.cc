#include "server/fiber_pool.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace llmproxy {
namespace {

/// What they do is mostly translating large requests, and waits for nobody.
constexpr std::size_t kMaxHelpers = 64;

}  // namespace

FiberPool::FiberPool(std::size_t max_tasks)
    : max_tasks_(max_tasks), helpers_({.max_threads = kMaxHelpers}) {
  const std::size_t processors =
      std::max(1u, std::thread::hardware_concurrency());
  while (loops_.size() < processors) {
    auto loop = std::make_unique<FiberLoop>(helpers_);
    if (!loop->ok()) break;
    loops_.push_back(std::move(loop));
  }
}

FiberPool::~FiberPool() {
  while (!shutdown(std::chrono::hours(1))) {
  }
  // A helper may still be waking a fiber that has not waited for it.
  while (!helpers_.shutdown(std::chrono::hours(1))) {
  }
}

bool FiberPool::enqueue(Fiber::Task& task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || tasks_ >= max_tasks_ || loops_.empty()) return false;
    ++tasks_;
  }
  const auto& least = *std::min_element(
      loops_.begin(), loops_.end(),
      [](const auto& a, const auto& b) { return a->fibers() < b->fibers(); });
  least->enqueue([this, task = std::move(task)] {
    task();
    end_task();
  });
  return true;
}

void FiberPool::end_task() {
  const std::lock_guard lock(mutex_);
  --tasks_;
  task_ended_.notify_all();
}

bool FiberPool::shutdown(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  return task_ended_.wait_for(lock, limit, [&] { return tasks_ == 0; });
}

}  // namespace llmproxy
