#include "server/connection.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

#include "llmproxy/dialect.h"
#include "llmproxy/translate.h"
#include "server/fiber_loop.h"
#include "server/request_target.h"
#include "server/upload.h"

namespace llmproxy {
namespace {

using std::chrono::milliseconds;

struct RefusalRow {
  Refusal why;
  int status;
  ErrorKind kind;
  std::string_view message;
  /// One more header; none = "".
  std::string_view header = {};
  std::string_view value = {};
};

// Seconds a refused client should wait.
constexpr std::string_view kRetryAfter = "1";

constexpr RefusalRow kRefusals[] = {
    {Refusal::malformed, 400, ErrorKind::invalid_request,
     "this is not a well-formed HTTP/1.1 request"},
    {Refusal::bad_head, 400, ErrorKind::invalid_request,
     "the head of the request is malformed"},
    {Refusal::bad_method, 405, ErrorKind::invalid_request,
     "this method is not supported", "allow", kTakenMethods},
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
    {Refusal::no_room, 503, ErrorKind::overloaded,
     "the memory for requests in flight is used up; try again soon",
     "retry-after", kRetryAfter},
    {Refusal::no_disk, 507, ErrorKind::overloaded,
     "there is no disk space for the upload; try again later"},
    {Refusal::no_capacity, 503, ErrorKind::overloaded,
     "too many connections; try again soon", "retry-after", kRetryAfter},
    {Refusal::no_answer, 500, ErrorKind::internal,
     "the request could not be answered"},
};

const RefusalRow& row_of(Refusal why) {
  return *std::find_if(std::begin(kRefusals), std::end(kRefusals),
                       [&](const RefusalRow& row) { return row.why == why; });
}

// A client that is refused for capacity has this long to say what it wants.
constexpr milliseconds kRefusalPatience{1'000};
constexpr milliseconds kLingerSilence{1'000};
// A connection that is silent for longer is idle: it costs as little as it
// can.
constexpr milliseconds kBusy{1'000};
// Instead of a time since when a connection is idle.
constexpr Clock::rep kBusyNow = 0;
constexpr Clock::rep kDismissed = -1;
// How often it is looked at what a slow client has taken, and what it must
// have taken within write_stall: as the Gateway has it for its own.
constexpr milliseconds kDrainTick{500};
constexpr std::uint64_t kLeastTaken = 4096;

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
  const auto now = Clock::now();
  idle_since_ = now.time_since_epoch().count();
  // stop() sets `stopping` and then looks for idle connections, so one of
  // the two sides sees the other.
  if (context_.stopping) return Next::close;
  if (!wait_for_request(now)) return Next::close;
  if (idle_since_.exchange(kBusyNow) == kDismissed) return Next::close;
  begun_ = Clock::now();
  auto line = read_head(begun_ + context_.options.head_time);
  // Many small requests can be there at once.
  FiberLoop::give_way();
  if (!line || !admit(*line)) return Next::close;
  ByteLease lease(context_.options.budget);
  if (!read_body(*line, lease)) return Next::close;
  return answer(std::move(*line));
}

bool Connection::dismiss() {
  Clock::rep since = idle_since_.load();
  if (since <= kBusyNow ||
      !idle_since_.compare_exchange_strong(since, kDismissed))
    return false;
  break_off();
  return true;
}

void Connection::break_off() const { ::shutdown(socket_, SHUT_RDWR); }

bool Connection::wait_for_request(Clock::time_point now) {
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
  while (state == HeadState::incomplete &&
         other_protocol(input_.unread()).empty()) {
    const Input input = input_.more(deadline);
    if (input == Input::timeout) refuse(Refusal::head_too_slow);
    if (input != Input::ok) return std::nullopt;
    state = scanner.scan(input_.unread());
  }
  if (state == HeadState::request_line_too_long)
    refuse(Refusal::request_line_too_long);
  if (state == HeadState::too_large) refuse(Refusal::head_too_large);
  if (state == HeadState::malformed || state == HeadState::incomplete)
    refuse(Refusal::malformed, std::string(other_protocol(input_.unread())));
  if (state != HeadState::complete) return std::nullopt;
  RequestLine line;
  const auto parsed = parse_head(input_.unread().substr(0, scanner.size()),
                                 context_.options.host, line);
  input_.consume(scanner.size());
  method_ = line.request.method;
  path_ = line.request.path;
  http10_ = line.http10;
  line.request.peer = peer_;
  if (!parsed) refuse(Refusal::bad_head, parsed.error().message);
  if (!parsed) return std::nullopt;
  if (!is_refused_method(method_)) return line;
  refuse(Refusal::bad_method,
         method_ == "CONNECT"
             ? "this is not a forward proxy: set its URL as the API's base "
               "URL, not as HTTPS_PROXY or HTTP_PROXY"
             : "");
  return std::nullopt;
}

bool Connection::admit(const RequestLine& line) {
  // A body that came along with the head has cost what it costs.
  const bool here =
      !line.framing.chunked && line.framing.length <= input_.unread().size();
  if (here || !context_.options.admit) return true;
  SocketSink sink(socket_, {.http10 = line.http10,
                            .head_only = line.request.method == "HEAD",
                            .keep_alive = false});
  if (context_.options.admit(line.request, sink)) return true;
  if (conclude(sink) == Next::close && sink.complete()) linger();
  return false;
}

bool Connection::read_body(RequestLine& line, ByteLease& lease) {
  const BodyFraming& framing = line.framing;
  if (framing.empty()) return true;
  const HttpServerOptions& options = context_.options;
  BodyLimits limits = options.body;
  const bool upload = options.is_upload && options.is_upload(line.request);
  if (upload) limits.bytes = options.uploads.bytes;
  const bool fits = framing.chunked || framing.length <= limits.bytes;
  if (fits && line.expects_continue && input_.unread().empty()) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    ::send(socket_, kContinue.data(), kContinue.size(),
           MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  BodyReader reader(input_, limits);
  if (upload) return read_upload(line, reader, lease);
  BodyText text(line.request.body, lease);
  const BodyState state = reader.read(framing, text);
  if (state == BodyState::no_room) {
    // Not while the client is told so: others wait for this room.
    std::string().swap(line.request.body);
    lease.release();
  }
  return take(state, limits.bytes);
}

bool Connection::read_upload(RequestLine& line, BodyReader& reader,
                             ByteLease& lease) {
  const UploadOptions& options = context_.options.uploads;
  BodyState state = BodyState::closed;
  std::string fault;
  {
    UploadPlace place(options.folder, lease, options.budget);
    state = reader.read(line.framing, place);
    if (state == BodyState::complete) {
      state = place.finish(line.request.body, line.request.large_body);
    }
    fault = place.fault();
  }
  if (state != BodyState::complete) lease.release();
  return take(state, options.bytes, std::move(fault));
}

bool Connection::take(BodyState state, std::size_t limit, std::string detail) {
  switch (state) {
    case BodyState::complete:
      return true;
    case BodyState::too_large:
      refuse(Refusal::body_too_large,
             fmt::format("the request body is larger than {} bytes", limit));
      break;
    case BodyState::malformed:
      refuse(Refusal::body_malformed);
      break;
    case BodyState::timeout:
      refuse(Refusal::body_too_slow);
      break;
    case BodyState::no_room:
      refuse(Refusal::no_room);
      break;
    case BodyState::no_disk:
      refuse(Refusal::no_disk, {}, std::move(detail));
      break;
    case BodyState::closed:
      break;
  }
  return false;
}

Connection::Next Connection::answer(RequestLine line) {
  SocketSink sink(socket_, {.http10 = line.http10,
                            .head_only = line.request.method == "HEAD",
                            .keep_alive = line.keep_alive && !context_.stopping,
                            .watcher = &context_.watcher});
  input_.release();
  context_.handler(std::move(line.request), sink);
  const Next next = conclude(sink);
  if (next == Next::close && sink.complete() && !input_.unread().empty())
    linger();
  return next;
}

Connection::Next Connection::conclude(SocketSink& sink) {
  if (!sink.started()) {
    // A handler owes no answer to a client that left.
    if (!sink.client_gone()) refuse(Refusal::no_answer);
    return Next::close;
  }
  const bool left = drain(sink);
  if (left && sink.reusable()) return Next::go_on;
  if (!left || !sink.complete()) sink.break_off();
  return Next::close;
}

bool Connection::drain(SocketSink& sink) {
  const milliseconds stall = context_.options.write_stall;
  Clock::time_point since;
  // Most clients have taken everything, and are asked nothing more.
  std::optional<std::uint64_t> mark;
  for (;;) {
    const Written written = sink.drain(std::min(stall, kDrainTick));
    if (written != Written::not_now) return written == Written::ok;
    const std::uint64_t taken = *sink.taken();
    if (!mark) {
      mark = taken;
      since = Clock::now();
    } else if (taken >= *mark + kLeastTaken) {
      mark = taken;
      since = Clock::now();
    } else if (Clock::now() - since >= stall) {
      return false;
    }
  }
}

void Connection::refuse(Refusal why, std::string message, std::string detail) {
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
  if (!row.header.empty())
    headers.push_back({std::string(row.header), std::string(row.value)});
  sink.start(row.status, headers);
  sink.write(translated.body);
  sink.finish();
  drain(sink);
  report(row.status, row.kind,
         detail.empty() ? std::move(error.message) : std::move(detail));
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
