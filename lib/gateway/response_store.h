// ResponseStore: answers of the Responses API, kept for a while so that
// clients may go on from them (`previous_response_id`) though the backend
// keeps no state.
//
// In memory, bounded by number, bytes and age; the oldest go first. An answer
// is found by the client that got it only. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// One answer and the conversation up to and including it.
struct StoredResponse {
  std::string id;
  /// The response object as the client got it.
  std::string body;
  /// Every item of the conversation, the answer's last: JSON values joined
  /// by commas, no brackets around.
  std::string items;
};

class ResponseStore {
 public:
  using Clock = std::chrono::steady_clock;

  explicit ResponseStore(const ResponseStoreConfig& config) : config_(config) {}
  ResponseStore(const ResponseStore&) = delete;
  ResponseStore& operator=(const ResponseStore&) = delete;

  /// `owner` tells clients apart. An answer larger than the whole store is
  /// not kept, and neither is one whose id is there already.
  void put(std::uint64_t owner, StoredResponse response,
           Clock::time_point now = Clock::now());
  /// nullptr = unknown, expired, or somebody else's.
  std::shared_ptr<const StoredResponse> find(
      std::uint64_t owner, std::string_view id,
      Clock::time_point now = Clock::now());
  /// False when there was nothing to remove.
  bool remove(std::uint64_t owner, std::string_view id,
              Clock::time_point now = Clock::now());

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const StoredResponse> response;
    std::size_t bytes;
    Clock::time_point expires;
  };
  using Entries = std::list<Entry>;  // oldest first

  static std::string key_of(std::uint64_t owner, std::string_view id);
  void expire(Clock::time_point now);
  void erase(Entries::iterator entry);

  const ResponseStoreConfig config_;
  std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace llmproxy::gateway
