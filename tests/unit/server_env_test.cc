// `llm-proxy env`: the table of clients, what is put into its texts, and which
// model and place of a configuration it names.
#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "server/client_table.h"
#include "server/example_model.h"
#include "server/quote.h"

using namespace llmproxy;

namespace {

Config config_of(std::string_view yaml) {
  const Environment nothing = [](const std::string&) { return std::nullopt; };
  Result<Config> config = parse_config(yaml, "test.yaml", nothing);
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  return *std::move(config);
}

/// "prefix name", "" = none; "!" in front where it wants the client's key.
std::string shown(const std::optional<ExampleModel>& model) {
  if (!model) return "";
  return (model->wants_key ? "!" : "") + model->prefix + " " + model->name;
}

const std::string kOpenAi =
    "backends: {up: {provider: openai, api_key: sk-aaaaaaaaaaaaaaaa}}\n";
const std::string kTwo =
    "backends:\n"
    "  up: {provider: openai, api_key: sk-aaaaaaaaaaaaaaaa}\n"
    "  cl: {provider: anthropic, api_key: sk-aaaaaaaaaaaaaaaa}\n"
    "  demo: {provider: demo}\n"
    "  local: {base_url: \"http://127.0.0.1:1/v1\", api_key: none}\n";

// The second example of the system whose list of models we read.
constexpr const char* kTranslating = R"(
models:
  - frontend_model_name: claude-via-openai
    frontend_base_url: /openai-compat
    frontend_dialect: openai-chat
    backend_model_name: claude-3-5-sonnet-20241022
    backend_base_url: https://api.anthropic.com
    backend_api_key: "sk-ant-aaaaaaaaaaaaaaaa"
    backend_dialect: claude
  - frontend_model_name: gpt4-via-claude
    frontend_base_url: /claude-compat
    frontend_dialect: claude
    backend_model_name: gpt-4o
    backend_base_url: https://api.openai.com
    backend_api_key: "sk-aaaaaaaaaaaaaaaa"
    backend_dialect: openai-responses
)";

}  // namespace

TEST_CASE("an example is a model that the configuration serves", "[env]") {
  struct Row {
    std::string yaml;
    const char* dialect;
    const char* example;
  };
  const Row rows[] = {
      // Named in full.
      {kOpenAi + "models: {mine: up}\n", "claude", " mine"},
      {kOpenAi + "models: {\"gpt-*\": up, mine: up}\n", "claude", " mine"},
      {kOpenAi + "models: {\"my model\": up, mine: up}\n", "", " mine"},
      {kTwo + "models: {mine: up, yours: cl}\n", "claude", " yours"},
      {kTwo + "models: {mine: up, yours: cl}\n", "gemini", " mine"},
      {kTwo + "models: {demo: demo, mine: up}\n", "claude", " mine"},
      {kTwo + "models: {demo: demo}\n", "claude", " demo"},
      // Patterns, of which the provider's models are known.
      {kTwo + "models: {\"claude-*\": cl, \"gpt-*\": up}\n", "claude",
       " claude-sonnet-4-5"},
      {kTwo + "models: {\"claude-*\": cl, \"gpt-*\": up}\n", "openai-chat",
       " gpt-5-mini"},
      {kTwo + "models: {\"x/*\": {backend: cl, model: \"*\"}}\n", "",
       " x/claude-sonnet-4-5"},
      {kTwo + "models: {\"claude-*\": {backend: up, model: gpt-5}}\n", "claude",
       " claude-sonnet-4-5"},
      {kTwo + "models: {\"*\": up}\n", "claude", " gpt-5-mini"},
      {kTwo + "models: {\"*\": {backend: up, model: gpt-5}}\n", "claude",
       " gpt-5-mini"},
      {kTwo + "models: {\"claude-*\": local}\n", "", " claude-sonnet-4-5"},
      // Nothing is known of what a local server has.
      {kTwo + "models: {\"*\": local}\n", "", ""},
      {kTwo + "models: {\"local/*\": {backend: local, model: \"*\"}}\n", "",
       ""},
      {kTwo + "models: {}\n", "", ""},
      // Below a path, and meant for one kind of client.
      {kTwo + "models: {mine: {backend: up, prefix: /p}}\n", "", "/p mine"},
      {kTwo + "models: {mine: {backend: up, prefix: /p}, other: up}\n", "",
       " other"},
      {kTranslating, "claude", "/claude-compat gpt4-via-claude"},
      {kTranslating, "openai-chat", "/openai-compat claude-via-openai"},
      {kTranslating, "gemini", "/openai-compat claude-via-openai"},
  };
  for (const Row& row : rows) {
    INFO(row.yaml << row.dialect);
    CHECK(shown(example_for(config_of(row.yaml), row.dialect)) == row.example);
  }
}

TEST_CASE("a provider that has no key is not an example", "[env]") {
  const Environment nothing = [](const std::string&) { return std::nullopt; };
  const auto config = default_config(nothing);
  REQUIRE(config);
  CHECK(shown(example_for(*config, "claude")) == " demo");
  CHECK(served_names(*config, 12) == "demo, demo-*");
  // Unless there is no other, and then its key is asked for.
  const Config passing = config_of(R"(
models:
  - frontend_model_name: gpt-4-proxy
    frontend_base_url: /openai
    backend_model_name: gpt-4
    backend_base_url: https://api.openai.com
)");
  CHECK(shown(example_for(passing, "openai-chat")) == "!/openai gpt-4-proxy");

  const Environment keyed =
      [](const std::string& name) -> std::optional<std::string> {
    if (name == "ANTHROPIC_API_KEY") return "sk-aaaaaaaaaaaaaaaa";
    return std::nullopt;
  };
  const auto claude = default_config(keyed);
  REQUIRE(claude);
  CHECK(shown(example_for(*claude, "claude")) == " claude-sonnet-4-5");
  CHECK(shown(example_for(*claude, "gemini")) == " claude-sonnet-4-5");
}

TEST_CASE("a model's place is found as requests are routed", "[env]") {
  const Config config =
      config_of(kTwo +
                "models: {mine: {backend: up, prefix: /p}, \"*\": local, "
                "\"gpt-*\": {backend: up, prefix: /q}}\n");
  CHECK(shown(place_of(config, "mine", "claude")) == "/p mine");
  CHECK(shown(place_of(config, "other", "claude")) == " other");
  CHECK(shown(place_of(config, "gpt-5", "claude")) == " gpt-5");
  const Config closed = config_of(kTwo + "models: {\"gpt-*\": up}\n");
  CHECK(shown(place_of(closed, "gpt-5", "")) == " gpt-5");
  CHECK(shown(place_of(closed, "gpt", "")).empty());
  CHECK(shown(place_of(closed, "", "")).empty());
  CHECK(served_names(config, 2) == "mine below /p, * and 1 more");
}

TEST_CASE("every client of the table is told a URL and a model", "[env]") {
  std::set<std::string> names;
  for (const ClientRow& row : clients()) {
    INFO(row.name);
    CHECK(find_client(row.name) == &row);
    CHECK(names.insert(std::string(row.name)).second);
    CHECK(find_dialect(row.dialect) != nullptr);
    const std::string text =
        settings_for(row, {"http://127.0.0.1:8080/p", "none", "my-model"});
    CHECK(text.find("http://127.0.0.1:8080/p") != text.npos);
    CHECK(text.find("my-model") != text.npos);
    CHECK(text.find("none") != text.npos);
    CHECK(text.back() == '\n');
    for (const char* place : {"{url", "{key", "{model"}) {
      CHECK(text.find(place) == text.npos);
    }
    // A value is never what another one is looked for in.
    const std::string odd = settings_for(row, {"{key}", "{model}", "{url}"});
    CHECK(odd.find("{url}") != odd.npos);
    CHECK(odd.find("{model}") != odd.npos);
  }
  // No alias is a name, or given twice.
  for (const ClientRow& row : clients()) {
    std::string_view rest = row.aliases;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      const std::string alias(rest.substr(0, end));
      INFO(alias);
      CHECK(names.insert(alias).second);
      CHECK(find_client(alias) == &row);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

TEST_CASE("clients are found however they are spelt", "[env]") {
  for (const char* typed :
       {"claude-code", "Claude-Code", "CLAUDE_CODE", "claude code"}) {
    REQUIRE(find_client(typed) != nullptr);
    CHECK(find_client(typed)->name == "claude-code");
  }
  for (const char* typed : {"", " ", "nobody", "claude-codex", "claude-"}) {
    CHECK(find_client(typed) == nullptr);
  }
}

TEST_CASE("values are words of a shell, and the inside of quotes", "[env]") {
  CHECK(shell_word("gpt-5:x/y@z") == "gpt-5:x/y@z");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("$(rm -rf ~)`x`") == "'$(rm -rf ~)`x`'");
  CHECK(shell_word("it's") == R"('it'\''s')");
  CHECK(shell_word("~") == "'~'");
  CHECK(shell_word("a#b;c&d|e") == "'a#b;c&d|e'");
  CHECK(quoted_inside("gpt-5") == "gpt-5");
  CHECK(quoted_inside(R"(a"b\c)") == R"(a\"b\\c)");
  CHECK(quoted_inside("a\nb\x7f") == R"(a\u000ab\u007f)");
}
