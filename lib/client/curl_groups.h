// CurlGroups: the transfers of an EngineLoop in groups of at most 64, each with
// a multi handle and the connections that its transfers leave. libcurl 7.88
// walks over all connections of a multi when a transfer ends, and again when it
// looks for one to close: in one multi, 8,000 streams would wait for that.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "client/deadline_clock.h"

namespace llmproxy {

struct CurlGroup {
  using Time = DeadlineClock::Time;
  static constexpr std::size_t kMostTransfers = 64;

  CurlGroup(void* its_owner, std::uint32_t its_number, CURLM* its_multi)
      : owner(its_owner), number(its_number), multi(its_multi) {}
  ~CurlGroup() { curl_multi_cleanup(multi); }
  CurlGroup(const CurlGroup&) = delete;
  CurlGroup& operator=(const CurlGroup&) = delete;

  bool has_room() const { return transfers < kMostTransfers; }

  void* const owner;
  const std::uint32_t number;  ///< CurlGroups::at() finds it by this
  CURLM* const multi;
  std::size_t transfers = 0;
  Time due = Time::max();  ///< when libcurl wants to be called
  Time last_used{};        ///< when the last transfer ended
};

class CurlGroups {
 public:
  using Time = CurlGroup::Time;
  using List = std::vector<std::unique_ptr<CurlGroup>>;

  /// `owner` is what the callbacks find in the group that they are given.
  /// About `max_idle` connections are kept for later, of all groups together:
  /// libcurl closes at most one when a transfer ends.
  CurlGroups(void* owner, std::size_t max_idle, curl_socket_callback on_socket,
             curl_multi_timer_callback on_timer)
      : owner_(owner),
        max_idle_(max_idle),
        on_socket_(on_socket),
        on_timer_(on_timer) {}

  /// The first that has room, so that the last ones become empty; a new one
  /// where none has. Null when there is no memory.
  CurlGroup* with_room();
  /// Null when it is no more.
  CurlGroup* at(std::uint32_t number) const;
  /// Null in place of a group that is no more.
  const List& all() const { return groups_; }

  void add(CurlGroup& group, CURL* easy);
  void remove(CurlGroup& group, CURL* easy, Time now);
  /// Frees the place of a group; closes the connections it left.
  void free(CurlGroup& group);

 private:
  /// libcurl's limit counts the connections in use as well.
  void limit_connections(const CurlGroup& group) const;

  void* const owner_;
  const std::size_t max_idle_;
  const curl_socket_callback on_socket_;
  const curl_multi_timer_callback on_timer_;
  List groups_;
  std::size_t count_ = 0;  ///< that are not null
};

}  // namespace llmproxy
