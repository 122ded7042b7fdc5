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
#include "gateway/default_config.h"
#include "gateway/environment.h"

namespace llmproxy {
namespace gateway {
namespace {

constexpr std::int64_t kMaxConnections = 1'000'000;
constexpr std::array<std::string_view, 5> kLogLevels = {"debug", "info", "warn",
                                                        "error", "off"};
constexpr std::array<std::string_view, 2> kLogFormats = {"text", "json"};

template <std::vector<Secret> ServerConfig::*member>
Result<void> read_client_keys(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_ASSIGN(const auto items, node.items());
  for (const YamlNode& item : items) {
    LLMPROXY_ASSIGN(std::string key, item.text());
    // An empty key would let everybody in.
    if (key.empty()) {
      return item.error("a client key is empty; is its variable empty?");
    }
    (out.*member).emplace_back(std::move(key));
  }
  return {};
}

Result<void> read_keep_alive(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_ASSIGN(out.keep_alive, node.seconds());
  if (out.keep_alive.count() > 0) return {};
  return node.error("expected a number of seconds above 0");
}

Result<void> read_port(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_ASSIGN(const std::int64_t value, node.integer(0, 65535));
  out.port = static_cast<int>(value);
  return {};
}

Result<void> read_origins(const YamlNode& node, CorsConfig& out) {
  LLMPROXY_ASSIGN(const auto items, node.items());
  for (const YamlNode& item : items) {
    LLMPROXY_ASSIGN(std::string origin, item.text());
    const bool host =
        origin.find("://") != std::string::npos && !origin.ends_with('/');
    if (origin != "*" && !host) {
      return item.error("expected an origin such as https://app.example.com");
    }
    out.origins.push_back(std::move(origin));
  }
  return {};
}

constexpr YamlField<CorsConfig> kCorsFields[] = {
    {"origins", read_origins},
    {"max_age_seconds", read_seconds<CorsConfig, &CorsConfig::max_age>},
};

Result<void> read_cors(const YamlNode& node, ServerConfig& out) {
  return read_section(node, kCorsFields, out.cors);
}

constexpr YamlField<ServerConfig> kServerFields[] = {
    {"host", read_some_text<ServerConfig, &ServerConfig::host>},
    {"port", read_port},
    {"allow_anonymous",
     read_boolean<ServerConfig, &ServerConfig::allow_anonymous>},
    {"client_keys", read_client_keys<&ServerConfig::client_keys>},
    {"client_access_keys", read_client_keys<&ServerConfig::client_access_keys>},
    {"backend_paths", read_boolean<ServerConfig, &ServerConfig::backend_paths>},
    {"cors", read_cors},
    {"max_body_bytes",
     read_size<ServerConfig, &ServerConfig::max_body_bytes, 1>},
    {"max_connections", read_size<ServerConfig, &ServerConfig::max_connections,
                                  1, kMaxConnections>},
    {"keep_alive_seconds", read_keep_alive},
};

constexpr YamlField<UpstreamConfig> kUpstreamFields[] = {
    {"max_connections",
     read_size<UpstreamConfig, &UpstreamConfig::max_connections, 0,
               kMaxConnections>},
    {"max_idle_connections",
     read_size<UpstreamConfig, &UpstreamConfig::max_idle_connections, 0,
               kMaxConnections>},
    {"http2", read_boolean<UpstreamConfig, &UpstreamConfig::http2>},
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
     }},
    {"format",
     [](const YamlNode& node, LogConfig& out) {
       return read_word<&LogConfig::format>(node, kLogFormats, out);
     }},
    {"file", read_text<LogConfig, &LogConfig::file>},
};

constexpr YamlField<TranslateConfig> kTranslateFields[] = {
    {"strict", read_boolean<TranslateConfig, &TranslateConfig::strict>},
    {"clamp_sampling",
     read_boolean<TranslateConfig, &TranslateConfig::clamp_sampling>},
    {"drop_hosted_tools",
     read_boolean<TranslateConfig, &TranslateConfig::drop_hosted_tools>},
    {"drop_prefill",
     read_boolean<TranslateConfig, &TranslateConfig::drop_prefill>},
};

Result<void> read_time_to_live(const YamlNode& node, ResponseStoreConfig& out) {
  LLMPROXY_ASSIGN(const std::chrono::milliseconds limit, node.seconds());
  out.time_to_live = std::chrono::duration_cast<std::chrono::seconds>(limit);
  return {};
}

constexpr YamlField<ResponseStoreConfig> kResponseFields[] = {
    {"max_entries",
     read_size<ResponseStoreConfig, &ResponseStoreConfig::max_entries, 0>},
    {"max_bytes",
     read_size<ResponseStoreConfig, &ResponseStoreConfig::max_bytes, 0>},
    {"time_to_live_seconds", read_time_to_live},
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
    {"fetch", read_boolean<ImageFetchRules, &ImageFetchRules::enabled>},
    {"max_bytes", read_size<ImageFetchRules, &ImageFetchRules::max_bytes, 1>},
    {"timeout_seconds",
     read_seconds<ImageFetchRules, &ImageFetchRules::timeout>},
    {"allow_addresses", read_allowed_hosts},
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

// The limits have two places: one of their own, and the one that another
// proxy's files have.
constexpr YamlField<Sections> kFeatureFields[] = {
    {"rate_limiting",
     [](const YamlNode& node, Sections& out) {
       return read_limits(node, out.config.limits);
     }},
};

constexpr YamlField<Sections> kFileFields[] = {
    {"server",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kServerFields, out.config.server);
     }},
    {"log",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kLogFields, out.config.log);
     }},
    {"translate",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kTranslateFields, out.config.translate);
     }},
    {"responses",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kResponseFields, out.config.responses);
     }},
    {"images",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kImageFields, out.config.images);
     }},
    {"upstream",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kUpstreamFields, out.config.upstream);
     }},
    {"rate_limiting", kFeatureFields[0].read},
    {"features",
     [](const YamlNode& node, Sections& out) {
       return read_section(node, kFeatureFields, out);
     }},
    {"backends", hold_back<&Sections::backends>},
    {"models", hold_back<&Sections::models>},
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
    Config defaults = default_backends(environment);
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
