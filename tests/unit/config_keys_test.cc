// Configuration: keys that can be sent, to places that are theirs.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>

#include <catch2/catch.hpp>

#include "llmproxy/config.h"

using namespace llmproxy;

namespace {

Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](
             const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

using Values = std::map<std::string, std::string>;

std::string fault(std::string_view yaml, const Environment& environment) {
  const auto config = parse_config(yaml, "p.yaml", environment);
  return config ? "" : config.error().message;
}

std::string fault(std::string_view yaml, Values values = {}) {
  return fault(yaml, variables(std::move(values)));
}

std::string default_fault(const Environment& environment) {
  const auto config = default_config(environment);
  return config ? "" : config.error().message;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A file `.env`, while it lives.
class Dotenv {
 public:
  explicit Dotenv(const std::string& text) {
    const int descriptor = mkstemp(file.data());
    REQUIRE(descriptor >= 0);
    close(descriptor);
    std::ofstream(file) << text;
  }
  ~Dotenv() { std::remove(file.c_str()); }
  Environment behind(Values real) const {
    return with_dotenv(variables(std::move(real)), file);
  }

  std::string file = "/tmp/llmproxy-dotenv-XXXXXX";
};

}  // namespace

TEST_CASE("keys that no header can hold are refused, line ends are cut") {
  const std::string client = "server: {client_keys: ['${K}']}";
  const std::string access = "server: {client_access_keys: ['${K}']}";
  const std::string upstream =
      "backends: {a: {provider: openai, api_key: '${K}'}}";
  const std::string aws =
      "backends: {a: {provider: bedrock, access_key_id: a, "
      "secret_access_key: '${K}'}}";
  const std::string list =
      "models: [{frontend_model_name: m, frontend_base_url: /p, "
      "backend_model_name: x, backend_base_url: 'http://u', "
      "backend_api_key: '${K}'}]";
  for (const std::string& yaml : {client, access, upstream, aws, list}) {
    CAPTURE(yaml);
    for (const std::string key :
         {"a-key\r\nX: y", "a\nkey", std::string("a\0key", 5).c_str(), "a\tkey",
          " a-key", "a-key ", "a-key\x7f", "\na-key", "a-key \n"}) {
      if (key == "a") continue;  // C text ends at the NUL
      CAPTURE(key);
      const std::string told = fault(yaml, {{"K", key}});
      CHECK(has(told, "p.yaml:1"));
      CHECK(has(told, "the key"));
    }
    CHECK(has(fault(yaml, {{"K", std::string("a\0key", 5)}}), "the key"));
    CHECK(fault(yaml, {{"K", "a-key\n"}}).empty());
    CHECK(fault(yaml, {{"K", "a-key\r\n\n"}}).empty());
  }
  const auto config =
      parse_config(client, "p.yaml", variables({{"K", "a-key\n"}}));
  REQUIRE(config);
  CHECK(config->server.client_keys.front().equals("a-key"));
  for (const std::string& yaml : {client, upstream}) {
    for (const char* nothing : {"", "\n", "\r\n"}) {
      CHECK(has(fault(yaml, {{"K", nothing}}), "empty"));
    }
  }
}

TEST_CASE("keys of the environment are read the same way") {
  for (const char* name : {"PROXY_API_KEY", "OPENAI_API_KEY",
                           "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY",
                           "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"}) {
    CAPTURE(name);
    for (const char* key : {"\n", "a\nb", " a", "a\r\nx: y", "\t"}) {
      const std::string told = default_fault(variables({{name, key}}));
      CHECK(has(told, name));
      CHECK(has(told, "the key"));
    }
    CHECK(default_fault(variables({{name, "a-key\n"}})).empty());
    CHECK(default_fault(variables({{name, ""}})).empty());
  }
  const auto config = default_config(variables(
      {{"OPENAI_API_KEY", "sk-1\n"}, {"PROXY_API_KEY", "client\r\n"}}));
  REQUIRE(config);
  CHECK(config->server.client_keys.front().equals("client"));
  CHECK(has(default_fault(variables({{"AWS_REGION", "x.evil.test/"}})),
            "AWS_REGION"));
  CHECK(has(default_fault(variables({{"OPENAI_BASE_URL", "http://a@b"}})),
            "OPENAI_BASE_URL"));
}

TEST_CASE("what stands in URLs and headers is checked where it is read") {
  const auto told = [](const std::string& rest) {
    return fault("backends: {a: {provider: openai, " + rest + "}}");
  };
  for (const char* query : {"a=1\\r\\nb", "a b", "a=1#x", "?a=1", "a\\\\b"}) {
    CAPTURE(query);
    CHECK(
        has(told("query: \"" + std::string(query) + "\""), "backends.a.query"));
  }
  CHECK(told("query: api-version=2024-10-21").empty());
  CHECK(has(told("region: 'x/y'"), "backends.a.region"));
  CHECK(has(told("auth_header: 'x y'"), "backends.a.auth_header"));
  CHECK(has(told("auth_header: ''"), "backends.a.auth_header"));
  CHECK(has(told("auth_header: x, auth_prefix: \"a\\r\\nb\""), "auth_prefix"));
  CHECK(has(told("headers: {content-length: '5'}"), "content-length"));
  CHECK(has(told("headers: {A: '1', a: '2'}"), "given twice"));
  // One header holds one key.
  CHECK(has(told("api_key: k, headers: {Authorization: x}"), "leave one"));
  CHECK(has(told("api_key: k, auth_header: x-k, headers: {X-K: x}"),
            "leave one"));
  CHECK(told("headers: {authorization: x}").empty());
  CHECK(told("api_key: k, headers: {x-api-key: x}").empty());
}

TEST_CASE("a backend's name is one that a path can begin with") {
  for (const char* name :
       {"", ".", "..", "v1", "v1beta", "health", "healthz", "api", "model",
        "a b", "a\\nb", "a?b", "a#b", "a%2fb", "\xc3\xa9"}) {
    CAPTURE(name);
    CHECK(has(
        fault("backends: {\"" + std::string(name) + "\": {provider: demo}}"),
        "expected a"));
  }
  CHECK(fault("backends: {openai.2_x-y: {provider: demo}}").empty());
}

TEST_CASE("a second document is no configuration") {
  CHECK(has(fault("server: {port: 1}\n---\nserver: {port: 2}\n"),
            "p.yaml:3: a second document"));
  CHECK(fault("---\nserver: {port: 1}\n").empty());
  CHECK(fault("server: {port: 1}\n...\n").empty());
}

TEST_CASE("variables are replaced in names, too") {
  const std::string yaml =
      "rate_limiting: {overrides: {per_key: {'${KA}': "
      "{requests_per_minute: 2}}, per_model: {'${M:-x}-1': {}}}}";
  const auto config =
      parse_config(yaml, "p.yaml", variables({{"KA", "ka-secret\n"}}));
  REQUIRE(config);
  REQUIRE(config->limits.overrides.size() == 2);
  CHECK(config->limits.overrides[0].name == "ka-secret");
  CHECK(config->limits.overrides[1].name == "x-1");
  const std::string unset = fault(yaml);
  CHECK(has(unset, "the environment variable KA is not set"));
  CHECK(has(unset, "per_key.${KA}"));
  // Of what they hold nothing is told.
  CHECK_FALSE(has(fault("rate_limiting: {overrides: {per_key: {'${KA}': 5}}}",
                        {{"KA", "ka-secret"}}),
                  "ka-secret"));
  CHECK(has(fault("rate_limiting: {overrides: {per_key: {'${A}': {}, '${B}': "
                  "{}}}}",
                  {{"A", "same"}, {"B", "same"}}),
            "given twice"));
}

TEST_CASE("origins and hosts are written as browsers write them") {
  const auto told = [](const std::string& rest) {
    return fault("server: {" + rest + "}");
  };
  for (const char* origin : {"'*'", "'null'", "'vscode-webview://'",
                             "'https://a.test:1'", "'tauri://localhost'"}) {
    CAPTURE(origin);
    CHECK(told("cors: {origins: [" + std::string(origin) + "]}").empty());
  }
  for (const char* origin : {"a.test", "'https://'", "'http://a.test/'",
                             "'://a'", "'http://*.a.test'", "''"}) {
    CAPTURE(origin);
    CHECK(has(told("cors: {origins: [" + std::string(origin) + "]}"),
              "expected an origin"));
  }
  CHECK(told("hosts: [proxy.internal, '*', '[::1]']").empty());
  for (const char* host : {"'http://a'", "'a:80'", "''", "'*.a'", "'a b'"}) {
    CAPTURE(host);
    CHECK(has(told("hosts: [" + std::string(host) + "]"), "server.hosts[0]"));
  }
}

TEST_CASE("a .env file does not redirect a key that it does not bring") {
  struct Row {
    const char* place;
    const char* key;
  };
  for (const Row& row :
       {Row{"OPENAI_BASE_URL", "OPENAI_API_KEY"},
        Row{"OPENAI_API_BASE", "OPENAI_API_KEY"},
        Row{"ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"},
        Row{"GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY"},
        Row{"GEMINI_BASE_URL", "GEMINI_API_KEY"},
        Row{"DEEPSEEK_API_BASE", "DEEPSEEK_API_KEY"},
        Row{"OLLAMA_API_BASE", "OLLAMA_API_KEY"},
        Row{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_BEARER_TOKEN_BEDROCK"},
        Row{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ACCESS_KEY_ID"},
        Row{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_SECRET_ACCESS_KEY"}}) {
    CAPTURE(row.place, row.key);
    const std::string place = std::string(row.place) + "=http://evil.test\n";
    const std::string key = std::string(row.key) + "=own-key\n";
    const Dotenv redirecting(place);
    CHECK(has(default_fault(redirecting.behind({{row.key, "real-key"}})),
              row.place));
    CHECK(has(fault("models: {}", redirecting.behind({{row.key, "real-key"}})),
              row.place));
    CHECK(default_fault(redirecting.behind({})).empty());
    const Dotenv both(place + key);
    CHECK(default_fault(both.behind({})).empty());
    CHECK(has(default_fault(both.behind({{row.key, "real-key"}})), row.place));
    // The real environment may.
    CHECK(default_fault(Dotenv(key).behind({{row.place, "http://up.test"}}))
              .empty());
    CHECK(default_fault(both.behind({{row.place, "http://up.test"},
                                     {row.key, "real-key"}}))
              .empty());
  }
}

TEST_CASE("no more does it in the variables of a configuration") {
  const Dotenv dotenv("PLACE=http://evil.test\nOWN=own-key-12345\nR=r\n");
  const Environment both = dotenv.behind({{"REAL", "real-key-12345"}});
  const auto told = [&](const std::string& backend) {
    return fault("backends: {a: {" + backend + "}}", both);
  };
  const std::string place = "base_url: '${PLACE}', ";
  CHECK(has(told(place + "api_key: '${REAL}'"), "PLACE is set in .env"));
  CHECK(has(told(place + "api_key: literal-key-12345"), "PLACE"));
  CHECK(has(told(place + "headers: {x-key: '${REAL}'}"), "PLACE"));
  CHECK(has(told(place + "query: 'code=${REAL}'"), "PLACE"));
  CHECK(has(told("base_url: 'http://${R:-x}.up.test', api_key: '${REAL}'"),
            "R is set in .env"));
  CHECK(has(told("provider: bedrock, region: '${R}', access_key_id: a, "
                 "secret_access_key: '${REAL}'"),
            "R is set in .env"));
  CHECK(told(place + "api_key: '${OWN}'").empty());
  CHECK(told(place + "api_key: none").empty());
  CHECK(told(place + "headers: {x-team: a-team-of-ours}").empty());
  CHECK(told("base_url: 'http://up.test', api_key: '${OWN}'").empty());
  CHECK(has(fault("models: [{frontend_model_name: m, frontend_base_url: /p, "
                  "backend_model_name: x, backend_base_url: '${PLACE}', "
                  "backend_api_key: '${REAL}'}]",
                  both),
            "PLACE"));
}

TEST_CASE("a .env file that others may write says nothing") {
  const Dotenv dotenv("A=1\n");
  for (const mode_t mode : {0600u, 0644u, 0400u}) {
    REQUIRE(chmod(dotenv.file.c_str(), mode) == 0);
    CHECK(check_dotenv(dotenv.file));
    CHECK(dotenv.behind({})("A") == "1");
  }
  for (const mode_t mode : {0666u, 0620u, 0602u, 0777u}) {
    REQUIRE(chmod(dotenv.file.c_str(), mode) == 0);
    const auto told = check_dotenv(dotenv.file);
    REQUIRE_FALSE(told);
    CHECK(has(told.error().message, "chmod go-w"));
    CHECK_FALSE(dotenv.behind({})("A"));
  }
  CHECK(check_dotenv("/nonexistent/.env"));
}

TEST_CASE("what is likely a mistake is told") {
  const auto warned = [](const std::string& yaml) {
    const auto config = parse_config(yaml, "p.yaml", variables({}));
    REQUIRE(config);
    std::string out;
    for (const std::string& line : warnings_of(*config)) out += line + "\n";
    return out;
  };
  CHECK(has(warned("server: {client_keys: [k, a-key-that-nobody-guesses]}"),
            "server.client_keys[0]: 1 characters"));
  const std::string rows =
      "server: {client_keys: [a-key-that-nobody-guesses]}\n"
      "backends: {up: {provider: demo}}\nmodels: {'gpt-*': up}\n"
      "rate_limiting: {overrides: {";
  CHECK(has(warned(rows + "per_provider: {pu: {}}}}"), "\"pu\" is no backend"));
  CHECK(
      has(warned(rows + "per_model: {gtp-5: {}}}}"), "\"gtp-5\" is no model"));
  const std::string key = warned(rows + "per_key: {other-secret: {}}}}");
  CHECK(has(key, "row 1 is no client key"));
  CHECK_FALSE(has(key, "other-secret"));
  CHECK(warned(rows + "per_user: {x: {}}, per_provider: {up: {}, '*': {}}, "
                      "per_model: {gpt-5: {}}, "
                      "per_key: {a-key-that-nobody-guesses: {}}}}")
            .empty());
}
