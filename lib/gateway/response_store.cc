#include "gateway/response_store.h"

#include <utility>

namespace llmproxy::gateway {
namespace {

/// What an answer takes besides its texts: an element of the list, one of the
/// table, a shared object. Bytes, about.
constexpr std::size_t kEntry = 320;

}  // namespace

std::string ResponseStore::key_of(std::uint64_t owner, std::string_view id) {
  return std::to_string(owner).append("/").append(id);
}

void ResponseStore::erase(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

// All live equally long, so the oldest are the first to go.
void ResponseStore::expire(Clock::time_point now) {
  while (!entries_.empty() && entries_.front().expires <= now) {
    erase(entries_.begin());
  }
}

void ResponseStore::put(std::uint64_t owner, StoredResponse response,
                        Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  expire(now);
  std::string key = key_of(owner, response.id);
  // Texts that grew have room left behind them.
  response.items.shrink_to_fit();
  response.body.shrink_to_fit();
  const std::size_t bytes = kEntry + key.capacity() + response.id.capacity() +
                            response.body.capacity() +
                            response.items.capacity();
  if (bytes > config_.max_bytes || config_.max_entries == 0) return;
  // Ids are random: a second one is no newer answer but somebody else's.
  if (by_key_.contains(key)) return;
  while (entries_.size() >= config_.max_entries ||
         bytes_ + bytes > config_.max_bytes) {
    erase(entries_.begin());
  }
  entries_.push_back(
      {std::move(key),
       std::make_shared<const StoredResponse>(std::move(response)), bytes,
       now + config_.time_to_live});
  const auto entry = std::prev(entries_.end());
  by_key_.emplace(entry->key, entry);
  bytes_ += bytes;
}

std::shared_ptr<const StoredResponse> ResponseStore::find(
    std::uint64_t owner, std::string_view id, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  expire(now);
  const auto found = by_key_.find(key_of(owner, id));
  return found == by_key_.end() ? nullptr : found->second->response;
}

bool ResponseStore::remove(std::uint64_t owner, std::string_view id,
                           Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  expire(now);
  const auto found = by_key_.find(key_of(owner, id));
  if (found == by_key_.end()) return false;
  erase(found->second);
  return true;
}

}  // namespace llmproxy::gateway
