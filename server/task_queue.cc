// Raw pthreads, because std::thread cannot be given a stack size.
#include "server/task_queue.h"

#include <memory>
#include <utility>

namespace llmproxy {

struct TaskQueue::Start {
  TaskQueue* queue;
  Task task;
};

TaskQueue::TaskQueue(const Options& options) : options_(options) {}

TaskQueue::~TaskQueue() {
  while (!shutdown(std::chrono::hours(1))) {
  }
}

bool TaskQueue::enqueue(Task& task) {
  join_ended();
  std::unique_lock lock(mutex_);
  if (stopping_) return false;
  if (tasks_.size() < idle_ || threads_ >= options_.max_threads) {
    tasks_.push_back(std::move(task));
    lock.unlock();
    work_or_stop_.notify_one();
    return true;
  }
  ++threads_;
  lock.unlock();
  if (make_thread(task)) return true;
  lock.lock();
  --threads_;
  thread_ended_.notify_all();
  if (threads_ == 0) return false;
  // Those that there are will come to it.
  tasks_.push_back(std::move(task));
  return true;
}

bool TaskQueue::make_thread(Task& task) {
  auto start = std::make_unique<Start>(Start{this, std::move(task)});
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, options_.stack_bytes);
  pthread_t thread;
  const int failed = pthread_create(&thread, &attributes, &run, start.get());
  pthread_attr_destroy(&attributes);
  if (failed) {
    task = std::move(start->task);
    return false;
  }
  static_cast<void>(start.release());  // run() owns it now
  return true;
}

void* TaskQueue::run(void* start) {
  std::unique_ptr<Start> mine(static_cast<Start*>(start));
  mine->queue->work(std::move(mine->task));
  return nullptr;
}

void TaskQueue::work(Task task) {
  do {
    task();
    task = nullptr;
  } while (next(task));
}

bool TaskQueue::next(Task& task) {
  std::unique_lock lock(mutex_);
  ++idle_;
  work_or_stop_.wait_for(lock, options_.idle,
                         [&] { return stopping_ || !tasks_.empty(); });
  --idle_;
  if (!tasks_.empty()) {
    task = std::move(tasks_.front());
    tasks_.pop_front();
    return true;
  }
  // Under the same lock: nobody may count on this thread any more.
  --threads_;
  ended_.push_back(pthread_self());
  thread_ended_.notify_all();
  return false;
}

void TaskQueue::join_ended() {
  std::vector<pthread_t> ended;
  {
    std::lock_guard lock(mutex_);
    ended.swap(ended_);
  }
  for (const pthread_t thread : ended) pthread_join(thread, nullptr);
}

bool TaskQueue::shutdown(std::chrono::milliseconds limit) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    work_or_stop_.notify_all();
    const bool all_ended =
        thread_ended_.wait_for(lock, limit, [&] { return threads_ == 0; });
    if (!all_ended) return false;
  }
  join_ended();
  return true;
}

std::size_t TaskQueue::threads() const {
  std::lock_guard lock(mutex_);
  return threads_;
}

}  // namespace llmproxy
