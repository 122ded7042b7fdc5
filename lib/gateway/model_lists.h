// ModelLists: what the backends say that they have, asked now and then, so that
// lists of models show what patterns lead to.
//
// Requests for a list ask, by the transport's engine, and wait only where
// nothing is known yet, and not for long. The engine's thread does no more than
// to put an answer down; who asks next reads it. Each backend is asked by one
// at a time, and a backend that does not answer leaves all that is known as it
// is.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "client/signal.h"
#include "gateway/model_list.h"
#include "llmproxy/transport.h"

namespace llmproxy::gateway {

struct Exchange;

/// Thread-safe.
class ModelLists {
 public:
  /// Nobody waits longer for the first answer of a backend.
  static constexpr std::chrono::milliseconds kFirstWait{2000};

  /// A list is asked for anew after `max_age`; 0 = never asked for.
  explicit ModelLists(std::chrono::milliseconds max_age);
  /// Cancels what is on its way, and returns when that is over.
  ~ModelLists();
  ModelLists(const ModelLists&) = delete;
  ModelLists& operator=(const ModelLists&) = delete;

  /// Asks those of `backends` that can be asked and whose list is old.
  void refresh(Exchange& exchange, const std::vector<const Backend*>& backends);
  /// What a backend said last; null = nothing so far.
  std::shared_ptr<const ModelNames> names(std::string_view backend) const;

 private:
  class Fetch;
  struct Entry;
  using Lock = std::unique_lock<std::mutex>;

  Entry& entry_of(const Backend& backend);
  void read(Entry& entry, Lock& lock);
  void start(Exchange& exchange, Entry& entry, Lock& lock);

  const std::chrono::milliseconds max_age_;
  mutable std::mutex mutex_;
  Signal changed_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
};

/// Asks the backends of the patterns that hold where `exchange` asks.
void refresh_models(Exchange& exchange);

}  // namespace llmproxy::gateway
