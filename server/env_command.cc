// `llm-proxy env`: what to set, and to type, so that a client uses the proxy.
#include <fmt/format.h>

#include <array>
#include <string>

#include "server/commands.h"

namespace llmproxy {
namespace {

/// {url}, {key} and {model} stand for what their names say.
struct ClientRow {
  std::string_view name;
  std::string_view lines;
};
constexpr std::array kClients = {
    ClientRow{"claude-code",
              "export ANTHROPIC_BASE_URL={url}\n"
              "export ANTHROPIC_AUTH_TOKEN={key}\n"
              "export ANTHROPIC_MODEL={model}\n"
              "claude\n"},
    ClientRow{"codex",
              "export LLM_PROXY_KEY={key}\n"
              "codex -m {model} \\\n"
              "  -c model_provider=llm-proxy \\\n"
              "  -c model_providers.llm-proxy.name=llm-proxy \\\n"
              "  -c model_providers.llm-proxy.base_url={url}/v1 \\\n"
              "  -c model_providers.llm-proxy.env_key=LLM_PROXY_KEY \\\n"
              "  -c model_providers.llm-proxy.wire_api=responses\n"},
    ClientRow{"gemini-cli",
              "export GOOGLE_GEMINI_BASE_URL={url}\n"
              "export GEMINI_API_KEY={key}\n"
              "# once: choose \"Use Gemini API Key\" in its /auth dialog\n"
              "gemini -m {model}\n"},
    ClientRow{"openai",
              "export OPENAI_BASE_URL={url}/v1\n"
              "export OPENAI_API_KEY={key}\n"
              "# then: model={model}\n"},
    ClientRow{"anthropic",
              "export ANTHROPIC_BASE_URL={url}\n"
              "export ANTHROPIC_API_KEY={key}\n"
              "# then: model={model}\n"},
    ClientRow{"google-genai",
              "export GOOGLE_GEMINI_BASE_URL={url}\n"
              "export GEMINI_API_KEY={key}\n"
              "# then: model={model}\n"},
};

std::string names() {
  std::string out;
  for (const ClientRow& row : kClients) {
    if (!out.empty()) out += ", ";
    out += row.name;
  }
  return out;
}

}  // namespace

int print_environment(const EnvArguments& arguments) {
  const auto config = read_config(arguments.serving);
  if (!config) {
    complain(config.error());
    return kExitUsage;
  }
  for (const ClientRow& row : kClients) {
    if (row.name != arguments.client) continue;
    const bool keyed = !config->server.client_keys.empty();
    const std::string model =
        arguments.model.empty() ? example_model(*config) : arguments.model;
    const std::string url = fmt::format(
        "http://{}:{}", reachable(config->server.host), config->server.port);
    fmt::print(fmt::runtime(row.lines), fmt::arg("url", url),
               fmt::arg("key", keyed ? "YOUR_KEY" : "none"),
               fmt::arg("model", model));
    return kExitOk;
  }
  complain(invalid_request(fmt::format("there is no client \"{}\"; expected {}",
                                       arguments.client, names())));
  return kExitUsage;
}

}  // namespace llmproxy
