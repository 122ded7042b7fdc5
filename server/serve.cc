// `llm-proxy serve`: configuration, log, gateway, server and signals.
#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "llmproxy/gateway.h"
#include "server/access_log.h"
#include "server/commands.h"
#include "server/http_server.h"
#include "server/upload.h"
#include "server/welcome.h"

namespace llmproxy {
namespace {

constexpr int kMapped = 1 << 20;  // bytes

std::string upload_folder(const Config& config) {
  const std::string& folder = config.server.upload_folder;
  return folder.empty() ? usual_upload_folder() : folder;
}

/// One that somebody has named must do; without one there may be no uploads.
Result<void> check_upload_folder(const Config& config) {
  const std::string& folder = config.server.upload_folder;
  if (folder.empty()) return {};
  const auto file = UploadFile::create(folder);
  if (file) return {};
  return invalid_request("server.upload_folder: " + file.error().message);
}

Result<Config> configure(const ServeArguments& arguments) {
  LLMPROXY_ASSIGN(Config config, read_config(arguments));
  LLMPROXY_TRY(check_exposure(config.server));
  LLMPROXY_TRY(check_own_address(config));
  LLMPROXY_TRY(check_upload_folder(config));
  warn(config);
  return config;
}

/// A stream costs two descriptors; the usual soft limit of 1024 is for
/// programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Blocks the signals that are meant for the server, for this thread and those
/// it will make; wait_for_end() takes them.
sigset_t block_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

/// Until a signal says that it is over. SIGHUP says that the log file was moved
/// away, as logrotate does.
void wait_for_end(sigset_t signals, AccessLog& log) {
  int signal = SIGHUP;
  while (signal == SIGHUP) {
    if (::sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) {
      if (const auto reopened = log.reopen(); !reopened)
        complain(reopened.error());
    }
  }
  // A second one ends the process at once.
  ::sigdelset(&signals, SIGHUP);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

/// Serves until a signal comes.
Result<void> run(const Config& config, AccessLog& log,
                 const sigset_t& signals) {
  CurlOptions upstream;
  upstream.max_idle_connections = config.upstream.max_idle_connections;
  upstream.max_idle = config.upstream.max_idle;
  upstream.http2 = config.upstream.http2;
  // As OpenSSL's own programs, Python and Go have it.
  if (const char* file = std::getenv("SSL_CERT_FILE")) upstream.ca_file = file;
  ByteBudget uploads(config.server.max_upload_bytes_in_flight);
  Gateway gateway(config, make_curl_transport(upstream), &log);
  HttpServerOptions options;
  options.max_connections = config.server.max_connections;
  options.max_connections_per_address =
      config.server.max_connections_per_address;
  options.host = config.server.host;
  options.body.bytes = config.server.max_body_bytes;
  options.budget = &gateway.budget();
  options.is_upload = [&](const HttpRequest& head) {
    return gateway.takes_large_body(head);
  };
  options.uploads = {config.server.max_upload_bytes, upload_folder(config),
                     &uploads};
  options.admit = [&](const HttpRequest& head, ResponseSink& sink) {
    return gateway.admit(head, sink);
  };
  options.end_requests = [&] { gateway.shut_down(); };
  options.write_stall = config.server.write_stall;
  HttpServer server(
      options,
      [&](HttpRequest request, ResponseSink& sink) {
        gateway.handle(std::move(request), sink);
      },
      &log);
  LLMPROXY_TRY(server.bind(config.server.host, config.server.port));
  fmt::print("{}", ::isatty(STDOUT_FILENO) != 0
                       ? welcome(config, server.port())
                       : start_lines(config, server.port()));
  std::fflush(stdout);
  std::thread accepting([&] { server.run(); });
  wait_for_end(signals, log);
  const bool ended = server.stop(config.server.shutdown);
  accepting.join();
  if (!ended) {
    // Threads still use what would be destroyed.
    std::_Exit(kExitOk);
  }
  return {};
}

}  // namespace

std::string reachable(const std::string& host) {
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "[::1]";
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

int serve(const ServeArguments& arguments) {
  const auto config = configure(arguments);
  if (!config) {
    complain(config.error());
    return kExitUsage;
  }
  raise_descriptor_limit();
  // Of glibc, where mimalloc is not linked: it would keep eight heaps a
  // processor, which cost memory and caches, and save no waiting.
  ::mallopt(M_ARENA_MAX, static_cast<int>(std::max(
                             1u, std::thread::hardware_concurrency())));
  // Large pieces are mapped, however many were freed before: what was freed in
  // the middle of a heap stays.
  ::mallopt(M_MMAP_THRESHOLD, kMapped);
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = block_signals();
  const auto log = AccessLog::open(config->log);
  if (!log) {
    complain(log.error());
    return kExitUsage;
  }
  if (const auto served = run(*config, **log, signals); !served) {
    complain(served.error());
    return kExitFailed;
  }
  return kExitOk;
}

}  // namespace llmproxy
