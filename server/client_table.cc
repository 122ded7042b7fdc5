// What each client is told: from its own documentation, and for those that
// are on PyPI and npm tried by tests/clients, tests/e2e and tests/agents.
// docs/clients.md says which.
#include "server/client_table.h"

#include <algorithm>
#include <array>

#include "server/quote.h"

namespace llmproxy {
namespace {

constexpr std::array kClients = {
    ClientRow{"claude-code", "claude claude-cli", "Claude Code", "claude",
              R"(export ANTHROPIC_BASE_URL={url}
export ANTHROPIC_AUTH_TOKEN={key}
export ANTHROPIC_MODEL={model}
claude
)"},
    ClientRow{"codex", "codex-cli openai-codex", "Codex CLI",
              "openai-responses",
              R"(export LLM_PROXY_KEY={key}
codex -m {model} \
  -c model_provider=llm-proxy \
  -c model_providers.llm-proxy.name=llm-proxy \
  -c model_providers.llm-proxy.base_url={url}/v1 \
  -c model_providers.llm-proxy.env_key=LLM_PROXY_KEY \
  -c model_providers.llm-proxy.wire_api=responses
)"},
    ClientRow{"gemini-cli", "gemini", "Gemini CLI", "gemini",
              R"(export GOOGLE_GEMINI_BASE_URL={url}
export GEMINI_API_KEY={key}
# once: choose "Use Gemini API Key" in its /auth dialog
gemini -m {model}
)"},
    ClientRow{"aider", "aider-chat", "aider", "openai-chat",
              R"(export OPENAI_API_BASE={url}/v1
export OPENAI_API_KEY={key}
aider --model openai/{model}
)"},
    ClientRow{"opencode", "opencode-ai", "opencode", "openai-chat",
              R"(# into opencode.json, in the project or in ~/.config/opencode;
# then: opencode run -m llm-proxy/{model} 'hi'
{
  "$schema": "https://opencode.ai/config.json",
  "provider": {
    "llm-proxy": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "llm-proxy",
      "options": {"baseURL": "{url_text}/v1", "apiKey": "{key_text}"},
      "models": {"{model_text}": {"name": "{model_text}"}}
    }
  }
}
)"},
    ClientRow{"cline", "roo-code roo kilo-code", "Cline", "openai-chat",
              R"(# in its settings (Roo Code and Kilo Code have the same):
#   API Provider   OpenAI Compatible
#   Base URL       {url_text}/v1
#   API Key        {key_text}
#   Model ID       {model_text}
)"},
    ClientRow{"continue", "continue-dev continuedev cn", "Continue",
              "openai-chat",
              R"(# into ~/.continue/config.yaml
name: llm-proxy
version: 0.0.1
schema: v1
models:
  - name: "{model_text} through llm-proxy"
    provider: openai
    model: "{model_text}"
    apiBase: "{url_text}/v1"
    apiKey: "{key_text}"
    roles: [chat, edit, apply]
    capabilities: [tool_use]
)"},
    ClientRow{
        "zed", "zed-editor", "Zed", "openai-chat",
        R"(# into settings.json; and LLM_PROXY_API_KEY={key} into Zed's environment,
# or the key into its dialog
{
  "language_models": {
    "openai_compatible": {
      "llm-proxy": {
        "api_url": "{url_text}/v1",
        "available_models": [
          {"name": "{model_text}", "display_name": "{model_text}",
           "max_tokens": 128000}
        ]
      }
    }
  }
}
)"},
    ClientRow{"goose", "block-goose", "goose", "openai-chat",
              R"(export GOOSE_PROVIDER=openai
export OPENAI_HOST={url}
export OPENAI_API_KEY={key}
export GOOSE_MODEL={model}
goose session
)"},
    ClientRow{"qwen-code", "qwen", "Qwen Code", "openai-chat",
              R"(export OPENAI_BASE_URL={url}/v1
export OPENAI_API_KEY={key}
export OPENAI_MODEL={model}
qwen
)"},
    ClientRow{"llm", "llm-cli", "llm", "openai-chat",
              R"txt(# once:
cat >>"$(dirname "$(llm logs path)")/extra-openai-models.yaml" <<'END'
- model_id: llm-proxy
  model_name: "{model_text}"
  api_base: "{url_text}/v1"
  api_key_name: llm-proxy
  supports_tools: true
END
llm keys set llm-proxy --value {key}
# then: llm -m llm-proxy 'hi'
)txt"},
    ClientRow{"openai", "openai-python openai-node openai-sdk", "OpenAI's SDKs",
              "openai-responses",
              R"(export OPENAI_BASE_URL={url}/v1
export OPENAI_API_KEY={key}
# then: model={model}
)"},
    ClientRow{"anthropic", "anthropic-sdk anthropic-python", "Anthropic's SDKs",
              "claude",
              R"(export ANTHROPIC_BASE_URL={url}
export ANTHROPIC_API_KEY={key}
# then: model={model}
)"},
    ClientRow{"google-genai", "genai google gemini-sdk", "Google's SDKs",
              "gemini",
              R"(export GOOGLE_GEMINI_BASE_URL={url}
export GEMINI_API_KEY={key}
# then: model={model}
)"},
    ClientRow{"boto3", "aws bedrock aws-sdk bedrock-runtime",
              "Amazon's SDKs (Bedrock)", "bedrock-converse",
              R"(export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={url}
export AWS_BEARER_TOKEN_BEDROCK={key}
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
# then: modelId={model}
)"},
    ClientRow{"litellm", "litellm-sdk", "LiteLLM's SDK", "openai-chat",
              R"(export OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY={key}
export ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY={key}
export GEMINI_API_BASE={url}/v1beta GEMINI_API_KEY={key}
# then one of: model=openai/{model}
#              model=anthropic/{model}
#              model=gemini/{model}
)"},
    ClientRow{"langchain", "langchain-python langchain-py langgraph",
              "LangChain (Python)", "openai-chat",
              R"(export OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY={key}
export ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY={key}
export GOOGLE_GEMINI_BASE_URL={url} GOOGLE_API_KEY={key}
# then one of: ChatOpenAI(model="{model_text}")
#              ChatAnthropic(model="{model_text}")
#              ChatGoogleGenerativeAI(model="{model_text}")
)"},
    ClientRow{"langchain-js", "langchainjs langchain-ts langgraph-js",
              "LangChain (JavaScript)", "openai-chat",
              R"(// npm install @langchain/openai
new ChatOpenAI({
  model: "{model_text}",
  apiKey: "{key_text}",
  configuration: { baseURL: "{url_text}/v1" },
});
// npm install @langchain/anthropic
new ChatAnthropic({
  model: "{model_text}",
  apiKey: "{key_text}",
  anthropicApiUrl: "{url_text}",
});
)"},
    ClientRow{"llamaindex", "llama-index", "LlamaIndex", "openai-chat",
              R"(# pip install llama-index-llms-openai-like
from llama_index.llms.openai_like import OpenAILike
llm = OpenAILike(
    model="{model_text}",
    api_base="{url_text}/v1",
    api_key="{key_text}",
    is_chat_model=True,
    is_function_calling_model=True,
)
)"},
    ClientRow{"instructor", "instructor-python", "instructor", "openai-chat",
              R"(export OPENAI_BASE_URL={url}/v1
export OPENAI_API_KEY={key}
# then: instructor.from_provider("openai/{model_text}")
)"},
    ClientRow{"pydantic-ai", "pydanticai", "Pydantic AI", "openai-chat",
              R"(export OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY={key}
export ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY={key}
export GOOGLE_GEMINI_BASE_URL={url} GOOGLE_API_KEY={key}
# then one of: Agent("openai:{model_text}")
#              Agent("anthropic:{model_text}")
#              Agent("google:{model_text}")
)"},
    ClientRow{"openai-agents", "openai-agents-sdk agents-sdk",
              "OpenAI Agents SDK", "openai-responses",
              R"(export OPENAI_BASE_URL={url}/v1
export OPENAI_API_KEY={key}
# or it sends what it traces, with this key, to OpenAI
export OPENAI_AGENTS_DISABLE_TRACING=1
# then: Agent(name="...", model="{model_text}")
)"},
    ClientRow{"dspy", "dspy-ai", "DSPy", "openai-chat",
              R"(dspy.configure(lm=dspy.LM(
    "openai/{model_text}",
    api_base="{url_text}/v1",
    api_key="{key_text}",
))
)"},
    ClientRow{"ai-sdk", "vercel-ai vercel-ai-sdk vercel", "AI SDK (Vercel)",
              "openai-responses",
              R"(// npm install ai @ai-sdk/openai
const llmProxy = createOpenAI({
  baseURL: "{url_text}/v1",
  apiKey: "{key_text}",
});
await generateText({ model: llmProxy("{model_text}"), prompt: "hi" });
// @ai-sdk/anthropic: baseURL "{url_text}/v1"
// @ai-sdk/google: baseURL "{url_text}/v1beta"
)"},
    ClientRow{"open-webui", "openwebui webui", "Open WebUI", "openai-chat",
              R"(# or in its Admin Settings, Connections, OpenAI API
export OPENAI_API_BASE_URL={url}/v1
export OPENAI_API_KEY={key}
open-webui serve
# then choose {model} in its list
)"},
    ClientRow{"librechat", "libre-chat", "LibreChat", "openai-chat",
              R"(# into librechat.yaml
endpoints:
  custom:
    - name: "llm-proxy"
      apiKey: "{key_text}"
      baseURL: "{url_text}/v1"
      models:
        default: ["{model_text}"]
        fetch: true
      titleConvo: true
      titleModel: "{model_text}"
      modelDisplayLabel: "llm-proxy"
)"},
    ClientRow{
        "n8n", "n8n-io", "n8n", "openai-chat",
        R"(# a credential of the kind OpenAI, for its OpenAI Chat Model node:
#   API Key    {key_text}
#   Base URL   {url_text}/v1
#   Model      {model_text} (By ID)
)"},
};

/// "Claude_Code" is typed for "claude-code".
std::string usual_form(std::string_view typed) {
  std::string out(typed);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_' || c == ' ' || c == '.') c = '-';
  }
  return out;
}

bool has_alias(const ClientRow& row, std::string_view name) {
  std::string_view rest = row.aliases;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == name) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

std::span<const ClientRow> clients() { return kClients; }

const ClientRow* find_client(std::string_view typed) {
  const std::string name = usual_form(typed);
  for (const ClientRow& row : kClients) {
    if (row.name == name) return &row;
  }
  for (const ClientRow& row : kClients) {
    if (has_alias(row, name)) return &row;
  }
  return nullptr;
}

std::string settings_for(const ClientRow& row, const ClientValues& values) {
  const std::pair<std::string_view, std::string> places[] = {
      {"{url}", shell_word(values.url)},
      {"{key}", shell_word(values.key)},
      {"{model}", shell_word(values.model)},
      {"{url_text}", quoted_inside(values.url)},
      {"{key_text}", quoted_inside(values.key)},
      {"{model_text}", quoted_inside(values.model)},
  };
  std::string out;
  std::string_view rest = row.text;
  while (!rest.empty()) {
    const auto* const here = std::find_if(
        std::begin(places), std::end(places),
        [&](const auto& each) { return rest.starts_with(each.first); });
    if (here == std::end(places)) {
      out += rest.front();
      rest.remove_prefix(1);
    } else {
      out += here->second;
      rest.remove_prefix(here->first.size());
    }
  }
  return out;
}

}  // namespace llmproxy
