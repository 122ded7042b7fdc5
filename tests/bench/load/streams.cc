#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "kit/http.h"
#include "kit/mark.h"
#include "kit/net.h"
#include "load/modes.h"
#include "load/report.h"

namespace llmproxy::bench {
namespace {

/// What was read of one stream.
struct Stream {
  Stream(Fd socket, Dialect dialect, std::int64_t leave)
      : fd(std::move(socket)),
        leave_after(leave),
        began(now_ns()),
        end(end_of_stream(dialect)),
        hidden(dialect == Dialect::bedrock) {}

  Fd fd;
  std::int64_t leave_after;  // events; 0 = never
  std::int64_t began;
  std::size_t sent = 0;  // bytes of the request
  ResponseReader reader;
  MarkScanner marks;
  Needle end;
  bool hidden;  // events are in base64
  Base64Field base64;
  std::string decoded;
  std::int64_t events = 0;
  std::int64_t last_mark = 0;
};

class Streams {
 public:
  Streams(const Target& target, const StreamOptions& options)
      : target_(target),
        options_(options),
        request_(request_bytes(target, true)),
        buffer_(std::size_t{64} << 10),
        random_(options.seed) {}

  std::string run();

 private:
  void open();
  void open_those_due(std::int64_t start);
  void send(Stream& stream);
  void read(Stream& stream);
  void look(Stream& stream, std::string_view body, std::int64_t now);
  void end(Stream& stream);
  std::uint64_t wanted() const {
    return std::max<std::uint64_t>(options_.streams, options_.leave);
  }
  std::string report(double seconds);

  Target target_;
  StreamOptions options_;
  std::string request_;
  std::vector<char> buffer_;
  std::mt19937 random_;
  Poller poller_;
  std::vector<std::unique_ptr<Stream>> streams_;  // by descriptor
  std::uint64_t opened_ = 0, complete_ = 0, short_ = 0, failed_ = 0, left_ = 0;
  std::uint64_t given_up_ = 0;  // of the short ones
  std::size_t open_ = 0, peak_ = 0;
  int failed_status_ = 0;
  std::vector<std::int64_t> first_bytes_, first_events_, events_;
};

void Streams::open() {
  std::int64_t leave = 0;
  if (options_.leave > 0)
    leave = std::uniform_int_distribution<std::int64_t>(
        1, std::max<std::int64_t>(options_.events - 1, 1))(random_);
  auto stream = std::make_unique<Stream>(connect_local(target_.port),
                                         target_.dialect, leave);
  const auto index = static_cast<std::size_t>(stream->fd.get());
  if (streams_.size() <= index) streams_.resize(index + 1);
  poller_.add(stream->fd.get(), EPOLLIN | EPOLLOUT);
  streams_[index] = std::move(stream);
  ++opened_;
  peak_ = std::max(peak_, ++open_);
}

void Streams::open_those_due(std::int64_t start) {
  const double seconds = static_cast<double>(now_ns() - start) / 1e9;
  while (opened_ < wanted() && open_ < options_.streams &&
         static_cast<double>(opened_) <= seconds * options_.ramp)
    open();
}

void Streams::send(Stream& stream) {
  const std::ptrdiff_t sent = send_some(
      stream.fd.get(), std::string_view(request_).substr(stream.sent));
  // Reading finds out what is wrong.
  if (sent > 0) stream.sent += static_cast<std::size_t>(sent);
  if (sent < 0 || stream.sent == request_.size())
    poller_.set(stream.fd.get(), EPOLLIN);
}

void Streams::read(Stream& stream) {
  const std::ptrdiff_t size = receive_some(stream.fd.get(), buffer_);
  if (size == 0) return;
  const std::int64_t now = now_ns();
  if (size > 0)
    stream.reader.feed({buffer_.data(), static_cast<std::size_t>(size)},
                       [&](std::string_view body) { look(stream, body, now); });
  else
    stream.reader.close();
  if (stream.reader.done() || stream.reader.broken() ||
      (stream.leave_after > 0 && stream.events >= stream.leave_after))
    end(stream);
}

void Streams::look(Stream& stream, std::string_view body, std::int64_t now) {
  if (stream.hidden) {
    stream.decoded.clear();
    stream.base64.feed(body, stream.decoded);
    body = stream.decoded;
  }
  stream.end.feed(body);
  stream.marks.feed(body, [&](std::int64_t mark) {
    // Some dialects repeat the whole text at the end.
    if (mark <= stream.last_mark) return;
    stream.last_mark = mark;
    if (stream.events++ == 0) {
      first_bytes_.push_back(now - stream.began);
      first_events_.push_back(now - mark);
    }
    events_.push_back(now - mark);
  });
}

void Streams::end(Stream& stream) {
  const bool ended = stream.reader.done() && stream.end.found();
  if (stream.reader.status() != 200) {
    ++failed_;
    failed_status_ = stream.reader.status();
  } else if (ended &&
             (options_.events == 0 || stream.events == options_.events)) {
    ++complete_;
  } else if (stream.leave_after > 0 && stream.events >= stream.leave_after) {
    ++left_;
  } else {
    ++short_;
  }
  --open_;
  streams_[stream.fd.get()].reset();
}

std::string Streams::run() {
  const std::int64_t start = now_ns();
  const auto until = start + static_cast<std::int64_t>(options_.limit * 1e9);
  while (opened_ < wanted() || open_ > 0) {
    open_those_due(start);
    const std::int64_t now = now_ns();
    if (now > until) break;
    const bool opens = opened_ < wanted();
    for (const epoll_event& event :
         poller_.wait(now + (opens ? kSecond / 1000 : kSecond / 10))) {
      Stream& stream = *streams_[event.data.fd];
      if ((event.events & EPOLLOUT) != 0) send(stream);
      if ((event.events & ~EPOLLOUT) != 0) read(stream);
    }
  }
  given_up_ = open_ + wanted() - opened_;
  short_ += given_up_;
  return report(static_cast<double>(now_ns() - start) / 1e9);
}

std::string Streams::report(double seconds) {
  return fmt::format(
      R"({{"mode":"streams","streams":{},"complete":{},"short":{},"failed":{},)"
      R"("failed_status":{},"left":{},"given_up":{},"peak":{},"events":{},)"
      R"("seconds":{:.3f},"first_byte_us":{},"first_event_us":{},)"
      R"("event_us":{}}})",
      wanted(), complete_, short_, failed_, failed_status_, left_, given_up_,
      peak_, events_.size(), seconds, summary_us(first_bytes_),
      summary_us(first_events_), summary_us(events_));
}

}  // namespace

std::string run_streams(const Target& target, const StreamOptions& options) {
  return Streams(target, options).run();
}

}  // namespace llmproxy::bench
