// ConnectionTable: the connections that a server has, how many they may be,
// and which of them gives way when one more comes: the one that has waited
// longest for a request. Who opens many and says nothing locks nobody out.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/connection.h"

namespace llmproxy {

class ConnectionTable {
 public:
  struct Limits {
    std::size_t all = 0;
    std::size_t of_an_address = 0;  ///< 0 = no limit
  };

  explicit ConnectionTable(const Limits& limits) : limits_(limits) {}

  /// Notes a connection, until remove(). `crowded` asks for the place of
  /// another one in any case. False = there is no place for it, and it must be
  /// refused.
  bool add(Connection& connection, bool crowded);
  void remove(const Connection& connection);
  /// Ends those that wait for a request.
  void dismiss_idle();
  /// Ends all, whatever they do.
  void break_all();

 private:
  struct Entry {
    Connection* connection;
    bool counts;  ///< not yet when refused, no longer when dismissed
  };

  bool has_room(const Connection& connection, bool crowded);
  /// Dismisses the one that has been idle longest, of `address` alone where
  /// that is not null.
  bool dismiss_one(const std::string* address);
  void stop_counting(Entry& entry);

  const Limits limits_;
  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::unordered_map<const Connection*, std::size_t> places_;
  std::unordered_map<std::string, std::size_t> addresses_;
  std::size_t counted_ = 0;
  std::size_t next_look_ = 0;
};

}  // namespace llmproxy
