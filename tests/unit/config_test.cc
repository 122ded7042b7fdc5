// Configuration files: what is read, and how every mistake is told.
#include "llmproxy/config.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include <catch2/catch.hpp>

using namespace llmproxy;
using namespace std::chrono_literals;

namespace {

Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](
             const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

Result<Config> parse(std::string_view yaml,
                     std::map<std::string, std::string> values = {}) {
  return parse_config(yaml, "p.yaml", variables(std::move(values)));
}

// The message of the error, or "no error".
std::string fault(std::string_view yaml,
                  std::map<std::string, std::string> values = {}) {
  const auto config = parse(yaml, std::move(values));
  if (config) return "no error";
  CHECK(config.error().kind == ErrorKind::invalid_request);
  return config.error().message;
}

const Backend* backend(const Config& config, std::string_view name) {
  for (const Backend& row : config.backends) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

constexpr std::string_view kWhole = R"(
server:
  host: 0.0.0.0
  port: 9000
  allow_anonymous: true
  client_keys: [one, "${TWO}"]
  max_body_bytes: 1000
  max_body_values: 300
  max_bytes_in_flight: 5000
  max_connections: 20
  max_connections_per_address: 7
  keep_alive_seconds: 2.5
  shutdown_seconds: 0.5
  write_stall_seconds: 7
upstream: {max_idle_seconds: 1.5, max_answer_bytes: 5000}
images: {max_count: 3, max_total_bytes: 4000, max_concurrent: 2}
log: {level: debug, format: json, file: /tmp/x.log}
translate: {strict: true, clamp_sampling: yes, drop_hosted_tools: true,
            drop_prefill: true}
backends:
  local:
    base_url: http://127.0.0.1:${PORT:-11434}/v1
    deadlines: {connect: 1, first_byte: 2.5, idle: 3, total: 0}
  vendor:
    provider: anthropic
    api_key: ${KEY}
  other:
    base_url: https://example.com/v1
    dialect: claude
models:
  gpt-5: {backend: local, model: llama3}
  claude-*: vendor
)";

}  // namespace

TEST_CASE("a whole file is read") {
  const auto config = parse(kWhole, {{"TWO", "second"}, {"KEY", "secret"}});
  REQUIRE(config);
  const ServerConfig& server = config->server;
  CHECK(server.host == "0.0.0.0");
  CHECK(server.port == 9000);
  CHECK(server.allow_anonymous);
  REQUIRE(server.client_keys.size() == 2);
  CHECK(server.client_keys[0].equals("one"));
  CHECK(server.client_keys[1].equals("second"));
  CHECK(server.max_body_bytes == 1000);
  CHECK(server.max_body_values == 300);
  CHECK(server.max_connections == 20);
  CHECK(server.max_bytes_in_flight == 5000);
  CHECK(server.max_connections_per_address == 7);
  CHECK(server.keep_alive == 2500ms);
  CHECK(server.shutdown == 500ms);
  CHECK(server.write_stall == 7s);
  CHECK(config->upstream.max_idle == 1500ms);
  CHECK(config->upstream.max_answer_bytes == 5000);
  CHECK(config->images.max_count == 3);
  CHECK(config->images.max_total_bytes == 4000);
  CHECK(config->images.max_concurrent == 2);
  CHECK(config->log.level == "debug");
  CHECK(config->log.format == "json");
  CHECK(config->log.file == "/tmp/x.log");
  CHECK(config->translate.strict);
  CHECK(config->translate.clamp_sampling);
  CHECK(config->translate.drop_hosted_tools);
  CHECK(config->translate.drop_prefill);
}

TEST_CASE("backends take what they lack from their provider") {
  const auto config = parse(kWhole, {{"TWO", "second"}, {"KEY", "secret"}});
  REQUIRE(config);
  REQUIRE(config->backends.size() == 3);
  const Backend* local = backend(*config, "local");
  REQUIRE(local);
  CHECK(local->base_url == "http://127.0.0.1:11434/v1");
  CHECK(local->provider->name == "openai-compatible");
  CHECK(local->dialect == find_dialect("openai-chat"));
  CHECK(local->api_key.empty());
  CHECK(local->deadlines == Deadlines{1s, 2500ms, 3s, 0s});
  const Backend* vendor = backend(*config, "vendor");
  REQUIRE(vendor);
  CHECK(vendor->base_url == find_provider("anthropic")->base_url);
  CHECK(vendor->dialect == find_dialect("claude"));
  CHECK(vendor->api_key.equals("secret"));
  CHECK(vendor->deadlines == Deadlines{});
  const Backend* other = backend(*config, "other");
  REQUIRE(other);
  CHECK(other->dialect == find_dialect("claude"));
}

TEST_CASE("routes are read in their short and long form") {
  const auto config = parse(kWhole, {{"TWO", "second"}, {"KEY", "secret"}});
  REQUIRE(config);
  REQUIRE(config->routes.size() == 2);
  CHECK(config->routes[0].name == "gpt-5");
  CHECK(config->routes[0].backend == "local");
  CHECK(config->routes[0].model == "llama3");
  CHECK(config->routes[1].name == "claude-*");
  CHECK(config->routes[1].backend == "vendor");
  CHECK(config->routes[1].model.empty());
}

TEST_CASE("variables are replaced as in the shell") {
  const auto host = [](std::string_view value,
                       std::map<std::string, std::string> values) {
    const auto config = parse("server: {host: '" + std::string(value) + "'}",
                              std::move(values));
    return config ? config->server.host : config.error().message;
  };
  CHECK(host("${A}", {{"A", "x"}}) == "x");
  CHECK(host("${A:-d}", {}) == "d");
  CHECK(host("${A:-d}", {{"A", ""}}) == "d");
  CHECK(host("${A:-d}", {{"A", "x"}}) == "x");
  CHECK(host("a${A}b${B}c", {{"A", "1"}, {"B", "2"}}) == "a1b2c");
  // A value is not looked at again.
  CHECK(host("${A}", {{"A", "${B}"}, {"B", "no"}}) == "${B}");
  CHECK(host("cost $5", {}) == "cost $5");
}

TEST_CASE("mistakes in variables name the variable and the line") {
  CHECK(fault("server:\n  host: ${HOST}\n") ==
        "p.yaml:2: server.host: the environment variable HOST is not set; "
        "set it, or write ${HOST:-default}");
  CHECK(fault("server: {host: '${HOST'}") ==
        "p.yaml:1: server.host: \"${\" is never closed by \"}\"");
  CHECK(fault("server: {host: '${1X}'}").find("must hold the name") !=
        std::string::npos);
}

TEST_CASE("unknown keys are refused, with a suggestion") {
  CHECK(fault("serer:\n  port: 1\n") ==
        "p.yaml:1: serer: unknown key; expected server, log, translate, "
        "responses, images, upstream, rate_limiting, features, backends or "
        "models; did you mean \"server\"?");
  CHECK(fault("server:\n  port: 1\n  prot: 2\n") ==
        "p.yaml:3: server.prot: unknown key; expected host, port, "
        "allow_anonymous, client_keys, client_access_keys, backend_paths, "
        "cors, max_body_bytes, max_body_values, max_bytes_in_flight, "
        "max_upload_bytes, max_upload_bytes_in_flight, upload_folder, "
        "max_connections, max_connections_per_address, shutdown_seconds, "
        "keep_alive_seconds, write_stall_seconds, hosts or "
        "model_lists_seconds; did you mean \"port\"?");
  CHECK(fault("backends:\n  a:\n    url: x\n") ==
        "p.yaml:3: backends.a.url: unknown key; expected provider, base_url, "
        "api_key, auth_header, auth_prefix, pass_credentials, headers, "
        "dialect, query, region, access_key_id, "
        "secret_access_key, session_token or deadlines; did you mean "
        "\"base_url\"?");
  CHECK(fault("backends: {a: {deadlines: {idel: 1}}}")
            .find("did you mean \"idle\"?") != std::string::npos);
}

TEST_CASE("wrong types and ranges say what is expected") {
  struct Row {
    std::string_view yaml;
    std::string_view message;
  };
  const Row rows[] = {
      {"server: {port: abc}",
       "server.port: expected a whole number from 0 to 65535"},
      {"server: {port: 65536}",
       "server.port: expected a whole number from 0 to 65535"},
      {"server: {port: -1}",
       "server.port: expected a whole number from 0 to 65535"},
      {"server: {port: 80.5}",
       "server.port: expected a whole number from 0 to 65535"},
      {"server: {port: [1]}",
       "server.port: expected a whole number from 0 to 65535"},
      {"server: {host: ''}",
       "server.host: expected a string that is not empty"},
      {"server: {host: {a: b}}",
       "server.host: expected a string, found keys with values"},
      {"server: {allow_anonymous: maybe}",
       "server.allow_anonymous: expected true or false"},
      {"server: {client_keys: one}",
       "server.client_keys: expected a list such as [one, two], found a text"},
      {"server: {client_keys: ['']}",
       "server.client_keys[0]: a client key is empty; is its variable empty?"},
      {"server: {max_body_values: 0}",
       "server.max_body_values: expected a whole number from 1 to 4294967295"},
      {"server: {max_body_bytes: 0}",
       "server.max_body_bytes: expected a whole number from 1 to 4294967295"},
      {"server: {max_connections: 0}",
       "server.max_connections: expected a whole number from 1 to 1000000"},
      {"server: {max_body_bytes: 1001, max_bytes_in_flight: 1000}",
       "server: max_body_bytes (1001) is more than max_bytes_in_flight (1000): "
       "so large a body could never come in"},
      {"server: {max_bytes_in_flight: -1}",
       "server.max_bytes_in_flight: expected a whole number from 0 to "
       "1125899906842624"},
      {"server: {max_connections_per_address: x}",
       "server.max_connections_per_address: expected a whole number from 0 to "
       "1000000"},
      {"server: {keep_alive_seconds: 0}",
       "server.keep_alive_seconds: expected a number of seconds above 0"},
      {"images: {timeout_seconds: 0}",
       "images.timeout_seconds: expected a number of seconds above 0"},
      {"images: {max_count: 0}",
       "images.max_count: expected a whole number from 1 to 4294967295"},
      {"images: {max_total_bytes: 0}",
       "images.max_total_bytes: expected a whole number from 1 to 4294967295"},
      {"images: {max_concurrent: 0}",
       "images.max_concurrent: expected a whole number from 1 to 1000000"},
      {"upstream: {max_answer_bytes: 0}",
       "upstream.max_answer_bytes: expected a whole number from 1 to "
       "4294967295"},
      {"upstream: {max_event_bytes: 1000}",
       "upstream.max_event_bytes: expected a whole number from 1024 to "
       "67108864"},
      {"upstream: {max_idle_seconds: -1}",
       "upstream.max_idle_seconds: expected a number of seconds, 0 or more"},
      {"server: {write_stall_seconds: 0}",
       "server.write_stall_seconds: expected a number of seconds above 0"},
      {"server: {keep_alive_seconds: nan}",
       "server.keep_alive_seconds: expected a number of seconds, 0 or more"},
      {"server: 5", "server: expected keys with values, found a text"},
      {"log: {level: inf}",
       "log.level: expected debug, info, warn, error or off; did you mean "
       "\"info\"?"},
      {"log: {format: xml}", "log.format: expected text or json"},
      {"backends: {a: {base_url: http://h, deadlines: {idle: -1}}}",
       "backends.a.deadlines.idle: expected a number of seconds, 0 or more"},
  };
  for (const Row& row : rows) {
    CHECK(fault(row.yaml) == "p.yaml:1: " + std::string(row.message));
  }
}

TEST_CASE("a backend's mistakes are told") {
  CHECK(fault("backends:\n  a:\n    provider: openia\n")
            .find("p.yaml:3: backends.a.provider: expected a provider: ") == 0);
  CHECK(fault("backends: {a: {provider: openia}}")
            .find("did you mean \"openai\"?") != std::string::npos);
  CHECK(fault("backends:\n  a:\n    api_key: k\n")
            .find("p.yaml:2: backends.a: base_url is missing") == 0);
  CHECK(fault("backends: {a: {provider: openai, dialect: cluade}}")
            .find("did you mean \"claude\"?") != std::string::npos);
  for (const std::string_view url :
       {"ftp://example.com", "http://", "https:///v1", "''",
        "'http://exa\\mple.com'"}) {
    CHECK(fault("backends: {a: {base_url: " + std::string(url) + "}}") ==
          "p.yaml:1: backends.a.base_url: expected a URL such as "
          "https://api.example.com/v1");
  }
  const std::pair<std::string_view, std::string_view> hosts[] = {
      {"'http://exa mple.com'", "without spaces"},
      {"' http://h/v1'", "without spaces"},
      {"'http://h/v1 '", "without spaces"},
      {"\"http://h/v1\\n\"", "line breaks"},
      {"HTTP://h/v1", "small letters"},
      {"http://h:99999/v1", "a port from 1 to 65535"},
      {"http://h:0/v1", "a port from 1 to 65535"},
      {"'http://h:/v1'", "a port from 1 to 65535"},
      {"http://h:abc", "a port from 1 to 65535"},
      {"http://h:+80", "a port from 1 to 65535"},
      {"'http://[::1]:80x/v1'", "a port from 1 to 65535"},
      {"'http://[::1]80/v1'", "a port from 1 to 65535"},
      {"'http://[::1/v1'", "in brackets"},
      {"'http://::1/v1'", "in brackets"},
  };
  for (const auto& [url, words] : hosts) {
    CAPTURE(url);
    CHECK(fault("backends: {a: {base_url: " + std::string(url) + "}}")
              .find(words) != std::string::npos);
  }
  for (const std::string_view url :
       {"http://h:1", "'http://[::1]/v1'", "'http://[::1]:8081/v1'"}) {
    CHECK(fault("backends: {a: {base_url: " + std::string(url) + "}}") ==
          "no error");
  }
  CHECK(fault("backends: {a: {base_url: example.com}}")
            .find("is http:// or https:// missing?") != std::string::npos);
  CHECK(fault("backends: {a: {base_url: 'https://u:p@h/v1'}}")
            .find("without user or password") != std::string::npos);
  CHECK(fault("backends: {a: {base_url: 'https://h/v1?key=1'}}")
            .find("without ? or #") != std::string::npos);
}

TEST_CASE("an empty key is a mistake, not an open door") {
  CHECK(fault("backends:\n  a:\n    provider: openai\n    api_key: ${K}\n",
              {{"K", ""}}) ==
        "p.yaml:4: backends.a.api_key: the key is empty; give one, or leave "
        "api_key out where the backend asks for none");
  CHECK(fault("server: {client_keys: ['${K}']}", {{"K", ""}})
            .find("a client key is empty") != std::string::npos);
}

TEST_CASE("no message repeats a key") {
  const std::string canary = "canary-7d1c";
  for (const std::string_view yaml :
       {"backends: {a: {provider: openai, api_key: {x: '${K}'}}}",
        "server: {client_keys: {x: '${K}'}}",
        "server: {client_keys: ['${K}'], port: '${K}'}",
        "backends: {a: {provider: '${K}'}}",
        "backends: {a: {base_url: '${K}'}}", "log: {level: '${K}'}"}) {
    const std::string message = fault(yaml, {{"K", canary}});
    CHECK(message != "no error");
    CHECK(message.find(canary) == std::string::npos);
  }
}

TEST_CASE("a model's mistakes are told") {
  const std::string head = "backends: {one: {provider: demo}}\nmodels:\n";
  CHECK(fault(head + "  m: oen\n") ==
        "p.yaml:3: models.m: there is no backend \"oen\"; expected one; did "
        "you mean \"one\"?");
  CHECK(fault(head + "  m: {model: x}\n") ==
        "p.yaml:3: models.m: backend is missing");
  CHECK(fault(head + "  m: [one]\n") ==
        "p.yaml:3: models.m: expected the name of a backend, or backend: and "
        "model:");
  CHECK(
      fault(head + "  'a*b*': one\n").find("at most one * in a model's name") !=
      std::string::npos);
  CHECK(fault(head + "  m: {backend: one, model: 'x-*'}\n")
            .find("expected a model without *") != std::string::npos);
  CHECK(fault(head + "  '': one\n").find("a model's name is empty") !=
        std::string::npos);
}

TEST_CASE("names given twice are refused where they stand") {
  CHECK(fault("backends:\n  a: {provider: demo}\n  a: {provider: demo}\n") ==
        "p.yaml:3: backends.a: this name is given twice");
  CHECK(fault("server:\n  port: 1\n  port: 2\n") ==
        "p.yaml:3: server.port: this name is given twice");
  CHECK(fault("backends: {a: {provider: demo}}\nmodels:\n  m: a\n  m: a\n") ==
        "p.yaml:4: models.m: this name is given twice");
}

TEST_CASE("what is no YAML is told with its line") {
  CHECK(fault("server:\n  port: [1\n").find("p.yaml:") == 0);
  CHECK(fault("a: b: c\n").find("p.yaml:1:") == 0);
  CHECK(fault("server: *nowhere\n").find("p.yaml:1:") == 0);
  CHECK(fault("- a\n- b\n") ==
        "p.yaml:1: expected keys with values, found a list");
  CHECK(fault(std::string(100'000, '[')).find("p.yaml:1:") == 0);
}

TEST_CASE("true and false may have capitals") {
  for (const std::string_view word : {"True", "TRUE", "true", "Yes"}) {
    const auto config = parse(fmt::format("translate: {{strict: {}}}", word));
    REQUIRE(config);
    CHECK(config->translate.strict);
  }
  CHECK(fault("translate: {strict: maybe}") != "no error");
}

TEST_CASE("a file that is null is as good as an empty one") {
  for (const std::string_view text : {"null\n", "~\n", "--- null\n"}) {
    CAPTURE(text);
    CHECK(fault(text) == "no error");
  }
}

TEST_CASE("an empty file serves the demo") {
  for (const std::string_view yaml : {"", "# nothing\n", "server:\n"}) {
    const auto config = parse(yaml);
    REQUIRE(config);
    const Backend* demo = backend(*config, "demo");
    REQUIRE(demo);
    CHECK(demo->dialect == nullptr);
    REQUIRE_FALSE(config->routes.empty());
    CHECK(config->routes[0].name == "demo");
    CHECK(config->server.host == "127.0.0.1");
  }
}

TEST_CASE("a file without backends keeps those of the environment") {
  const auto config =
      parse("models: {mine: openai}", {{"OPENAI_API_KEY", "k"}});
  REQUIRE(config);
  CHECK(backend(*config, "demo"));
  CHECK(backend(*config, "openai"));
  REQUIRE(config->routes.size() == 1);
  CHECK(config->routes[0].name == "mine");
}

TEST_CASE("a file's backends stand alone; the demo may be among them") {
  const auto config =
      parse("backends: {try: {provider: demo}}\nmodels: {'*': try}",
            {{"OPENAI_API_KEY", "k"}});
  REQUIRE(config);
  REQUIRE(config->backends.size() == 1);
  CHECK(config->backends[0].name == "try");
  CHECK(config->backends[0].provider == find_provider("demo"));
}

TEST_CASE("without a file, keys in the environment bring their backends") {
  const auto names = [](const Config& config) {
    std::vector<std::string> out;
    for (const Route& route : config.routes) {
      out.push_back(route.name + " " + route.backend);
    }
    return out;
  };
  using Catch::Matchers::VectorContains;
  const Config none = *default_config(variables({}));
  CHECK(names(none)[0] == "demo demo");
  CHECK(names(none)[1] == "demo-* demo");
  // Without our key a client must name the provider, and bring its own.
  CHECK_THAT(names(none), VectorContains(std::string("openai/* openai")));
  CHECK_THAT(names(none), !VectorContains(std::string("gpt-* openai")));
  REQUIRE(backend(none, "openai"));
  CHECK(backend(none, "openai")->pass_credentials);
  CHECK_FALSE(backend(none, "bedrock"));

  // An empty variable is no key.
  const Config empty = *default_config(variables({{"OPENAI_API_KEY", ""}}));
  CHECK_THAT(names(empty), !VectorContains(std::string("gpt-* openai")));

  const Config both = *default_config(
      variables({{"OPENAI_API_KEY", "sk-1"},
                 {"ANTHROPIC_API_KEY", "sk-2"},
                 {"ANTHROPIC_BASE_URL", "http://127.0.0.1:1"}}));
  CHECK_FALSE(backend(both, "openai")->pass_credentials);
  REQUIRE(backend(both, "openai"));
  REQUIRE(backend(both, "anthropic"));
  CHECK(backend(both, "openai")->api_key.equals("sk-1"));
  CHECK(backend(both, "anthropic")->api_key.equals("sk-2"));
  CHECK(backend(both, "anthropic")->base_url == "http://127.0.0.1:1");
  for (const char* route : {"gpt-* openai", "chatgpt-* openai", "o1* openai",
                            "o3* openai", "o4* openai", "claude-* anthropic"}) {
    CHECK_THAT(names(both), VectorContains(std::string(route)));
  }
}

TEST_CASE("every pattern of the usual routes can match") {
  const Config config = *default_config(
      variables({{"AWS_BEARER_TOKEN_BEDROCK", "k"}, {"AWS_REGION", "r"}}));
  for (const Route& route : config.routes) {
    CAPTURE(route.name);
    CHECK(std::count(route.name.begin(), route.name.end(), '*') <= 1);
  }
  const auto is_bedrock = [](const Route& route) {
    return route.name == "us.anthropic.*" && route.backend == "bedrock";
  };
  CHECK(std::any_of(config.routes.begin(), config.routes.end(), is_bedrock));
}

TEST_CASE("load_config names the file that cannot be read") {
  const auto missing = load_config("/nonexistent/x.yaml", variables({}));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("/nonexistent/x.yaml: cannot be read") ==
        0);
  const auto directory = load_config("/", variables({}));
  CHECK_FALSE(directory);
}

TEST_CASE("load_config reads a file and names it in messages") {
  std::string file = "/tmp/llmproxy-config-XXXXXX";
  const int descriptor = mkstemp(file.data());
  REQUIRE(descriptor >= 0);
  close(descriptor);
  std::ofstream(file) << "server:\n  port: x\n";
  const auto config = load_config(file, variables({}));
  std::remove(file.c_str());
  REQUIRE_FALSE(config);
  CHECK(config.error().message ==
        file + ":2: server.port: expected a whole number from 0 to 65535");
}
