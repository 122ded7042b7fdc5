// Config: what the gateway serves, from a YAML file and the environment.
//
// `${NAME}` and `${NAME:-default}` are replaced in every string value.
// Plain values; a Gateway takes its own copy.
//
//   auto config = load_config("llm-proxy.yaml");
//   if (!config) std::puts(config.error().message.c_str());
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/export.h"
#include "llmproxy/image_fetcher.h"
#include "llmproxy/limits.h"
#include "llmproxy/provider.h"
#include "llmproxy/result.h"
#include "llmproxy/system_edits.h"

namespace LLMPROXY_API llmproxy {

/// Which web pages may call the proxy from a browser [Fetch, "CORS
/// protocol"]. Without origins no page may.
struct CorsConfig {
  std::vector<std::string> origins;  ///< "https://app.example.com", or "*"
  /// How long a browser may remember the answer.
  std::chrono::milliseconds max_age{600'000};
};

struct ServerConfig {
  std::string host = "127.0.0.1";
  int port = 8080;
  /// Listening beyond loopback without client_keys is refused unless set.
  bool allow_anonymous = false;
  /// Keys clients must send (authorization: Bearer, x-api-key,
  /// x-goog-api-key, api-key or ?key=); empty = no key asked for.
  std::vector<Secret> client_keys;
  /// AWS access key ids that clients of the Bedrock APIs may sign with. The
  /// id alone lets them in (see docs/configuration.md), so it must be as hard
  /// to guess as a key.
  std::vector<Secret> client_access_keys;
  /// Every backend's whole API is served under its name: /openai/v1/...
  bool backend_paths = true;
  CorsConfig cors;
  /// Larger bodies get 413. Bytes; default 32 MiB + room for the JSON.
  std::size_t max_body_bytes = std::size_t{64} << 20;
  /// Connections served at once; beyond it 503 with Retry-After.
  std::size_t max_connections = 8192;
  /// Silence of the upstream after which a stream gets a keep-alive.
  std::chrono::milliseconds keep_alive{15'000};
};

struct LogConfig {
  std::string level = "info";   ///< debug, info, warn, error, off
  std::string format = "text";  ///< text or json
  std::string file;             ///< empty = standard error
};

struct UpstreamConfig {
  /// Calls to upstreams at once; the next wait for one to end. 0 = no limit.
  std::size_t max_connections = 0;
  /// Idle connections kept open, all backends together.
  std::size_t max_idle_connections = 512;
};

/// A client-facing model name, or a pattern with one `*`.
struct Route {
  std::string name;     ///< "gpt-5", "claude-*", "*"
  std::string backend;  ///< name in Config::backends
  /// Model asked of the backend; empty = the name the client used; a `*`
  /// in it stands for what the pattern's `*` matched.
  std::string model;
  /// Path that requests for it begin with ("/openai"); empty = none. Names
  /// below different prefixes do not meet.
  std::string prefix = {};
  SystemEdits system = {};
  std::string origin = {};  ///< as ValueOrigin::origin; empty = the default
};

/// How to treat what a target refuses; see EncodeOptions. Hosted tools are
/// dropped here unless told otherwise: agents always offer them.
struct TranslateConfig {
  bool strict = false;
  bool clamp_sampling = false;
  bool drop_hosted_tools = true;
  bool drop_prefill = false;
};

/// Answers of the Responses API that are kept for `previous_response_id`
/// where the backend keeps no state. In memory, per client.
struct ResponseStoreConfig {
  std::size_t max_entries = 1000;  ///< 0 = nothing is kept
  std::size_t max_bytes = std::size_t{64} << 20;
  std::chrono::seconds time_to_live{3600};
};

/// Where a value came from, for people: "llm-proxy.yaml:12", "environment
/// PORT".
struct ValueOrigin {
  std::string path;  ///< "server.port"
  std::string origin;
};

struct Config {
  ServerConfig server;
  LogConfig log;
  TranslateConfig translate;
  ResponseStoreConfig responses;
  /// For models that take image bytes only.
  ImageFetchRules images;
  UpstreamConfig upstream;
  LimitRules limits;
  std::vector<Backend> backends;
  std::vector<Route> routes;
  /// Of what was set; all else is the default. Later rows win.
  std::vector<ValueOrigin> origins;
};

/// Looks up an environment variable; nullopt = not set.
using Environment =
    std::function<std::optional<std::string>(const std::string& name)>;
/// The process environment.
Environment process_environment();
/// `environment`, and behind it what the lines `NAME=value` of a file say.
/// A file that is not there says nothing.
Environment with_dotenv(Environment environment, const std::string& file);

/// Errors: invalid_request whose message is "file:line: what is expected".
/// `name` stands for the file in messages.
Result<Config> parse_config(std::string_view yaml, std::string_view name,
                            const Environment& environment);
Result<Config> load_config(
    const std::string& file,
    const Environment& environment = process_environment());
/// Without a file: the demo backend (model `demo`), and each provider whose
/// key variable is set, with routes for its natural model names. Errors: a
/// variable that cannot be used, see docs/configuration.md.
Result<Config> default_config(
    const Environment& environment = process_environment());

}  // namespace llmproxy
