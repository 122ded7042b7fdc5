// Configuration files and environments of other proxies.
#include <catch2/catch.hpp>

#include <unistd.h>
#include <map>

#include "llmproxy/config.h"
#include "support/test_data.h"

using namespace llmproxy;
using namespace std::chrono_literals;

namespace {

using Values = std::map<std::string, std::string>;

Environment variables(Values values) {
  return [values = std::move(values)](
             const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

Result<Config> parse(const std::string& yaml, Values values = {}) {
  return parse_config(yaml, "c.yaml", variables(std::move(values)));
}

Result<Config> parse_file(const std::string& name, Values values = {}) {
  return parse(testing::read_data("config/" + name), std::move(values));
}

const Backend* backend(const Config& config, std::string_view name) {
  for (const Backend& row : config.backends) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string origin(const Config& config, std::string_view path) {
  std::string last;
  for (const ValueOrigin& row : config.origins) {
    if (row.path == path) last = row.origin;
  }
  return last;
}

std::string fault(const std::string& yaml, Values values = {}) {
  const auto config = parse(yaml, std::move(values));
  return config ? "no error" : config.error().message;
}

}  // namespace

TEST_CASE("the file of an Anthropic front is read as it is") {
  const auto config = parse_file(
      "anthropic_front.yaml",
      {{"OPENAI_API_KEY", "sk-openai"}, {"PROXY_API_KEY", "sk-proxy"}});
  REQUIRE(config);
  CHECK(config->server.host == "0.0.0.0");
  CHECK(config->server.port == 8081);
  REQUIRE(config->server.client_keys.size() == 1);
  CHECK(config->server.client_keys[0].equals("sk-proxy"));
  REQUIRE(config->routes.size() == 3);
  CHECK(config->routes[1].name == "claude-sonnet-4-5-20250929");
  CHECK(config->routes[1].backend == "ollama");
  CHECK(config->routes[1].model == "llama3.2");
  // A backend named as a provider is that provider.
  CHECK(backend(*config, "ollama")->provider->name == "ollama");
  CHECK(backend(*config, "openai")->api_key.equals("sk-openai"));
  // Its variables are not set, and no model goes there.
  CHECK(backend(*config, "databricks") == nullptr);
}

TEST_CASE("a backend whose variables are not set is an error once it is used") {
  CHECK(fault("backends:\n  a: {base_url: 'http://h', api_key: '${NOT_SET}'}\n"
              "models: {m: a}\n")
            .find("c.yaml:2: backends.a.api_key: the environment variable "
                  "NOT_SET is not set") == 0);
  CHECK(fault("backends:\n  a: {base_url: 'http://h', api_key: '${NOT_SET}'}\n"
              "  b: {provider: demo}\nmodels: {m: b}\n") == "no error");
}

TEST_CASE("a list of models makes routes below prefixes") {
  const auto config = parse_file("dialect_proxy_pass.yaml");
  REQUIRE(config);
  REQUIRE(config->routes.size() == 1);
  CHECK(config->routes[0].prefix == "/openai");
  CHECK(config->routes[0].name == "gpt-4-proxy");
  CHECK(config->routes[0].model == "gpt-4");
  CHECK(config->routes[0].origin == "c.yaml:2");
  REQUIRE(config->backends.size() == 1);
  const Backend& only = config->backends[0];
  CHECK(only.dialect == nullptr);
  CHECK(only.base_url == "https://api.openai.com");
  CHECK(only.auth_header == "Authorization");
  CHECK(only.auth_prefix == "Bearer ");
  CHECK_FALSE(only.pass_credentials);
}

TEST_CASE("entries with dialects translate") {
  const auto config = parse_file("dialect_proxy_translate.yaml");
  REQUIRE(config);
  REQUIRE(config->backends.size() == 2);
  const Backend& claude = config->backends[0];
  CHECK(claude.dialect == find_dialect("claude"));
  CHECK(claude.provider->name == "anthropic");
  CHECK(claude.base_url == "https://api.anthropic.com");
  CHECK(claude.auth_header == "x-api-key");
  CHECK(claude.auth_prefix.empty());
  const Backend& openai = config->backends[1];
  CHECK(openai.dialect == find_dialect("openai-responses"));
  CHECK(openai.base_url == "https://api.openai.com/v1");
}

TEST_CASE("an entry's mistakes are told where it stands") {
  const std::string head = "models:\n  - frontend_model_name: m\n";
  CHECK(fault(head) == "c.yaml:2: models[0]: frontend_base_url is missing");
  const std::string front = head + "    frontend_base_url: ";
  CHECK(fault(front + "openai\n") ==
        "c.yaml:3: models[0].frontend_base_url: expected a path such as "
        "/openai");
  const std::string rest =
      front + "/o\n    backend_model_name: x\n    backend_base_url: ";
  CHECK(fault(rest + "nowhere\n").find("expected a URL") != std::string::npos);
  const std::string whole = rest + "http://h\n";
  CHECK(fault(whole) == "no error");
  CHECK(fault(whole + "    backend_dialects: x\n")
            .find("did you mean \"backend_dialect\"?") != std::string::npos);
  CHECK(fault(whole + "    frontend_dialect: claude\n")
            .find("frontend_dialect needs backend_dialect") !=
        std::string::npos);
  CHECK(fault(whole + "    backend_dialect: opena\n")
            .find("expected a dialect") != std::string::npos);
  CHECK(fault(whole + whole.substr(whole.find("  -")))
            .find("m is given twice below /o") != std::string::npos);
}

TEST_CASE("system edits are read in both spellings") {
  const std::string edits =
      "system_replacements: {'You are A': 'You are B'}, system_append: more, "
      "inject_progress: true";
  for (const std::string& yaml :
       {"models:\n  - {frontend_model_name: m, frontend_base_url: /p, "
        "backend_model_name: x, backend_base_url: 'http://h', " +
            edits + "}\n",
        "backends: {b: {provider: demo}}\nmodels:\n  m: {backend: b, prefix: "
        "/p, " +
            edits + "}\n"}) {
    CAPTURE(yaml);
    const auto config = parse(yaml);
    REQUIRE(config);
    REQUIRE(config->routes.size() == 1);
    const Route& route = config->routes[0];
    CHECK(route.prefix == "/p");
    REQUIRE(route.system.replacements.size() == 1);
    CHECK(route.system.replacements[0].first == "You are A");
    CHECK(route.system.replacements[0].second == "You are B");
    CHECK(route.system.append == "more");
    CHECK(route.system.progress);
  }
}

TEST_CASE("the limits of a prefix proxy's file are read in their place") {
  const auto config = parse_file("prefix_proxy.yaml");
  REQUIRE(config);
  CHECK(config->limits.enabled);
  CHECK(config->limits.limits.requests_per_minute == 0);
  CHECK(config->limits.estimation.max_sample_bytes == 20000);
  REQUIRE(config->limits.estimation.provider_chars_per_token.size() == 2);
  CHECK(config->limits.estimation.provider_chars_per_token[0].second == 5);
  const auto own = parse(
      "rate_limiting:\n  enabled: true\n  limits: {requests_per_day: 7}\n"
      "  overrides: {per_user: {'*': {tokens_per_minute: 9}}}\n");
  REQUIRE(own);
  CHECK(own->limits.limits.requests_per_day == 7);
  REQUIRE(own->limits.overrides.size() == 1);
  CHECK(own->limits.overrides[0].kind == LimitKind::user);
  CHECK(fault("rate_limiting: {backend: redis}\n").find("expected memory") !=
        std::string::npos);
}

TEST_CASE("variables of hosting platforms and other proxies are obeyed") {
  const auto config = default_config(variables({
      {"PORT", "9002"},
      {"PROXY_API_KEY", "sk-proxy"},
      {"LOG_LEVEL", "WARNING"},
      {"LOG_FILE", "/tmp/proxy.log"},
      {"HTTP_TIMEOUT_SECONDS", "2.5"},
      {"HTTP_MAX_CONNECTIONS", "10"},
      {"HTTP_MAX_KEEPALIVE_CONNECTIONS", "5"},
      {"ANTHROPIC_VERSION", "2024-01-01"},
      {"OPENAI_API_KEY", "sk-openai"},
      {"OPENAI_API_BASE", "http://127.0.0.1:1/v1"},
      {"GEMINI_BASE_URL", "http://127.0.0.1:2"},
  }));
  REQUIRE(config);
  CHECK(config->server.port == 9002);
  CHECK(config->server.client_keys.size() == 1);
  CHECK(config->log.level == "warn");
  CHECK(config->log.file == "/tmp/proxy.log");
  CHECK(config->upstream.max_connections == 10);
  CHECK(config->upstream.max_idle_connections == 5);
  CHECK(backend(*config, "openai")->base_url == "http://127.0.0.1:1/v1");
  CHECK(backend(*config, "openai")->deadlines.first_byte == 2500ms);
  CHECK(backend(*config, "gemini")->base_url == "http://127.0.0.1:2");
  CHECK(find_header(backend(*config, "anthropic")->headers,
                    "anthropic-version") == "2024-01-01");
  CHECK(origin(*config, "server.port") == "environment PORT");
  CHECK(origin(*config, "backends.openai.base_url") ==
        "environment OPENAI_API_BASE");
}

TEST_CASE("a variable that cannot be used is named, not repeated") {
  for (const std::string name :
       {"PORT", "LOG_LEVEL", "HTTP_TIMEOUT_SECONDS", "HTTP_MAX_CONNECTIONS"}) {
    const auto config = default_config(variables({{name, "canary-71"}}));
    REQUIRE_FALSE(config);
    CHECK(config.error().message.find(name) != std::string::npos);
    CHECK(config.error().message.find("canary-71") == std::string::npos);
  }
}

TEST_CASE("a vendor's bare host means its usual path") {
  const Provider& openai = *find_provider("openai");
  const auto url = [&](const char* base) {
    return make_backend(openai, Secret(""), base).base_url;
  };
  CHECK(url("https://api.openai.com") == "https://api.openai.com/v1");
  CHECK(url("http://127.0.0.1:8/") == "http://127.0.0.1:8/v1");
  CHECK(url("http://127.0.0.1:8/custom") == "http://127.0.0.1:8/custom");
}

TEST_CASE("a .env file stands behind the environment") {
  const std::string file = "/tmp/llmproxy-dotenv-" + std::to_string(::getpid());
  std::FILE* out = std::fopen(file.c_str(), "w");
  REQUIRE(out != nullptr);
  std::fputs(
      "# keys\nA=plain\nexport B='with # sign'\n C = \"quoted\" # why\n"
      "D=bare # why\n\nnot a line\nE=from file\n",
      out);
  std::fclose(out);
  const Environment both = with_dotenv(variables({{"E", "real"}}), file);
  CHECK(both("A") == "plain");
  CHECK(both("B") == "with # sign");
  CHECK(both("C") == "quoted");
  CHECK(both("D") == "bare");
  CHECK(both("E") == "real");
  CHECK_FALSE(both("F"));
  ::unlink(file.c_str());
  CHECK_FALSE(with_dotenv(variables({}), file)("A"));
}

TEST_CASE("values tell where they came from") {
  const auto config =
      parse("server:\n  port: 1\n  host: ${H}\n", {{"H", "127.0.0.1"}});
  REQUIRE(config);
  CHECK(origin(*config, "server.port") == "c.yaml:2");
  CHECK(origin(*config, "server.host") == "c.yaml:3, environment H");
}

TEST_CASE("backends without models have the names everybody expects") {
  const auto config = parse(
      "backends:\n  anthropic: {api_key: k}\n"
      "  gpu: {base_url: 'http://gpu/v1'}\n");
  REQUIRE(config);
  std::string names;
  for (const Route& route : config->routes) names += route.name + " ";
  CHECK(names == "claude-* anthropic-* anthropic/* gpu/* ");
}

TEST_CASE("a provider of the host's is one call, and files may name it") {
  const Provider row{.name = "acme",
                     .dialect = "openai-chat",
                     .base_url = "https://api.acme.test/v1"};
  REQUIRE(register_provider(row));
  CHECK_FALSE(register_provider(row));
  CHECK_FALSE(register_provider({.name = "openai", .dialect = "openai-chat"}));
  const auto config = parse("backends: {acme: {api_key: k}}\n");
  REQUIRE(config);
  CHECK(backend(*config, "acme")->base_url == "https://api.acme.test/v1");
  CHECK(backend(*config, "acme")->dialect == find_dialect("openai-chat"));
}
