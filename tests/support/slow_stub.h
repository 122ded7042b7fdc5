// SlowStub: a loopback HTTP server that streams slowly to thousands of
// connections from one thread. Each request gets the same answer in pieces:
// the first at once, the rest one by one after release(). It counts the
// clients that leave before their answer has ended.
//
//   SlowStub stub({"data: ...\n\n", "data: [DONE]\n\n"}, 5ms);
//   ... start calls to stub.url() ...
//   eventually([&] { return stub.waiting() == 1000; });
//   stub.release();
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace llmproxy::testing {

class SlowStub {
 public:
  /// `pace` lies between two pieces.
  SlowStub(std::vector<std::string> pieces, std::chrono::milliseconds pace);
  ~SlowStub();
  SlowStub(const SlowStub&) = delete;
  SlowStub& operator=(const SlowStub&) = delete;

  std::string url() const;
  /// Lets all answers go on, those to come as well.
  void release() { released_ = true; }

  /// Requests whose answer has begun and not ended.
  int waiting() const { return waiting_; }
  /// Answers sent to their end.
  int finished() const { return finished_; }
  /// Connections that the client closed in the middle of an answer.
  int left() const { return left_; }

 private:
  struct Connection {
    std::string input;
    bool answering = false;
    std::size_t next = 0;  ///< piece
  };

  void run();
  void accept_all();
  void read(int fd);
  void send_next(int fd, Connection& connection);
  void close(int fd);

  const std::vector<std::string> pieces_;
  const std::chrono::milliseconds pace_;
  int listener_ = -1;
  int port_ = 0;
  int epoll_ = -1;
  std::map<int, Connection> connections_;
  std::atomic<bool> released_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> waiting_ = 0;
  std::atomic<int> finished_ = 0;
  std::atomic<int> left_ = 0;
  std::thread thread_;
};

/// Lets this process open at least `count` descriptors, if it may.
void allow_descriptors(unsigned count);

}  // namespace llmproxy::testing
