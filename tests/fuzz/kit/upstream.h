// An upstream for a Gateway under test: says what it is told to, and looks at
// what it is asked. Streams run on one thread that lives as long as this.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <queue>
#include <string>
#include <string_view>
#include <thread>

#include "llmproxy/transport.h"

namespace llmproxy::fuzz {

struct ScriptedAnswer {
  /// Stands in a body for the key that it was asked with: some upstreams
  /// repeat it.
  static constexpr std::string_view kKey = "@KEY@";
  int status = 200;
  Headers headers;
  std::string body;
  bool breaks_off = false;
};

class ScriptedUpstream final : public Transport {
 public:
  /// Judges a request; returns what is wrong with it, or nothing.
  using Judge = std::function<std::string(const UpstreamRequest& request)>;

  explicit ScriptedUpstream(Judge judge);
  ~ScriptedUpstream() override;

  void set_answer(ScriptedAnswer answer);
  /// The first fault since the last call; empty = none.
  std::string take_fault();

  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled& cancelled) override;
  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) override;

 private:
  void play(const UpstreamRequest& request, ResponseHandler& handler);
  void work();

  const Judge judge_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::function<void()>> jobs_;
  bool stopping_ = false;
  ScriptedAnswer answer_;
  std::string fault_;
  std::thread thread_;
};

}  // namespace llmproxy::fuzz
