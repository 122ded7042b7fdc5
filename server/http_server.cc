// The only file that includes httplib.h (0.11.4, as Debian 12 ships it).
//
// Of cpp-httplib we use the sockets: bind, accept loop, options. Its routing
// is not used: std::regex recurses per character and overflows a small stack
// on a long path. Nor are its parser of heads (request_head.h says why), its
// body reader (body_reader.cc) and its response writer, which buffers or
// blocks.
#include "server/http_server.h"

#include <httplib.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/connection_table.h"
#include "server/fiber_pool.h"

namespace llmproxy {
namespace {

using std::chrono::milliseconds;

// Waiting connections the kernel keeps for us; it caps this at
// net.core.somaxconn. cpp-httplib asks for 5.
constexpr int kBacklog = 4096;
// Connections beyond max_connections that are only told "no capacity".
constexpr std::size_t kRefusals = 64;
// Pause before accepting again after accept() failed for good.
constexpr milliseconds kAcceptPause{20};
// After the grace period: time for handlers to notice broken connections.
constexpr milliseconds kBreakTime{3'000};

/// How many descriptors the process may have, and how many of them clients.
struct DescriptorBudget {
  /// Two each: a client's socket and one upstream.
  std::size_t connections;
  /// A client's socket above this number says that they are running out.
  std::size_t highest;
};

DescriptorBudget descriptor_budget() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t all = limit.rlim_cur;
  const std::size_t reserve =
      std::min(all / 2, std::max<std::size_t>(32, all / 16));
  return {(all - reserve / 2) / 2, all - reserve};
}

/// cpp-httplib's view of our fibers, whose life is not bound to one listen().
class PoolView final : public httplib::TaskQueue {
 public:
  explicit PoolView(FiberPool& pool) : pool_(pool) {}
  void enqueue(std::function<void()> task) override {
    if (!pool_.enqueue(task)) task();  // on the accepting thread
  }
  void shutdown() override {}

 private:
  FiberPool& pool_;
};

}  // namespace

class HttpServer::Impl final : public httplib::Server {
 public:
  Impl(const HttpServerOptions& options, HttpHandler handler,
       Observer* observer);
  ~Impl() override;

  Result<void> bind(const std::string& host, int port);
  int bound_port() const { return port_; }
  void run();
  bool stop_within(milliseconds grace);

 private:
  bool process_and_close_socket(socket_t socket) override;

  ServerContext context_;
  const DescriptorBudget budget_;
  int listener_ = -1;
  int port_ = 0;
  ConnectionTable connections_;
  FiberPool pool_;  // last: its tasks use all of the above
};

HttpServer::Impl::Impl(const HttpServerOptions& options, HttpHandler handler,
                       Observer* observer)
    : budget_(descriptor_budget()),
      connections_(
          {.all = std::min(options.max_connections, budget_.connections),
           .of_an_address = options.max_connections_per_address}),
      pool_(options.max_connections + kRefusals) {
  context_.options = options;
  context_.handler = std::move(handler);
  context_.observer = observer;
  new_task_queue = [this] { return new PoolView(pool_); };
  set_tcp_nodelay(true);  // accepted sockets inherit it
  // Its default is SO_REUSEPORT, with which a second server on the same port
  // starts without a word and takes half of the connections.
  set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
}

HttpServer::Impl::~Impl() {
  if (listener_ >= 0) ::close(listener_);
}

namespace {

/// What to do about it.
std::string_view listen_hint(int reason) {
  struct HintRow {
    int reason;
    std::string_view hint;
  };
  constexpr HintRow kHints[] = {
      {EADDRINUSE,
       "; stop the other program, or choose a port with --port (or PORT)"},
      {EACCES, "; ports below 1024 are for root: choose another with --port"},
      {EADDRNOTAVAIL,
       "; no network of this machine has that address: see --host"},
      {0, "; see --host"}};
  for (const HintRow& row : kHints) {
    if (row.reason == reason) return row.hint;
  }
  return {};
}

}  // namespace

Result<void> HttpServer::Impl::bind(const std::string& host, int port) {
  errno = 0;
  const int bound = port == 0                  ? bind_to_any_port(host)
                    : bind_to_port(host, port) ? port
                                               : -1;
  if (bound < 0) {
    const int reason = errno;
    return invalid_request("cannot listen on " + host + ":" +
                           std::to_string(port) + ": " +
                           (reason ? std::strerror(reason) : "unknown host") +
                           std::string(listen_hint(reason)));
  }
  port_ = bound;
  ::listen(svr_sock_, kBacklog);
  listener_ = svr_sock_.exchange(INVALID_SOCKET);
  return {};
}

void HttpServer::Impl::run() {
  while (!context_.stopping) {
    // cpp-httplib closes its socket when accept() fails, be it for a network
    // error that concerns one connection only. So it gets a copy, as often
    // as needed.
    svr_sock_ = ::fcntl(listener_, F_DUPFD_CLOEXEC, 0);
    listen_after_bind();
    if (!context_.stopping) std::this_thread::sleep_for(kAcceptPause);
  }
}

bool HttpServer::Impl::stop_within(milliseconds grace) {
  context_.stopping = true;
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept() on the copy
  connections_.dismiss_idle();
  if (pool_.shutdown(grace)) return true;
  if (context_.options.end_requests) {
    context_.options.end_requests();
    if (pool_.shutdown(kBreakTime)) return true;
  }
  connections_.break_all();
  return pool_.shutdown(kBreakTime);
}

bool HttpServer::Impl::process_and_close_socket(socket_t socket) {
  if (!FiberLoop::on_fiber()) {
    refuse_without_fiber(socket);
    ::close(socket);
    return false;
  }
  {
    Connection connection(socket, context_);
    const bool crowded = static_cast<std::size_t>(socket) >= budget_.highest;
    const bool room = connections_.add(connection, crowded);
    room ? connection.serve() : connection.refuse_for_capacity();
    connections_.remove(connection);
  }
  ::close(socket);
  return true;
}

HttpServer::HttpServer(const HttpServerOptions& options, HttpHandler handler,
                       Observer* observer)
    : impl_(std::make_unique<Impl>(options, std::move(handler), observer)) {}
HttpServer::~HttpServer() = default;

Result<void> HttpServer::bind(const std::string& host, int port) {
  return impl_->bind(host, port);
}
int HttpServer::port() const { return impl_->bound_port(); }
void HttpServer::run() { impl_->run(); }
bool HttpServer::stop(milliseconds grace) { return impl_->stop_within(grace); }

}  // namespace llmproxy
