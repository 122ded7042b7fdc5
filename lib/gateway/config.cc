// parse_config: one table of keys per section of the file.
#include "llmproxy/config.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include "gateway/base_url.h"
#include "gateway/suggest.h"
#include "gateway/yaml.h"

namespace llmproxy {
namespace gateway {
namespace {

// Texts are indexed with 32 bits once they are parsed.
constexpr std::int64_t kMaxBodyBytes =
    std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kMaxConnections = 1'000'000;
constexpr std::array<std::string_view, 5> kLogLevels = {"debug", "info", "warn",
                                                        "error", "off"};
constexpr std::array<std::string_view, 2> kLogFormats = {"text", "json"};
constexpr std::string_view kDefaultProvider = "openai-compatible";
constexpr std::string_view kDefaultRegion = "us-east-1";

// Reads `expr` into `target`; the rows below would say it over and over.
#define LLMPROXY_READ(target, expr) \
  do {                              \
    LLMPROXY_ASSIGN(target, expr);  \
    return {};                      \
  } while (false)

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

Result<void> read_max_body_bytes(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_ASSIGN(const std::int64_t value, node.integer(1, kMaxBodyBytes));
  out.max_body_bytes = static_cast<std::size_t>(value);
  return {};
}

Result<void> read_max_connections(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_ASSIGN(const std::int64_t value, node.integer(1, kMaxConnections));
  out.max_connections = static_cast<std::size_t>(value);
  return {};
}

Result<void> read_port(const YamlNode& node, ServerConfig& out) {
  LLMPROXY_ASSIGN(const std::int64_t value, node.integer(0, 65535));
  out.port = static_cast<int>(value);
  return {};
}

using Node = const YamlNode&;

constexpr YamlField<ServerConfig> kServerFields[] = {
    {"host",
     [](Node node, ServerConfig& out) -> Result<void> {
       LLMPROXY_READ(out.host, node.some_text());
     }},
    {"port", read_port},
    {"allow_anonymous",
     [](Node node, ServerConfig& out) -> Result<void> {
       LLMPROXY_READ(out.allow_anonymous, node.boolean());
     }},
    {"client_keys", read_client_keys<&ServerConfig::client_keys>},
    {"client_access_keys", read_client_keys<&ServerConfig::client_access_keys>},
    {"max_body_bytes", read_max_body_bytes},
    {"max_connections", read_max_connections},
    {"keep_alive_seconds", read_keep_alive},
};

constexpr YamlField<LogConfig> kLogFields[] = {
    {"level",
     [](Node node, LogConfig& out) -> Result<void> {
       LLMPROXY_READ(out.level, node.one_of(kLogLevels));
     }},
    {"format",
     [](Node node, LogConfig& out) -> Result<void> {
       LLMPROXY_READ(out.format, node.one_of(kLogFormats));
     }},
    {"file",
     [](Node node, LogConfig& out) -> Result<void> {
       LLMPROXY_READ(out.file, node.text());
     }},
};

template <bool TranslateConfig::*member>
Result<void> read_switch(const YamlNode& node, TranslateConfig& out) {
  LLMPROXY_READ(out.*member, node.boolean());
}

constexpr YamlField<TranslateConfig> kTranslateFields[] = {
    {"strict", read_switch<&TranslateConfig::strict>},
    {"clamp_sampling", read_switch<&TranslateConfig::clamp_sampling>},
    {"drop_hosted_tools", read_switch<&TranslateConfig::drop_hosted_tools>},
    {"drop_prefill", read_switch<&TranslateConfig::drop_prefill>},
};

template <std::chrono::milliseconds Deadlines::*member>
Result<void> read_deadline(const YamlNode& node, Deadlines& out) {
  LLMPROXY_READ(out.*member, node.seconds());
}

constexpr YamlField<Deadlines> kDeadlineFields[] = {
    {"connect", read_deadline<&Deadlines::connect>},
    {"first_byte", read_deadline<&Deadlines::first_byte>},
    {"idle", read_deadline<&Deadlines::idle>},
    {"total", read_deadline<&Deadlines::total>},
};

// What a backend's section says; made into a Backend once all is read, as
// the provider decides what may be left out.
struct BackendSection {
  const Provider* provider = nullptr;
  const Dialect* dialect = nullptr;
  std::string base_url;
  std::string query;
  Secret api_key;
  AwsCredentials aws;
  Deadlines deadlines;
};

Result<void> read_provider(const YamlNode& node, BackendSection& out) {
  LLMPROXY_ASSIGN(const std::string name, node.text());
  out.provider = find_provider(name);
  if (out.provider != nullptr) return {};
  std::vector<std::string_view> known;
  for (const Provider& row : providers()) known.push_back(row.name);
  return node.error("expected a provider: " + list_of(known) +
                    did_you_mean(name, known));
}

Result<void> read_dialect(const YamlNode& node, BackendSection& out) {
  LLMPROXY_ASSIGN(const std::string name, node.text());
  out.dialect = find_dialect(name);
  if (out.dialect != nullptr) return {};
  std::vector<std::string_view> known;
  for (const Dialect* dialect : dialects()) known.push_back(dialect->name);
  return node.error("expected a dialect: " + list_of(known) +
                    did_you_mean(name, known));
}

Result<void> read_base_url(const YamlNode& node, BackendSection& out) {
  LLMPROXY_ASSIGN(out.base_url, node.text());
  const std::string fault = base_url_fault(out.base_url);
  if (!fault.empty()) return node.error(fault);
  return {};
}

Result<void> read_api_key(const YamlNode& node, BackendSection& out) {
  LLMPROXY_ASSIGN(std::string key, node.text());
  if (key.empty()) {
    return node.error(
        "the key is empty; give one, or leave api_key out where the backend "
        "asks for none");
  }
  out.api_key = Secret(std::move(key));
  return {};
}

template <Secret AwsCredentials::*member>
Result<void> read_aws_secret(const YamlNode& node, BackendSection& out) {
  LLMPROXY_ASSIGN(std::string text, node.text());
  out.aws.*member = Secret(std::move(text));
  return {};
}

template <std::string AwsCredentials::*member>
Result<void> read_aws_text(const YamlNode& node, BackendSection& out) {
  LLMPROXY_READ(out.aws.*member, node.text());
}

constexpr YamlField<BackendSection> kBackendFields[] = {
    {"provider", read_provider},
    {"base_url", read_base_url},
    {"api_key", read_api_key},
    {"dialect", read_dialect},
    {"query",
     [](Node node, BackendSection& out) -> Result<void> {
       LLMPROXY_READ(out.query, node.text());
     }},
    {"region", read_aws_text<&AwsCredentials::region>},
    {"access_key_id", read_aws_text<&AwsCredentials::access_key_id>},
    {"secret_access_key", read_aws_secret<&AwsCredentials::secret_access_key>},
    {"session_token", read_aws_secret<&AwsCredentials::session_token>},
    {"deadlines",
     [](Node node, BackendSection& out) {
       return read_section(node, kDeadlineFields, out.deadlines);
     }},
};

Result<Backend> read_backend(const std::string& name, const YamlNode& node) {
  BackendSection section;
  LLMPROXY_TRY(read_section(node, kBackendFields, section));
  if (section.provider == nullptr) {
    section.provider = find_provider(kDefaultProvider);
  }
  if (section.base_url.empty() && section.provider->base_url.empty()) {
    return node.error("base_url is missing, e.g. http://127.0.0.1:11434/v1");
  }
  Backend backend = make_backend(*section.provider, std::move(section.api_key),
                                 std::move(section.base_url));
  backend.name = name;
  backend.deadlines = section.deadlines;
  backend.query = std::move(section.query);
  backend.aws = std::move(section.aws);
  if (backend.aws.region.empty()) backend.aws.region = kDefaultRegion;
  if (section.dialect != nullptr) backend.dialect = section.dialect;
  return backend;
}

Result<void> read_backends(const YamlNode& node, Config& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [name, section] : members) {
    LLMPROXY_ASSIGN(Backend backend, read_backend(name, section));
    out.backends.push_back(std::move(backend));
  }
  return {};
}

constexpr YamlField<Route> kRouteFields[] = {
    {"backend",
     [](Node node, Route& out) -> Result<void> {
       LLMPROXY_READ(out.backend, node.text());
     }},
    {"model",
     [](Node node, Route& out) -> Result<void> {
       LLMPROXY_READ(out.model, node.some_text());
     }},
};

Result<void> check_route(const Route& route, const YamlNode& node,
                         const std::vector<Backend>& backends) {
  const auto stars = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '*');
  };
  if (route.name.empty()) return node.error("a model's name is empty");
  if (stars(route.name) > 1) {
    return node.error("expected at most one * in a model's name");
  }
  if (stars(route.model) > stars(route.name)) {
    return node.error(
        "expected a model without *, as its name has none to stand for");
  }
  if (route.backend.empty()) return node.error("backend is missing");
  std::vector<std::string_view> known;
  for (const Backend& backend : backends) {
    if (backend.name == route.backend) return {};
    known.push_back(backend.name);
  }
  return node.error(fmt::format("there is no backend \"{}\"; expected {}{}",
                                route.backend, list_of(known),
                                did_you_mean(route.backend, known)));
}

// Called once the backends are known, wherever they stand in the file.
Result<void> read_routes(const YamlNode& node, Config& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [name, value] : members) {
    Route route;
    if (value.is_text()) {
      LLMPROXY_ASSIGN(route.backend, value.text());
    } else if (value.is_map()) {
      LLMPROXY_TRY(read_section(value, kRouteFields, route));
    } else {
      return value.error(
          "expected the name of a backend, or backend: and "
          "model:");
    }
    route.name = name;
    LLMPROXY_TRY(check_route(route, value, out.backends));
    out.routes.push_back(std::move(route));
  }
  return {};
}

// The file with the two sections that need each other held back.
Result<void> read_time_to_live(const YamlNode& node, ResponseStoreConfig& out) {
  LLMPROXY_ASSIGN(const std::chrono::milliseconds limit, node.seconds());
  out.time_to_live = std::chrono::duration_cast<std::chrono::seconds>(limit);
  return {};
}

template <std::size_t ResponseStoreConfig::*member>
Result<void> read_store_limit(const YamlNode& node, ResponseStoreConfig& out) {
  LLMPROXY_ASSIGN(const std::int64_t value, node.integer(0, kMaxBodyBytes));
  out.*member = static_cast<std::size_t>(value);
  return {};
}

constexpr YamlField<ResponseStoreConfig> kResponseFields[] = {
    {"max_entries", read_store_limit<&ResponseStoreConfig::max_entries>},
    {"max_bytes", read_store_limit<&ResponseStoreConfig::max_bytes>},
    {"time_to_live_seconds", read_time_to_live},
};

Result<void> read_image_bytes(const YamlNode& node, ImageFetchRules& out) {
  LLMPROXY_ASSIGN(const std::int64_t value, node.integer(1, kMaxBodyBytes));
  out.max_bytes = static_cast<std::size_t>(value);
  return {};
}

Result<void> read_allowed_hosts(const YamlNode& node, ImageFetchRules& out) {
  LLMPROXY_ASSIGN(const auto items, node.items());
  for (const YamlNode& item : items) {
    LLMPROXY_ASSIGN(std::string host, item.text());
    out.allowed.push_back(std::move(host));
  }
  return {};
}

constexpr YamlField<ImageFetchRules> kImageFields[] = {
    {"fetch",
     [](Node node, ImageFetchRules& out) -> Result<void> {
       LLMPROXY_READ(out.enabled, node.boolean());
     }},
    {"max_bytes", read_image_bytes},
    {"timeout_seconds",
     [](Node node, ImageFetchRules& out) -> Result<void> {
       LLMPROXY_READ(out.timeout, node.seconds());
     }},
    {"allow_addresses", read_allowed_hosts},
};

struct Sections {
  Config config;
  std::optional<YamlNode> backends;
  std::optional<YamlNode> models;
};

constexpr YamlField<Sections> kFileFields[] = {
    {"server",
     [](Node node, Sections& out) {
       return read_section(node, kServerFields, out.config.server);
     }},
    {"log",
     [](Node node, Sections& out) {
       return read_section(node, kLogFields, out.config.log);
     }},
    {"translate",
     [](Node node, Sections& out) {
       return read_section(node, kTranslateFields, out.config.translate);
     }},
    {"responses",
     [](Node node, Sections& out) {
       return read_section(node, kResponseFields, out.config.responses);
     }},
    {"images",
     [](Node node, Sections& out) {
       return read_section(node, kImageFields, out.config.images);
     }},
    {"backends",
     [](Node node, Sections& out) -> Result<void> {
       out.backends = node;
       return {};
     }},
    {"models",
     [](Node node, Sections& out) -> Result<void> {
       out.models = node;
       return {};
     }},
};

#undef LLMPROXY_READ

Result<Config> read_file(const YamlSource& source, std::string_view yaml) {
  LLMPROXY_ASSIGN(const YamlNode root, parse_yaml(source, yaml));
  Sections sections;
  LLMPROXY_TRY(read_section(root, kFileFields, sections));
  Config& config = sections.config;
  const Config defaults = default_config(source.environment);
  if (sections.backends) {
    LLMPROXY_TRY(read_backends(*sections.backends, config));
  }
  const bool own_backends = !config.backends.empty();
  if (!own_backends) config.backends = defaults.backends;
  if (sections.models) {
    LLMPROXY_TRY(read_routes(*sections.models, config));
  }
  if (!config.routes.empty()) return config;
  if (own_backends) {
    return root.error(fmt::format(
        "models: is missing; say which names go to which backend, e.g. "
        "\"*\": {}",
        config.backends.front().name));
  }
  config.routes = defaults.routes;
  return config;
}

}  // namespace
}  // namespace gateway

Result<Config> parse_config(std::string_view yaml, std::string_view name,
                            const Environment& environment) {
  const gateway::YamlSource source{std::string(name), environment};
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
  // stdio, as a stream cannot tell a directory from an empty file.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(
      std::fopen(file.c_str(), "rb"), &std::fclose);
  std::string yaml;
  std::array<char, 4096> piece;
  while (in) {
    const std::size_t n = std::fread(piece.data(), 1, piece.size(), in.get());
    if (n == 0) break;
    yaml.append(piece.data(), n);
  }
  if (!in || std::ferror(in.get())) {
    return invalid_request(
        fmt::format("{}: cannot be read: {}", file, std::strerror(errno)));
  }
  return parse_config(yaml, file, environment);
}

}  // namespace llmproxy
