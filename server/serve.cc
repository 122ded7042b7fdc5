// `llm-proxy serve`: configuration, log, gateway, server and signals.
#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "llmproxy/gateway.h"
#include "llmproxy/version.h"
#include "server/access_log.h"
#include "server/commands.h"
#include "server/http_server.h"

namespace llmproxy {
namespace {

// How long running requests may go on after SIGTERM.
constexpr std::chrono::seconds kGrace{5};
constexpr std::size_t kNamesShown = 12;

Result<Config> configure(const ServeArguments& arguments) {
  LLMPROXY_ASSIGN(Config config, read_config(arguments));
  LLMPROXY_TRY(check_exposure(config.server));
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

/// Blocks the signals that end the server, for this thread and those it
/// will make; wait_for_signal() takes them.
sigset_t block_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void wait_for_signal(const sigset_t& signals) {
  int signal = 0;
  while (::sigwait(&signals, &signal) != 0) {
  }
  // A second one ends the process at once.
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// "openai/*" and its like are understood without being told.
bool is_explicit(const Route& route) { return route.name.ends_with("/*"); }

std::string model_names(const Config& config) {
  std::string names;
  std::size_t shown = 0;
  std::size_t left = 0;
  for (const Route& route : config.routes) {
    if (is_explicit(route)) continue;
    if (shown == kNamesShown) {
      ++left;
      continue;
    }
    if (shown++ > 0) names += ", ";
    names +=
        route.prefix.empty() ? route.name : route.prefix + " " + route.name;
  }
  if (left > 0) names += fmt::format(" and {} more", left);
  return names.empty() ? "none" : names;
}

void print_welcome(const Config& config, int port) {
  const bool needs_key = !config.server.client_keys.empty();
  fmt::print(
      "llm-proxy {} listening on http://{}:{}, models: {}; try:\n"
      "  curl -s http://{}:{}/v1/chat/completions{} -d '{{\"model\":\"{}\","
      "\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}'\n",
      LLMPROXY_VERSION,
      config.server.host.empty() ? "0.0.0.0" : bracketed(config.server.host),
      port, model_names(config), reachable(config.server.host), port,
      needs_key ? " -H 'authorization: Bearer YOUR_KEY'" : "",
      example_model(config));
  std::fflush(stdout);
}

/// Serves until a signal comes.
Result<void> run(const Config& config, AccessLog& log,
                 const sigset_t& signals) {
  CurlOptions upstream;
  upstream.max_idle_connections = config.upstream.max_idle_connections;
  upstream.http2 = config.upstream.http2;
  // As OpenSSL's own programs, Python and Go have it.
  if (const char* file = std::getenv("SSL_CERT_FILE")) upstream.ca_file = file;
  Gateway gateway(config, make_curl_transport(upstream), &log);
  HttpServerOptions options;
  options.max_connections = config.server.max_connections;
  options.body.bytes = config.server.max_body_bytes;
  HttpServer server(
      options,
      [&](HttpRequest request, ResponseSink& sink) {
        gateway.handle(std::move(request), sink);
      },
      &log);
  LLMPROXY_TRY(server.bind(config.server.host, config.server.port));
  print_welcome(config, server.port());
  std::thread accepting([&] { server.run(); });
  wait_for_signal(signals);
  const bool ended = server.stop(kGrace);
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
  return host == "::" ? "[::1]" : bracketed(host);
}

std::string example_model(const Config& config) {
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@";
  for (const Route& route : config.routes) {
    if (route.prefix.empty() &&
        route.name.find_first_not_of(kSafe) == std::string::npos)
      return route.name;
  }
  return "MODEL";
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
