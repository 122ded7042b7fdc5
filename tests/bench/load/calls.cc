#include <fmt/format.h>

#include <memory>
#include <vector>

#include "kit/http.h"
#include "kit/net.h"
#include "load/modes.h"
#include "load/report.h"

namespace llmproxy::bench {
namespace {

class Calls {
 public:
  Calls(const Target& target, const CallOptions& options)
      : options_(options),
        port_(target.port),
        request_(request_bytes(target, false)),
        buffer_(std::size_t{64} << 10) {}

  std::string run();

 private:
  struct Caller {
    Fd fd;
    std::size_t sent = 0;  // bytes of the request
    std::int64_t began = 0;
    ResponseReader reader;
    bool waits_to_send = false;
  };

  void open(Caller& caller);
  void begin(Caller& caller);
  void send(Caller& caller);
  void read(Caller& caller);
  void end(Caller& caller);
  bool over() const;

  CallOptions options_;
  int port_;
  std::string request_;
  std::vector<char> buffer_;
  Poller poller_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::vector<Caller*> by_fd_;
  std::vector<std::int64_t> times_;
  std::uint64_t begun_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t reconnects_ = 0;
  std::size_t busy_ = 0;
  int last_status_ = 200;  // of a call that failed
};

bool Calls::over() const {
  return options_.count > 0 && begun_ >= options_.count;
}

void Calls::open(Caller& caller) {
  caller.fd = connect_local(port_);
  caller.waits_to_send = true;
  const auto index = static_cast<std::size_t>(caller.fd.get());
  if (by_fd_.size() <= index) by_fd_.resize(index + 1);
  by_fd_[index] = &caller;
  poller_.add(caller.fd.get(), EPOLLIN | EPOLLOUT);
}

void Calls::begin(Caller& caller) {
  ++begun_;
  ++busy_;
  caller.sent = 0;
  caller.reader.reset();
  caller.began = now_ns();
}

void Calls::send(Caller& caller) {
  const std::ptrdiff_t sent = send_some(
      caller.fd.get(), std::string_view(request_).substr(caller.sent));
  // Reading finds out what is wrong.
  if (sent > 0) caller.sent += static_cast<std::size_t>(sent);
  const bool waits = sent >= 0 && caller.sent < request_.size();
  if (waits == caller.waits_to_send) return;
  caller.waits_to_send = waits;
  poller_.set(caller.fd.get(), EPOLLIN | (waits ? EPOLLOUT : 0U));
}

void Calls::read(Caller& caller) {
  const std::ptrdiff_t size = receive_some(caller.fd.get(), buffer_);
  if (size == 0) return;
  if (size > 0)
    caller.reader.feed({buffer_.data(), static_cast<std::size_t>(size)},
                       [](std::string_view) {});
  else
    caller.reader.close();
  if (caller.reader.done() || caller.reader.broken()) end(caller);
}

void Calls::end(Caller& caller) {
  --busy_;
  const bool good = caller.reader.done() && caller.reader.status() == 200;
  if (good)
    times_.push_back(now_ns() - caller.began);
  else
    ++errors_;
  if (!good) last_status_ = caller.reader.status();
  const bool alive = caller.reader.done() && caller.reader.keeps_alive();
  if (!alive) {
    caller.fd.close();
    if (over()) return;
    ++reconnects_;
    open(caller);
    begin(caller);
  } else if (!over()) {
    begin(caller);
    send(caller);
  }
}

std::string Calls::run() {
  std::int64_t start = now_ns();
  for (std::size_t i = 0; i < options_.connections && !over(); ++i) {
    callers_.push_back(std::make_unique<Caller>());
    open(*callers_.back());
    begin(*callers_.back());
  }
  const auto span = [](double seconds) {
    return static_cast<std::int64_t>(seconds * 1e9);
  };
  bool warm = options_.warmup <= 0;
  std::int64_t until = start + span(warm ? options_.seconds : options_.warmup);
  while (options_.count == 0 || busy_ > 0) {
    for (const epoll_event& event : poller_.wait(now_ns() + kSecond / 10)) {
      Caller& caller = *by_fd_[event.data.fd];
      if (caller.waits_to_send && (event.events & EPOLLOUT) != 0) send(caller);
      if ((event.events & ~EPOLLOUT) != 0) read(caller);
    }
    if (options_.count > 0 || now_ns() < until) continue;
    if (warm) break;
    warm = true;
    times_.clear();
    start = now_ns();
    until = start + span(options_.seconds);
  }
  const double seconds = static_cast<double>(now_ns() - start) / 1e9;
  const std::size_t requests = times_.size();
  return fmt::format(
      R"({{"mode":"calls","connections":{},"requests":{},"errors":{},)"
      R"("error_status":{},"reconnects":{},"seconds":{:.3f},)"
      R"("requests_per_second":{:.1f},"latency_us":{}}})",
      options_.connections, requests, errors_, errors_ > 0 ? last_status_ : 0,
      reconnects_, seconds, static_cast<double>(requests) / seconds,
      summary_us(times_));
}

}  // namespace

std::string run_calls(const Target& target, const CallOptions& options) {
  return Calls(target, options).run();
}

}  // namespace llmproxy::bench
