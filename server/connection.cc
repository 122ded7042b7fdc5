#include "server/connection.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <utility>

#include "llmproxy/dialect.h"
#include "llmproxy/translate.h"
#include "server/fiber_loop.h"

namespace llmproxy {
namespace {

using std::chrono::milliseconds;

struct RefusalRow {
  Refusal why;
  int status;
  ErrorKind kind;
  std::string_view message;
};

constexpr RefusalRow kRefusals[] = {
    {Refusal::malformed, 400, ErrorKind::invalid_request,
     "this is not a well-formed HTTP/1.1 request"},
    {Refusal::bad_framing, 400, ErrorKind::invalid_request,
     "the length of the body is unclear"},
    {Refusal::request_line_too_long, 414, ErrorKind::invalid_request,
     "the request line is too long"},
    {Refusal::head_too_large, 431, ErrorKind::invalid_request,
     "the request headers are too large"},
    {Refusal::head_too_slow, 408, ErrorKind::timeout,
     "the request headers took too long"},
    {Refusal::body_too_large, 413, ErrorKind::request_too_large,
     "the request body is too large"},
    {Refusal::body_malformed, 400, ErrorKind::invalid_request,
     "the chunks of the request body are malformed"},
    {Refusal::body_too_slow, 408, ErrorKind::timeout,
     "the request body took too long"},
    {Refusal::no_capacity, 503, ErrorKind::overloaded,
     "too many connections; try again soon"},
    {Refusal::no_answer, 500, ErrorKind::internal,
     "the request could not be answered"},
};

const RefusalRow& row_of(Refusal why) {
  return *std::find_if(std::begin(kRefusals), std::end(kRefusals),
                       [&](const RefusalRow& row) { return row.why == why; });
}

// Seconds a refused client should wait.
constexpr std::string_view kRetryAfter = "1";
// A client that is refused for capacity has this long to say what it wants.
constexpr milliseconds kRefusalPatience{1'000};
constexpr milliseconds kLingerSilence{1'000};
// A connection that is silent for longer is idle: it costs as little as it
// can.
constexpr milliseconds kBusy{1'000};

/// The dialect whose endpoint the path is; else the first.
const Dialect& dialect_of(std::string_view path) {
  for (const Dialect* dialect : dialects()) {
    if (match_path(*dialect, path)) return *dialect;
  }
  return *dialects().front();
}

std::string peer_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  std::array<char, NI_MAXHOST> host{};
  if (::getpeername(socket, generic, &size) != 0 ||
      ::getnameinfo(generic, size, host.data(), host.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0)
    return {};
  return host.data();
}

bool wants_keep_alive(const RequestLine& line) {
  const Headers& headers = line.request.headers;
  if (header_has_token(headers, "connection", "close")) return false;
  return !line.http10 || header_has_token(headers, "connection", "keep-alive");
}

}  // namespace

Connection::Connection(int socket, ServerContext& context)
    : socket_(socket),
      context_(context),
      input_(socket),
      peer_(peer_of(socket)) {}

void Connection::serve() {
  // The process must outlive a request for which memory runs out; nothing
  // else on this path throws.
  try {
    while (serve_one() == Next::go_on) {
    }
  } catch (const std::exception& problem) {
    report(row_of(Refusal::no_answer).status, ErrorKind::internal,
           problem.what());
  }
}

Connection::Next Connection::serve_one() {
  idle_ = true;
  // stop() sets `stopping` and then looks for idle connections, so one of
  // the two sides sees the other.
  if (context_.stopping) return Next::close;
  if (!wait_for_request()) return Next::close;
  idle_ = false;
  begun_ = Clock::now();
  auto line = read_head(begun_ + context_.options.head_time);
  if (!line || !read_body(*line)) return Next::close;
  return answer(std::move(*line));
}

bool Connection::wait_for_request() {
  const auto now = Clock::now();
  Input input = input_.wait_for_first(now + kBusy);
  if (input == Input::timeout) {
    FiberLoop::release_unused_stack();
    input = input_.wait_for_first(now + context_.options.idle);
  }
  return input == Input::ok;
}

std::optional<RequestLine> Connection::read_head(Clock::time_point deadline) {
  method_.clear();
  path_.clear();
  http10_ = false;
  HeadScanner scanner(context_.options.head);
  HeadState state = scanner.scan(input_.unread());
  while (state == HeadState::incomplete) {
    const Input input = input_.more(deadline);
    if (input == Input::timeout) refuse(Refusal::head_too_slow);
    if (input != Input::ok) return std::nullopt;
    state = scanner.scan(input_.unread());
  }
  if (state == HeadState::request_line_too_long)
    refuse(Refusal::request_line_too_long);
  if (state == HeadState::too_large) refuse(Refusal::head_too_large);
  if (state == HeadState::malformed) refuse(Refusal::malformed);
  if (state != HeadState::complete) return std::nullopt;
  auto line = parse_head(input_.unread().substr(0, scanner.size()));
  input_.consume(scanner.size());
  if (!line) {
    refuse(Refusal::malformed);
    return std::nullopt;
  }
  method_ = line->request.method;
  path_ = line->request.path;
  http10_ = line->http10;
  line->request.peer = peer_;
  return line;
}

bool Connection::read_body(RequestLine& line) {
  const auto framing = body_framing(line.request.headers);
  if (!framing) {
    refuse(Refusal::bad_framing, framing.error().message);
    return false;
  }
  if (!framing->chunked && framing->length == 0) return true;
  const bool fits =
      framing->chunked || framing->length <= context_.options.body.bytes;
  if (fits && !line.http10 &&
      header_has_token(line.request.headers, "expect", "100-continue")) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    ::send(socket_, kContinue.data(), kContinue.size(),
           MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  BodyReader reader(input_, context_.options.body);
  switch (reader.read(*framing, line.request.body)) {
    case BodyState::complete:
      return true;
    case BodyState::too_large:
      refuse(Refusal::body_too_large,
             fmt::format("the request body is larger than {} bytes",
                         context_.options.body.bytes));
      break;
    case BodyState::malformed:
      refuse(Refusal::body_malformed);
      break;
    case BodyState::timeout:
      refuse(Refusal::body_too_slow);
      break;
    case BodyState::closed:
      break;
  }
  return false;
}

Connection::Next Connection::answer(RequestLine line) {
  SocketSink sink(socket_,
                  {.http10 = line.http10,
                   .head_only = line.request.method == "HEAD",
                   .keep_alive = wants_keep_alive(line) && !context_.stopping,
                   .watcher = &context_.watcher});
  input_.release();
  context_.handler(std::move(line.request), sink);
  if (!sink.started()) {
    // A handler owes no answer to a client that left.
    if (!sink.client_gone()) refuse(Refusal::no_answer);
    return Next::close;
  }
  const bool left = drain(sink);
  if (left && sink.reusable()) return Next::go_on;
  if (!left || !sink.complete()) {
    sink.abandon();
  } else if (!input_.unread().empty()) {
    linger();
  }
  return Next::close;
}

bool Connection::drain(SocketSink& sink) {
  for (;;) {
    const std::size_t before = sink.kept_bytes();
    const Written written = sink.drain(context_.options.write_stall);
    if (written == Written::ok) return true;
    if (written == Written::gone || sink.kept_bytes() >= before) return false;
  }
}

void Connection::refuse(Refusal why, std::string message) {
  const RefusalRow& row = row_of(why);
  Error error;
  error.kind = row.kind;
  error.fault = row.status < 500 ? Fault::client : Fault::proxy;
  error.message =
      message.empty() ? std::string(row.message) : std::move(message);
  const auto translated = write_error(dialect_of(path_), error);
  SocketSink sink(
      socket_,
      {.http10 = http10_, .head_only = method_ == "HEAD", .keep_alive = false});
  Headers headers{{"content-type", "application/json"},
                  {"content-length", std::to_string(translated.body.size())}};
  if (why == Refusal::no_capacity)
    headers.push_back({"retry-after", std::string(kRetryAfter)});
  sink.start(row.status, headers);
  sink.write(translated.body);
  sink.finish();
  drain(sink);
  report(row.status, row.kind, error.message);
  linger();
}

void Connection::report(int status, ErrorKind kind, std::string message) {
  if (!context_.observer) return;
  RequestRecord record;
  record.method = method_;
  record.path = path_;
  record.peer = peer_;
  record.status = status;
  record.outcome = std::string(to_string(kind));
  record.error = std::move(message);
  record.total = std::chrono::duration_cast<std::chrono::microseconds>(
      Clock::now() - begun_);
  context_.observer->on_request(record);
}

void Connection::refuse_for_capacity() {
  try {
    begun_ = Clock::now();
    if (read_head(begun_ + kRefusalPatience)) refuse(Refusal::no_capacity);
  } catch (const std::exception&) {
  }
}

void Connection::linger() {
  ::shutdown(socket_, SHUT_WR);
  const auto end = Clock::now() + context_.options.linger;
  std::array<char, 16 << 10> ignored;
  std::size_t got = 0;
  Input input = Input::ok;
  while (input == Input::ok && Clock::now() < end && !context_.stopping)
    input = input_.read(ignored.data(), ignored.size(),
                        std::min(end, Clock::now() + kLingerSilence), got);
}

void refuse_without_fiber(int socket) {
  // Both vendors' SDKs read `error.message`; which one asks is not known
  // without reading, and reading could block.
  constexpr std::string_view kBody =
      R"({"type":"error","error":{"type":"overloaded_error",)"
      R"("message":"too many connections; try again soon"}})";
  const std::string answer = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n"
      "content-length: {}\r\nretry-after: {}\r\nconnection: close\r\n\r\n{}",
      kBody.size(), kRetryAfter, kBody);
  ::send(socket, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(socket, SHUT_WR);
  // Bytes left unread turn the close into a reset, which may overtake the
  // answer.
  std::array<char, 16 << 10> ignored;
  ::recv(socket, ignored.data(), ignored.size(), MSG_DONTWAIT);
}

}  // namespace llmproxy
