// Clients that hold connections without using them, to be played beside a
// measured load.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kit/http.h"
#include "kit/net.h"
#include "load/modes.h"
#include "load/report.h"

namespace llmproxy::bench {
namespace {

// Of a socket that reads slowly, so that the sender notices soon. Bytes.
constexpr int kSmallBuffer = 4096;

struct Holder {
  Fd fd;
  std::size_t moved = 0;  // bytes sent or read
  bool connected = false;
};

/// Connections of which each does one thing at each tick.
class Holders {
 public:
  Holders(int port, std::size_t count, int receive_buffer)
      : began_(now_ns()), holders_(count) {
    for (Holder& holder : holders_) {
      holder.fd = connect_local(port, receive_buffer);
      const auto index = static_cast<std::size_t>(holder.fd.get());
      if (by_fd_.size() <= index) by_fd_.resize(index + 1);
      by_fd_[index] = &holder;
      poller_.add(holder.fd.get(), EPOLLOUT);
    }
  }

  /// `tick(holder)` says false when the connection is over. `reads`: what
  /// comes is read at ticks only, else at once and thrown away.
  template <class Tick>
  void run(double seconds, double interval, bool reads, Tick&& tick) {
    const auto span = static_cast<std::int64_t>(interval * 1e9);
    const std::int64_t until =
        began_ + static_cast<std::int64_t>(seconds * 1e9);
    std::int64_t next = began_ + span;
    while (now_ns() < until) {
      for (const epoll_event& event : poller_.wait(std::min(next, until)))
        on_event(*by_fd_[event.data.fd], reads);
      if (now_ns() < next) continue;
      next += span;
      for (Holder& holder : holders_)
        if (holder.connected && holder.fd && !tick(holder)) close(holder);
    }
  }

  std::string report(std::string_view mode) {
    const auto held = std::count_if(holders_.begin(), holders_.end(),
                                    [](const Holder& h) { return bool(h.fd); });
    std::size_t bytes = 0;
    for (const Holder& holder : holders_) bytes += holder.moved;
    return fmt::format(
        R"({{"mode":"{}","connections":{},"connected":{},"held":{},)"
        R"("answered":{},"bytes":{},"closed_after_us":{}}})",
        mode, holders_.size(), connected_, held, answered_, bytes,
        summary_us(closed_));
  }

 private:
  void on_event(Holder& holder, bool reads) {
    if (!holder.connected) {
      holder.connected = true;
      ++connected_;
      poller_.set(holder.fd.get(), reads ? EPOLLRDHUP : EPOLLIN);
      return;
    }
    char buffer[4096];
    const std::ptrdiff_t size =
        reads ? -1 : receive_some(holder.fd.get(), buffer);
    if (size > 0) ++answered_;
    if (size < 0) close(holder);
  }

  void close(Holder& holder) {
    closed_.push_back(now_ns() - began_);
    holder.fd.close();
  }

  std::int64_t began_;
  std::vector<Holder> holders_;
  std::vector<Holder*> by_fd_;
  Poller poller_;
  std::size_t connected_ = 0;
  std::size_t answered_ = 0;
  std::vector<std::int64_t> closed_;
};

}  // namespace

std::string run_idle(const Target& target, const IdleOptions& options) {
  Holders holders(target.port, options.connections, 0);
  holders.run(options.seconds, options.seconds, false,
              [](Holder&) { return true; });
  return holders.report("idle");
}

std::string run_slow(const Target& target, const SlowOptions& options) {
  const std::string request = request_bytes(target, options.read);
  Holders holders(target.port, options.connections,
                  options.read ? kSmallBuffer : 0);
  const auto send = [&](Holder& holder) {
    const std::string_view rest =
        std::string_view(request).substr(holder.moved);
    // The head at once: heads have deadlines of their own.
    const std::size_t head = request.find("\r\n\r\n") + 4;
    const std::ptrdiff_t sent = send_some(
        holder.fd.get(), rest.substr(0, holder.moved == 0 ? head : 1));
    holder.moved += static_cast<std::size_t>(std::max<std::ptrdiff_t>(sent, 0));
    return sent >= 0;
  };
  std::vector<bool> asked(options.read ? std::size_t{1} << 16 : 0);
  const auto read = [&](Holder& holder) {
    const auto index = static_cast<std::size_t>(holder.fd.get());
    if (!asked[index]) {
      asked[index] = true;
      return send_some(holder.fd.get(), request) >= 0;
    }
    char byte = 0;
    const std::ptrdiff_t size = receive_some(holder.fd.get(), {&byte, 1});
    if (size > 0) ++holder.moved;
    return size >= 0;
  };
  if (options.read)
    holders.run(options.seconds, options.interval, true, read);
  else
    holders.run(options.seconds, options.interval, false, send);
  return holders.report(options.read ? "slow read" : "slow send");
}

}  // namespace llmproxy::bench
