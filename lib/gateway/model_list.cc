#include "gateway/model_list.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace llmproxy::gateway {

std::optional<std::string> ModelList::ask(Time now) {
  if (asking_) return std::nullopt;
  if (next_ && now - begun_ >= kPatience) next_.reset();
  if (!next_) {
    if (due_ && now < *due_) return std::nullopt;
    gathered_.clear();
    pages_ = 0;
    begun_ = now;
    next_.emplace();
  }
  asking_ = true;
  return next_;
}

void ModelList::take(ModelPage page, Time now) {
  asking_ = false;
  const std::size_t room = kMaxModels - gathered_.size();
  const auto end = page.names.begin() + static_cast<std::ptrdiff_t>(
                                            std::min(room, page.names.size()));
  std::move(page.names.begin(), end, std::back_inserter(gathered_));
  ++pages_;
  // A page that leads to itself is the last.
  const bool more = !page.next.empty() && page.next != next_ &&
                    pages_ < kMaxModelPages && gathered_.size() < kMaxModels;
  if (more) {
    next_ = std::move(page.next);
    return;
  }
  names_ = std::make_shared<const ModelNames>(
      std::exchange(gathered_, ModelNames()));
  next_.reset();
  failed_ = false;
  due_ = now + max_age_;
}

void ModelList::fail(Time now) {
  asking_ = false;
  failed_ = true;
  next_.reset();
  gathered_.clear();
  due_ = now + std::min<std::chrono::milliseconds>(kRetry, max_age_);
}

void ModelList::give_up() { asking_ = false; }

}  // namespace llmproxy::gateway
