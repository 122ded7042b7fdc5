#include "gateway/ending.h"

#include <utility>

namespace llmproxy::gateway {

Ending::Notice::Notice(Ending& ending, std::function<void()> told)
    : ending_(ending) {
  const std::lock_guard lock(ending_.mutex_);
  if (ending_.begun_) {
    told();
  } else {
    ending_.told_.emplace(this, std::move(told));
  }
}

Ending::Notice::~Notice() {
  const std::lock_guard lock(ending_.mutex_);
  ending_.told_.erase(this);
}

void Ending::begin() {
  const std::lock_guard lock(mutex_);
  begun_ = true;
  for (const auto& [notice, told] : told_) told();
}

Error Ending::error() {
  Error error;
  error.kind = ErrorKind::overloaded;
  error.fault = Fault::proxy;
  error.message = "the proxy is shutting down; ask again";
  error.code = kShutdown;
  error.retry_after = "1";
  return error;
}

}  // namespace llmproxy::gateway
