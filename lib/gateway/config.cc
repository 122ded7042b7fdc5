// parse_config: one table of keys per section of the file.
#include "llmproxy/config.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "gateway/apply_environment.h"
#include "gateway/config_backends.h"
#include "gateway/config_fields.h"
#include "gateway/config_limits.h"
#include "gateway/config_models.h"
#include "gateway/config_rules.h"
#include "gateway/default_config.h"
#include "gateway/environment.h"

namespace llmproxy {
namespace gateway {
namespace {

constexpr std::int64_t kMaxConnections = 1'000'000;
constexpr std::int64_t kMaxPort = 65535;
// What the framings can hold.
constexpr std::int64_t kMaxEventBytes = std::int64_t{64} << 20;
constexpr std::int64_t kMaxBytesInFlight = std::int64_t{1} << 50;
constexpr std::array<std::string_view, 5> kLogLevels = {"debug", "info", "warn",
                                                        "error", "off"};
constexpr std::array<std::string_view, 2> kLogFormats = {"text", "json"};

template <std::vector<Secret> ServerConfig::*member>
Result<void> read_client_keys(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_ASSIGN(const auto items, node.items());
  for (const YamlNode& item : items) {
    LLMPROXY_ASSIGN(std::string key, item.text());
    key = trimmed_key(std::move(key));
    // An empty key would let everybody in.
    if (key.empty()) {
      return item.error("a client key is empty; is its variable empty?");
    }
    const std::string fault = key_fault(key);
    if (!fault.empty()) return item.error(fault);
    (out.*member).emplace_back(std::move(key));
  }
  return {};
}

template <class Section, std::chrono::milliseconds Section::*member>
Result<void> read_some_seconds(const YamlNode& node, Section& out) {
  LLMPROXY_ASSIGN(out.*member, node.seconds());
  if ((out.*member).count() > 0) return {};
  return node.error("expected a number of seconds above 0");
}

Result<void> read_port(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_ASSIGN(const std::int64_t value, node.integer(0, kMaxPort));
  out.port = static_cast<int>(value);
  return {};
}

/// "null", "vscode-webview://", "https://app.example.com", or "*". Pages of a
/// host are never all of a scheme.
bool is_origin(std::string_view text) {
  if (text == "*" || text == "null") return true;
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return false;
  const bool web = text.starts_with("http://") || text.starts_with("https://");
  const std::string_view host = text.substr(scheme + 3);
  return host.empty() ? !web : host.find_first_of("/?#@* ") == host.npos;
}

Result<void> read_hosts(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_ASSIGN(const auto items, node.items());
  for (const YamlNode& item : items) {
    LLMPROXY_ASSIGN(std::string host, item.text());
    const bool name = !host.empty() &&
                      host.find_first_of("/?#@* \t\r\n") == std::string::npos;
    const bool port = !host.starts_with('[') && host.find(':') != host.npos;
    if (host != "*" && (!name || port)) {
      return item.error(
          "expected a host's name without a port, such as proxy.internal, or "
          "\"*\"");
    }
    out.hosts.push_back(std::move(host));
  }
  return {};
}

Result<void> read_origins(const YamlNode& node, CorsConfig& out) {
  LLMPROXY_ASSIGN(const auto items, node.items());
  for (const YamlNode& item : items) {
    LLMPROXY_ASSIGN(std::string origin, item.text());
    if (!is_origin(origin)) {
      return item.error("expected an origin such as https://app.example.com");
    }
    out.origins.push_back(std::move(origin));
  }
  return {};
}

constexpr YamlField<CorsConfig> kCorsFields[] = {
    {"origins", read_origins, kTexts,
     "Origins of web pages that may call from a browser, or \"*\"."},
    seconds_field<CorsConfig, &CorsConfig::max_age>(
        "max_age_seconds", "How long a browser may cache that answer (600)."),
};

Result<void> read_cors(const YamlNode& node, ServerConfig& out) {
  return read_section(node, kCorsFields, out.cors);
}

constexpr YamlField<ServerConfig> kServerFields[] = {
    some_text_field<ServerConfig, &ServerConfig::host>(
        "host", "Address to listen on (127.0.0.1)."),
    {"port", read_port, whole(0, kMaxPort),
     "TCP port (8080); 0 lets the system choose."},
    boolean_field<ServerConfig, &ServerConfig::allow_anonymous>(
        "allow_anonymous", "Serve other machines without client keys."),
    {"client_keys", read_client_keys<&ServerConfig::client_keys>, kTexts,
     "Client keys; a client must send one of them."},
    {"client_access_keys", read_client_keys<&ServerConfig::client_access_keys>,
     kTexts,
     "AWS access key ids that clients of the Bedrock APIs may sign with."},
    boolean_field<ServerConfig, &ServerConfig::backend_paths>(
        "backend_paths",
        "Serve each backend's whole API under its name (true)."),
    {"cors", read_cors, section<kCorsFields>(),
     "Web pages that may call from a browser."},
    size_field<ServerConfig, &ServerConfig::max_body_bytes, 1>(
        "max_body_bytes", "Larger request bodies get 413 (67108864)."),
    size_field<ServerConfig, &ServerConfig::max_body_values, 1>(
        "max_body_values",
        "JSON request bodies with more values get 413 (500000)."),
    size_field<ServerConfig, &ServerConfig::max_bytes_in_flight, 0,
               kMaxBytesInFlight>(
        "max_bytes_in_flight",
        "Bytes of all bodies and answers in flight together (536870912); 0: no "
        "limit."),
    size_field<ServerConfig, &ServerConfig::max_upload_bytes, 1,
               kMaxBytesInFlight>(
        "max_upload_bytes",
        "Larger forms (multipart/form-data) get 413 (1073741824)."),
    size_field<ServerConfig, &ServerConfig::max_upload_bytes_in_flight, 0,
               kMaxBytesInFlight>(
        "max_upload_bytes_in_flight",
        "Bytes of all forms in flight together, which are kept in files "
        "(4294967296); 0: no limit."),
    text_field<ServerConfig, &ServerConfig::upload_folder>(
        "upload_folder",
        "Directory for the files of forms (TMPDIR, else /tmp)."),
    size_field<ServerConfig, &ServerConfig::max_connections, 1,
               kMaxConnections>("max_connections",
                                "Connections served at once (8192)."),
    size_field<ServerConfig, &ServerConfig::max_connections_per_address, 0,
               kMaxConnections>(
        "max_connections_per_address",
        "Connections served at once from one address (0: no limit)."),
    seconds_field<ServerConfig, &ServerConfig::shutdown>(
        "shutdown_seconds",
        "How long running requests may go on after SIGTERM (5)."),
    {"keep_alive_seconds",
     read_some_seconds<ServerConfig, &ServerConfig::keep_alive>, kNumber,
     "Silence of the upstream after which a stream gets a keep-alive (15)."},
    {"write_stall_seconds",
     read_some_seconds<ServerConfig, &ServerConfig::write_stall>, kNumber,
     "How long a client may stop reading its response (30)."},
    {"hosts", read_hosts, kTexts,
     "Host names that clients use for the proxy, or \"*\"."},
    seconds_field<ServerConfig, &ServerConfig::model_lists>(
        "model_lists_seconds",
        "How long the model lists of backends are cached (300); 0: backends "
        "are "
        "not asked."),
};

/// `all` = 0 is no limit.
Result<void> check_fits(const YamlNode& node, std::string_view one_name,
                        std::size_t one, std::string_view all_name,
                        std::size_t all) {
  if (all == 0 || all >= one) return {};
  return node.error(
      fmt::format("{} ({}) is more than {} ({}): so large a body could never "
                  "come in",
                  one_name, one, all_name, all));
}

Result<void> read_server(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_TRY(read_section(node, kServerFields, out));
  LLMPROXY_TRY(check_fits(node, "max_body_bytes", out.max_body_bytes,
                          "max_bytes_in_flight", out.max_bytes_in_flight));
  return check_fits(node, "max_upload_bytes", out.max_upload_bytes,
                    "max_upload_bytes_in_flight",
                    out.max_upload_bytes_in_flight);
}

constexpr YamlField<UpstreamConfig> kUpstreamFields[] = {
    size_field<UpstreamConfig, &UpstreamConfig::max_connections, 0,
               kMaxConnections>("max_connections",
                                "Model calls at once (0: no limit)."),
    size_field<UpstreamConfig, &UpstreamConfig::max_idle_connections, 0,
               kMaxConnections>("max_idle_connections",
                                "Idle connections that are kept open (512)."),
    seconds_field<UpstreamConfig, &UpstreamConfig::max_idle>(
        "max_idle_seconds",
        "How long an idle connection may be used again (4)."),
    size_field<UpstreamConfig, &UpstreamConfig::max_answer_bytes, 1>(
        "max_answer_bytes",
        "Larger answers that are not streamed get 502 (67108864)."),
    size_field<UpstreamConfig, &UpstreamConfig::max_event_bytes, 1024,
               kMaxEventBytes>(
        "max_event_bytes", "A stream with a larger event fails (67108864)."),
    boolean_field<UpstreamConfig, &UpstreamConfig::http2>(
        "http2", "Speak HTTP/2 where a TLS upstream offers it."),
};

template <std::string LogConfig::*member>
Result<void> read_word(const YamlNode& node,
                       std::span<const std::string_view> words,
                       LogConfig& out) {
  LLMPROXY_ASSIGN(out.*member, node.one_of(words));
  return {};
}

constexpr YamlField<LogConfig> kLogFields[] = {
    {"level",
     [](const YamlNode& node, LogConfig& out) {
       return read_word<&LogConfig::level>(node, kLogLevels, out);
     },
     word<kLogLevels>(), "Least severity that is logged (info)."},
    {"format",
     [](const YamlNode& node, LogConfig& out) {
       return read_word<&LogConfig::format>(node, kLogFormats, out);
     },
     word<kLogFormats>(), "Format of a log line (text)."},
    text_field<LogConfig, &LogConfig::file>(
        "file", "File to append to (standard error)."),
};

constexpr YamlField<TranslateConfig> kTranslateFields[] = {
    boolean_field<TranslateConfig, &TranslateConfig::strict>(
        "strict", "Refuse requests that cannot be translated exactly."),
    boolean_field<TranslateConfig, &TranslateConfig::clamp_sampling>(
        "clamp_sampling",
        "Clamp sampling values to the target's range instead of refusing "
        "them."),
    boolean_field<TranslateConfig, &TranslateConfig::drop_hosted_tools>(
        "drop_hosted_tools",
        "Drop tools that run at another provider instead of refusing them "
        "(true)."),
    boolean_field<TranslateConfig, &TranslateConfig::drop_prefill>(
        "drop_prefill",
        "Drop a final assistant message where the model does not take one."),
};

Result<void> read_time_to_live(const YamlNode& node, ResponseStoreConfig& out) {
  LLMPROXY_ASSIGN(const std::chrono::milliseconds limit, node.seconds());
  out.time_to_live = std::chrono::duration_cast<std::chrono::seconds>(limit);
  return {};
}

constexpr YamlField<ResponseStoreConfig> kResponseFields[] = {
    size_field<ResponseStoreConfig, &ResponseStoreConfig::max_entries, 0>(
        "max_entries", "Answers kept for previous_response_id (1000)."),
    size_field<ResponseStoreConfig, &ResponseStoreConfig::max_bytes, 0>(
        "max_bytes", "Bytes of all of them together (67108864)."),
    {"time_to_live_seconds", read_time_to_live, kNumber,
     "How long an answer is kept (3600)."},
};

Result<void> read_allowed_hosts(const YamlNode& node, ImageFetchRules& out) {
  LLMPROXY_ASSIGN(const auto items, node.items());
  for (const YamlNode& item : items) {
    LLMPROXY_ASSIGN(std::string host, item.text());
    out.allowed.push_back(std::move(host));
  }
  return {};
}

constexpr YamlField<ImageFetchRules> kImageFields[] = {
    boolean_field<ImageFetchRules, &ImageFetchRules::enabled>(
        "fetch", "Fetch images by URL for models that take bytes (true)."),
    size_field<ImageFetchRules, &ImageFetchRules::max_bytes, 1>(
        "max_bytes", "Bytes of one image (20971520)."),
    size_field<ImageFetchRules, &ImageFetchRules::max_count, 1>(
        "max_count", "Images by URL in one request (100)."),
    size_field<ImageFetchRules, &ImageFetchRules::max_total_bytes, 1>(
        "max_total_bytes", "Bytes of all images of one request (33554432)."),
    size_field<ImageFetchRules, &ImageFetchRules::max_concurrent, 1,
               kMaxConnections>(
        "max_concurrent", "Images fetched at once, for all requests (32)."),
    {"timeout_seconds",
     read_some_seconds<ImageFetchRules, &ImageFetchRules::timeout>, kNumber,
     "Time for all images of a request (20)."},
    {"allow_addresses", read_allowed_hosts, kTexts,
     "address:port pairs that may be reached though they are not public."},
};

// The file with the two sections that need each other held back.
struct Sections {
  Config config;
  std::optional<YamlNode> backends;
  std::optional<YamlNode> models;
};

template <std::optional<YamlNode> Sections::*member>
Result<void> hold_back(const YamlNode& node, Sections& out) {
  out.*member = node;
  return {};
}

Result<void> read_rate_limiting(const YamlNode& node, Sections& out) {
  return read_limits(node, out.config.limits);
}

// The limits have two places: one of their own, and the one that another
// proxy's files have.
constexpr YamlField<Sections> kFeatureFields[] = {
    {"rate_limiting", read_rate_limiting, kLimitsShape,
     "Alternative place of rate_limiting."},
};

constexpr YamlField<Sections> kFileFields[] = {
    {"server",
     [](const YamlNode& node, Sections& out) {
       return read_server(node, out.config.server);
     },
     section<kServerFields>(),
     "Address, client keys and limits of the server."},
    {"log",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kLogFields, out.config.log);
     },
     section<kLogFields>(), "One line for each request."},
    {"translate",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kTranslateFields, out.config.translate);
     },
     section<kTranslateFields>(),
     "What to do with what a target does not take."},
    {"responses",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kResponseFields, out.config.responses);
     },
     section<kResponseFields>(), "Kept answers of the Responses API."},
    {"images",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kImageFields, out.config.images);
     },
     section<kImageFields>(), "Images by URL for models that take bytes."},
    {"upstream",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kUpstreamFields, out.config.upstream);
     },
     section<kUpstreamFields>(), "Connections to all backends."},
    {"rate_limiting", read_rate_limiting, kLimitsShape,
     "Limits on requests and tokens by user, key, model and backend."},
    {"features",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kFeatureFields, out);
     },
     section<kFeatureFields>(),
     "Alternative place of rate_limiting, as in other proxies."},
    {"backends", hold_back<&Sections::backends>, kBackendsShape,
     "Where requests can be sent, by names of your choice."},
    {"models", hold_back<&Sections::models>, kModelsShape,
     "Which name is served by which backend; a list defines its backends "
     "as well."},
};

/// Backends: those of the file, or where it has none those of the
/// environment; a list of models brings its own.
Result<void> read_backends_and_models(const Sections& sections,
                                      const Environment& environment,
                                      Config& config) {
  BackendSections backends;
  if (sections.backends) {
    LLMPROXY_TRY(read_backends(*sections.backends, backends));
  }
  config.backends = std::move(backends.backends);
  const bool listed = sections.models && sections.models->is_list();
  if (config.backends.empty() && backends.unusable.empty() && !listed) {
    LLMPROXY_ASSIGN(Config defaults, default_backends(environment));
    config.backends = std::move(defaults.backends);
    config.routes = std::move(defaults.routes);
    config.origins = std::move(defaults.origins);
  }
  if (!sections.models || sections.models->is_empty()) {
    if (config.routes.empty()) add_usual_routes(config);
    return {};
  }
  config.routes.clear();
  return read_models(*sections.models, backends, config);
}

Result<Config> read_file(const YamlSource& source, std::string_view yaml) {
  LLMPROXY_ASSIGN(const YamlNode root, parse_yaml(source, yaml));
  Sections sections;
  LLMPROXY_TRY(read_section(root, kFileFields, sections));
  Config& config = sections.config;
  LLMPROXY_TRY(read_backends_and_models(sections, source.environment, config));
  config.origins.insert(config.origins.end(), source.origins->begin(),
                        source.origins->end());
  LLMPROXY_TRY(apply_environment(source.environment, config));
  return std::move(config);
}

}  // namespace

std::vector<KeyShape> file_keys() { return keys_of<kFileFields>(); }

}  // namespace gateway

Result<Config> parse_config(std::string_view yaml, std::string_view name,
                            const Environment& environment) {
  std::vector<ValueOrigin> origins;
  const gateway::YamlSource source{std::string(name), environment, &origins};
  // yaml-cpp throws on what it cannot make sense of, and only there.
  try {
    return gateway::read_file(source, yaml);
  } catch (const YAML::Exception& e) {
    return invalid_request(
        fmt::format("{}:{}: {}", name, e.mark.line + 1, e.msg));
  }
}

Result<Config> load_config(const std::string& file,
                           const Environment& environment) {
  LLMPROXY_ASSIGN(const std::string yaml, gateway::read_whole_file(file));
  return parse_config(yaml, file, environment);
}

}  // namespace llmproxy
