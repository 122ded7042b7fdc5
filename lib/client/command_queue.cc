#include "client/command_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "client/job.h"

namespace llmproxy {

CommandQueue::CommandQueue() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

CommandQueue::~CommandQueue() {
  if (fd_ >= 0) ::close(fd_);
}

void CommandQueue::post(Command command) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (batch_.commands.empty()) wake();
  batch_.commands.push_back(std::move(command));
}

void CommandQueue::ask_stop() {
  const std::lock_guard lock(mutex_);
  batch_.stop = true;
  wake();
}

CommandQueue::Batch CommandQueue::take() {
  const std::lock_guard lock(mutex_);
  if (!batch_.commands.empty() || batch_.stop) {
    // Resets the counter; when it is zero already this does nothing.
    eventfd_t count = 0;
    ::eventfd_read(fd_, &count);
  }
  return std::exchange(batch_, {.commands = {}, .stop = batch_.stop});
}

bool CommandQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = batch_.commands.empty();
  return closed_;
}

void CommandQueue::wake() const { ::eventfd_write(fd_, 1); }

}  // namespace llmproxy
