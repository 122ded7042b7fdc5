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
#include "llmproxy/parse_limits.h"
#include "llmproxy/provider.h"
#include "llmproxy/result.h"
#include "llmproxy/system_edits.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Which web pages may call the proxy from a browser [Fetch, "CORS
/// protocol"]. Without origins no page may.
struct CorsConfig {
  /// "https://app.example.com"; "vscode-webview://" for all of a scheme;
  /// "null" for pages without an origin; or "*".
  std::vector<std::string> origins = {};
  /// How long a browser may remember the answer.
  std::chrono::milliseconds max_age{600'000};
};

/// Where and for whom the gateway is served. `host`, `port`, `allow_anonymous`,
/// `max_upload_bytes_in_flight`, `upload_folder`, `max_connections`,
/// `max_connections_per_address` and `shutdown` are for the host's server; a
/// Gateway sees to the rest.
struct ServerConfig {
  /// Address to listen on.
  std::string host = "127.0.0.1";
  /// TCP port; 0 = the system chooses.
  int port = 8080;
  /// Listening beyond loopback without client_keys is refused unless set.
  bool allow_anonymous = false;
  /// Keys clients must send (authorization: Bearer, x-api-key,
  /// x-goog-api-key, api-key or ?key=); empty = no key asked for.
  std::vector<Secret> client_keys = {};
  /// AWS access key ids that clients of the Bedrock APIs may sign with. The
  /// id alone lets them in (see docs/configuration.md), so it must be as hard
  /// to guess as a key.
  std::vector<Secret> client_access_keys = {};
  /// Every backend's whole API is served under its name: /openai/v1/...
  bool backend_paths = true;
  /// For pages in browsers.
  CorsConfig cors = {};
  /// Larger bodies get 413. Bytes; default 32 MiB + room for the JSON.
  std::size_t max_body_bytes = std::size_t{64} << 20;
  /// As ParseLimits::max_values, for request bodies; more get 413.
  std::size_t max_body_values = kDefaultMaxValues;
  /// All bodies and answers that are on their way together; beyond it 503 with
  /// Retry-After. Bytes; 0 = no limit. See Gateway::budget().
  std::size_t max_bytes_in_flight = std::size_t{512} << 20;
  /// Larger uploads (multipart/form-data) get 413. Bytes; they are kept in
  /// files and not in memory, see Gateway::takes_large_body().
  std::size_t max_upload_bytes = std::size_t{1} << 30;
  /// All uploads that are on their way together; beyond it 503 with
  /// Retry-After. Bytes; 0 = no limit.
  std::size_t max_upload_bytes_in_flight = std::size_t{4} << 30;
  /// Where they are kept until they are sent on, in files without a name;
  /// empty = TMPDIR, or where that is not set /tmp.
  std::string upload_folder = {};
  /// Connections served at once. A new one takes the place of the one that
  /// has been idle longest; where none is idle, 503 with Retry-After.
  std::size_t max_connections = 8192;
  /// Of one address; 0 = as many as there are. Behind a load balancer all
  /// clients have its address.
  std::size_t max_connections_per_address = 0;
  /// How long running requests may go on after SIGTERM. What still runs then
  /// ends with an error.
  std::chrono::milliseconds shutdown{5'000};
  /// Silence of the upstream after which a stream gets a keep-alive.
  std::chrono::milliseconds keep_alive{15'000};
  /// A client that takes less than 4 KiB of its answer in this time, though
  /// more waits for it, is given up and its upstream cancelled. 0 = never.
  std::chrono::milliseconds write_stall{30'000};
  /// Names that the proxy is reached by ("proxy.internal"), or "*": without
  /// client keys others are refused, as a web page may have made them up.
  /// Names of this machine and `host` are known without it.
  std::vector<std::string> hosts = {};
  /// How old what backends say that they have may get before they are asked
  /// again: lists of models show what patterns lead to. 0 = they are not asked.
  std::chrono::milliseconds model_lists{300'000};
};

/// How the server logs; the Gateway itself writes nothing.
struct LogConfig {
  std::string level = "info";   ///< debug, info, warn, error, off
  std::string format = "text";  ///< text or json
  std::string file = {};        ///< empty = standard error
};

/// How much may go to upstreams, all backends together.
struct UpstreamConfig {
  /// Calls to upstreams at once; the next wait for one to end. 0 = no limit.
  std::size_t max_connections = 0;
  /// Idle connections kept open, all backends together. For who makes the
  /// transport (CurlOptions::max_idle_connections).
  std::size_t max_idle_connections = 512;
  /// An idle connection is not used again after this long; for who makes the
  /// transport (CurlOptions::max_idle).
  std::chrono::milliseconds max_idle{4'000};
  /// Larger answers that must be held whole get 502. Bytes.
  std::size_t max_answer_bytes = std::size_t{64} << 20;
  /// A stream that sends more than this without an event for the client ends
  /// as a failure. Bytes.
  std::size_t max_event_bytes = std::size_t{64} << 20;
  /// HTTP/2 where a TLS upstream offers it (CurlOptions::http2).
  bool http2 = false;
};

/// A client-facing model name, or a pattern with one `*`.
struct Route {
  /// "gpt-5", "claude-*", "*".
  std::string name = {};
  /// Name in Config::backends.
  std::string backend = {};
  /// Model asked of the backend; empty = the name the client used; a `*`
  /// in it stands for what the pattern's `*` matched.
  std::string model = {};
  /// Path prefix under which it is served ("/openai"); empty = none. The same
  /// name may stand below several prefixes.
  std::string prefix = {};
  /// What is done to the system prompt of its requests; empty = nothing.
  SystemEdits system = {};
  std::string origin = {};  ///< as ValueOrigin::origin; empty = the default
  /// What its clients are meant to speak, for those who tell people; any
  /// dialect is served. Null = nothing was said.
  const Dialect* client_dialect = nullptr;
};

/// How to treat what a target refuses; see EncodeOptions. Hosted tools are
/// dropped here unless told otherwise: agents always offer them.
struct TranslateConfig {
  /// Refuse (400) what cannot be carried exactly.
  bool strict = false;
  /// As EncodeOptions::clamp_sampling.
  bool clamp_sampling = false;
  /// As EncodeOptions::drop_hosted_tools.
  bool drop_hosted_tools = true;
  /// As EncodeOptions::drop_prefill.
  bool drop_prefill = false;
};

/// Answers of the Responses API that are kept for `previous_response_id`
/// where the backend keeps no state. In memory, per client.
struct ResponseStoreConfig {
  std::size_t max_entries = 1000;                 ///< 0 = nothing is kept
  std::size_t max_bytes = std::size_t{64} << 20;  ///< of all together
  std::chrono::seconds time_to_live{3600};        ///< since it was given
};

/// Where a value came from, for people: "llm-proxy.yaml:12", "environment
/// PORT".
struct ValueOrigin {
  std::string path = {};    ///< "server.port"
  std::string origin = {};  ///< "llm-proxy.yaml:12"
};

/// Everything a Gateway is told; made by hand or by load_config().
/// docs/configuration.md describes each key.
struct Config {
  /// Where and for whom it is served.
  ServerConfig server = {};
  /// For the host's log.
  LogConfig log = {};
  /// How to treat what a target refuses.
  TranslateConfig translate = {};
  /// Kept answers of the Responses API.
  ResponseStoreConfig responses = {};
  /// For models that take image bytes only.
  ImageFetchRules images = {};
  /// How much may go to upstreams.
  UpstreamConfig upstream = {};
  /// How much may pass, of whom; off by default.
  LimitRules limits = {};
  /// Whom requests can go to, by unique names.
  std::vector<Backend> backends = {};
  /// Which model leads where. An exact name wins over a pattern, a longer
  /// pattern over a shorter one.
  std::vector<Route> routes = {};
  /// Of what was set; all else is the default. Later rows win.
  std::vector<ValueOrigin> origins = {};
};

/// Looks up an environment variable; nullopt = not set.
using Environment =
    std::function<std::optional<std::string>(const std::string& name)>;
/// The process environment.
Environment process_environment();
/// `environment`, and behind it what the lines `NAME=value` of a file say.
/// A file that is not there says nothing, and neither does one that
/// check_dotenv() refuses. What it says of where to send requests is not
/// believed for a key that it does not bring itself: see parse_config().
Environment with_dotenv(Environment environment, const std::string& file);
/// Whether such a file may be believed. Errors: invalid_request for one that
/// others than its owner may write, or that belongs to another user. A file
/// that is not there is fine.
Result<void> check_dotenv(const std::string& file);

/// Errors: invalid_request whose message is "file:line: what is expected";
/// also where an address comes from a file of with_dotenv() and the key for it
/// from elsewhere. `name` stands for the file in messages.
Result<Config> parse_config(std::string_view yaml, std::string_view name,
                            const Environment& environment);
/// The same for a file. Errors also: a file that cannot be read.
Result<Config> load_config(
    const std::string& file,
    const Environment& environment = process_environment());
/// Without a file: the demo backend (model `demo`), and each provider whose
/// key variable is set, with routes for its natural model names. Errors: a
/// variable that cannot be used, see docs/configuration.md.
Result<Config> default_config(
    const Environment& environment = process_environment());

/// What of a configuration is likely to be a mistake though it can be served:
/// limits of names that lead nowhere, keys that are easy to guess. A line
/// each, for people; holds no key.
std::vector<std::string> warnings_of(const Config& config);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
