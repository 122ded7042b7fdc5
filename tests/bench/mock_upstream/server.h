// The mock upstream: one thread that answers in six dialects.
#pragma once

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "kit/http.h"
#include "kit/net.h"
#include "mock_upstream/answers.h"

namespace llmproxy::bench {

struct Counts {
  std::uint64_t connections = 0;  ///< accepted
  std::uint64_t requests = 0;
  std::uint64_t streams = 0;  ///< of these requests
  std::uint64_t left = 0;     ///< streams whose reader went away before the end
  std::uint64_t open = 0;     ///< streams that are being written
};

std::string to_json(const Counts& counts);

class MockServer {
 public:
  MockServer(int port, const Plan& defaults);
  int port() const { return port_of(listener_); }
  const Counts& counts() const { return counts_; }
  /// Until `stop` is set (by a signal).
  void run(const volatile std::sig_atomic_t& stop);

 private:
  struct Connection {
    Connection(Fd socket, std::uint64_t number)
        : fd(std::move(socket)), serial(number) {}
    Fd fd;
    std::uint64_t serial;
    RequestReader reader;
    std::string out;  // what the socket did not take
    bool wants_to_write = false;
    // What is being answered: it waits for a time to come.
    std::optional<Ask> ask;
    StreamState stream;
  };
  /// When a connection has something to say. A descriptor is used again
  /// after its connection; the serial number is not.
  struct Timer {
    std::int64_t at;
    int fd;
    std::uint64_t serial;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  void accept_all();
  void read(Connection& connection);
  void serve(Connection& connection);
  bool answer(Connection& connection, const Request& request);
  void respond(Connection& connection);
  void send_events(Connection& connection);
  void write(Connection& connection);
  void set_timer(const Connection& connection, std::int64_t at);
  void run_timers();
  void close(Connection& connection);

  Fd listener_;
  Poller poller_;
  Plan defaults_;
  Counts counts_;
  std::uint64_t serial_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::vector<std::string> answers_;                      // by dialect
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<char> buffer_;
  std::string text_;
};

}  // namespace llmproxy::bench
