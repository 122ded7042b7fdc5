#include "server/connection_table.h"

#include <algorithm>

namespace llmproxy {
namespace {

// How many are looked at for the one that gives way; the next time others.
// Looking at all of them, each time, would itself be what an attacker wants.
constexpr std::size_t kLookedAt = 1024;

}  // namespace

bool ConnectionTable::add(Connection& connection, bool crowded) {
  const std::lock_guard lock(mutex_);
  places_[&connection] = entries_.size();
  entries_.push_back({&connection, true});
  ++counted_;
  ++addresses_[connection.peer()];
  if (has_room(connection, crowded)) return true;
  stop_counting(entries_.back());
  return false;
}

bool ConnectionTable::has_room(const Connection& connection, bool crowded) {
  const std::string& address = connection.peer();
  if (limits_.of_an_address > 0 &&
      addresses_[address] > limits_.of_an_address && !dismiss_one(&address)) {
    return false;
  }
  return (counted_ <= limits_.all && !crowded) || dismiss_one(nullptr);
}

bool ConnectionTable::dismiss_one(const std::string* address) {
  Entry* longest = nullptr;
  const std::size_t looks = std::min(kLookedAt, entries_.size());
  for (std::size_t i = 0; i < looks; ++i) {
    Entry& entry = entries_[next_look_++ % entries_.size()];
    const bool fits =
        entry.counts && entry.connection->idle_since() > 0 &&
        (address == nullptr || *address == entry.connection->peer());
    if (fits && (longest == nullptr || entry.connection->idle_since() <
                                           longest->connection->idle_since()))
      longest = &entry;
  }
  if (longest == nullptr || !longest->connection->dismiss()) return false;
  stop_counting(*longest);
  return true;
}

void ConnectionTable::stop_counting(Entry& entry) {
  entry.counts = false;
  --counted_;
  const auto found = addresses_.find(entry.connection->peer());
  if (--found->second == 0) addresses_.erase(found);
}

void ConnectionTable::remove(const Connection& connection) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(&connection);
  const std::size_t place = found->second;
  if (entries_[place].counts) stop_counting(entries_[place]);
  places_.erase(found);
  if (place + 1 < entries_.size()) {
    entries_[place] = entries_.back();
    places_[entries_[place].connection] = place;
  }
  entries_.pop_back();
}

void ConnectionTable::dismiss_idle() {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) entry.connection->dismiss();
}

void ConnectionTable::break_all() {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) entry.connection->break_off();
}

}  // namespace llmproxy
