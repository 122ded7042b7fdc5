#include "mock_upstream/server.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <iterator>

#include "kit/mark.h"

namespace llmproxy::bench {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr std::string_view kFiller =
    "so it goes on, word by word, until all of it has been said and ";

std::string whole_response(std::string_view status, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\ncontent-type: application/json\r\n"
      "x-request-id: req_68f0c1e2a4\r\ncontent-length: {}\r\n\r\n{}",
      status, body.size(), body);
}

std::string filler(std::int64_t size) {
  std::string out;
  while (out.size() < static_cast<std::size_t>(size)) out += kFiller;
  out.resize(static_cast<std::size_t>(size));
  return out;
}

void append_chunk(std::string& out, std::string_view bytes) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n{}\r\n", bytes.size(),
                 bytes);
}

}  // namespace

std::string to_json(const Counts& counts) {
  return fmt::format(
      R"({{"connections":{},"requests":{},"streams":{},"left":{},"open":{}}})",
      counts.connections, counts.requests, counts.streams, counts.left,
      counts.open);
}

MockServer::MockServer(int port, const Plan& defaults)
    : listener_(listen_local(port)), defaults_(defaults), buffer_(kReadBytes) {
  for (std::size_t i = 0; i < kDialectNames.size(); ++i)
    answers_.push_back(
        whole_response("200 OK", answer_body(static_cast<Dialect>(i))));
  poller_.add(listener_.get(), EPOLLIN);
}

void MockServer::run(const volatile std::sig_atomic_t& stop) {
  while (stop == 0) {
    const std::int64_t next =
        timers_.empty() ? now_ns() + kSecond : timers_.top().at;
    for (const epoll_event& event : poller_.wait(next)) {
      if (event.data.fd == listener_.get()) {
        accept_all();
        continue;
      }
      Connection& connection = *connections_[event.data.fd];
      // A write may close it, and reading is not urgent.
      if ((event.events & EPOLLOUT) != 0)
        write(connection);
      else
        read(connection);
    }
    run_timers();
  }
}

void MockServer::accept_all() {
  for (;;) {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr,
                    SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd && errno != EAGAIN && errno != ECONNABORTED) die("accept4");
    if (!fd) return;
    const auto index = static_cast<std::size_t>(fd.get());
    if (connections_.size() <= index) connections_.resize(index + 1);
    poller_.add(fd.get(), EPOLLIN);
    ++counts_.connections;
    connections_[index] =
        std::make_unique<Connection>(std::move(fd), ++serial_);
  }
}

void MockServer::read(Connection& connection) {
  const std::ptrdiff_t size = receive_some(connection.fd.get(), buffer_);
  if (size < 0) return close(connection);
  connection.reader.feed({buffer_.data(), static_cast<std::size_t>(size)});
  serve(connection);
}

void MockServer::serve(Connection& connection) {
  while (!connection.ask) {
    const auto request = connection.reader.next();
    if (!request) return;
    if (!answer(connection, *request)) return;
  }
}

/// False: the connection is gone.
bool MockServer::answer(Connection& connection, const Request& request) {
  const std::uint64_t serial = connection.serial;
  const int fd = connection.fd.get();
  if (request.path == "/stats") {
    connection.out += whole_response("200 OK", to_json(counts_));
    write(connection);
  } else if (const auto ask = ask_of(request.path, request.body); !ask) {
    connection.out += whole_response("404 Not Found", "{}");
    write(connection);
  } else {
    ++counts_.requests;
    connection.ask = ask;
    connection.stream = {};
    connection.stream.plan =
        plan_in(request.path, plan_in(request.body, defaults_));
    if (ask->stream) {
      ++counts_.streams;
      ++counts_.open;
    }
    if (connection.stream.plan.think_us > 0)
      set_timer(connection,
                now_ns() + connection.stream.plan.think_us * kMicrosecond);
    else
      respond(connection);
  }
  return connections_[fd] != nullptr && connections_[fd]->serial == serial;
}

void MockServer::respond(Connection& connection) {
  if (connection.ask->stream) return send_events(connection);
  connection.out += answers_[static_cast<std::size_t>(connection.ask->dialect)];
  connection.ask.reset();
  write(connection);
}

/// The events that are due, in one send each.
void MockServer::send_events(Connection& connection) {
  StreamState& stream = connection.stream;
  const StreamWriter& writer = stream_writer(connection.ask->dialect);
  const std::int64_t interval = stream.plan.interval_us * kMicrosecond;
  std::string events;
  if (stream.sent == 0) {
    connection.out += fmt::format(
        "HTTP/1.1 200 OK\r\ncontent-type: {}\r\n"
        "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n",
        writer.content_type);
    writer.begin(events, stream);
  }
  const std::int64_t now = now_ns();
  text_.clear();
  append_mark(text_, now);
  text_ += filler(stream.plan.text_bytes);
  writer.text(events, stream, text_);
  const bool last = ++stream.sent >= stream.plan.events;
  if (last) writer.end(events, stream);
  append_chunk(connection.out, events);
  if (last) {
    connection.out += "0\r\n\r\n";
    connection.ask.reset();
    --counts_.open;
  } else {
    set_timer(connection, now + interval);
  }
  write(connection);
}

void MockServer::write(Connection& connection) {
  const std::ptrdiff_t sent = send_some(connection.fd.get(), connection.out);
  if (sent < 0) return close(connection);
  connection.out.erase(0, static_cast<std::size_t>(sent));
  const bool wants = !connection.out.empty();
  if (wants == connection.wants_to_write) return;
  connection.wants_to_write = wants;
  poller_.set(connection.fd.get(), EPOLLIN | (wants ? EPOLLOUT : 0U));
}

void MockServer::set_timer(const Connection& connection, std::int64_t at) {
  timers_.push({at, connection.fd.get(), connection.serial});
}

void MockServer::run_timers() {
  const std::int64_t now = now_ns();
  while (!timers_.empty() && timers_.top().at <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    Connection* connection = connections_[timer.fd].get();
    if (connection == nullptr || connection->serial != timer.serial) continue;
    respond(*connection);
    connection = connections_[timer.fd].get();
    if (connection != nullptr && connection->serial == timer.serial)
      serve(*connection);  // what came in the meantime
  }
}

void MockServer::close(Connection& connection) {
  if (connection.ask && connection.ask->stream) {
    ++counts_.left;
    --counts_.open;
  }
  connections_[connection.fd.get()].reset();
}

}  // namespace llmproxy::bench
