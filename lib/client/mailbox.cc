#include "client/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "client/job.h"

namespace llmproxy {

Mailbox::Mailbox() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Mailbox::~Mailbox() {
  if (fd_ >= 0) ::close(fd_);
}

void Mailbox::post(Letter letter) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (mail_.letters.empty()) wake();
  mail_.letters.push_back(std::move(letter));
}

void Mailbox::ask_stop() {
  const std::lock_guard lock(mutex_);
  mail_.stop = true;
  wake();
}

Mailbox::Mail Mailbox::take() {
  const std::lock_guard lock(mutex_);
  if (!mail_.letters.empty() || mail_.stop) {
    // Resets the counter; when it is zero already this does nothing.
    eventfd_t count = 0;
    ::eventfd_read(fd_, &count);
  }
  return std::exchange(mail_, {.letters = {}, .stop = mail_.stop});
}

bool Mailbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = mail_.letters.empty();
  return closed_;
}

void Mailbox::wake() const { ::eventfd_write(fd_, 1); }

}  // namespace llmproxy
