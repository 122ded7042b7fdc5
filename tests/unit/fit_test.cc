// fit(): what requests become for each dialect and model. The steps for what a
// client asks for: tokens, sampling, stops, thinking, format, identity.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "chat/fit.h"
#include "chat/thinking_budget.h"
#include "llmproxy/dialect.h"

namespace llmproxy {
namespace {

const Dialect& dialect(std::string_view name) { return *find_dialect(name); }

struct Fitted {
  ChatRequest request;
  RequestContext context;
  Losses losses;
  std::optional<Error> error;
};

Fitted fitted(ChatRequest request, const Dialect& to,
              EncodeOptions options = {}) {
  options.traits = traits_for(to, request.model);
  Fitted out{std::move(request), {}, {}, {}};
  if (out.request.messages.empty()) {
    out.request.messages.push_back(user_message("hi"));
  }
  const FitTarget target{to.limits, &options, wording_of(out.request, to)};
  auto done = fit(out.request, target, out.context, out.losses);
  if (!done) out.error = done.error();
  return out;
}

template <class T>
void add(std::string& out, std::string_view name,
         const std::optional<T>& value) {
  if (value) out += fmt::format(" {}={}", name, *value);
}
void add(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out += fmt::format(" {}={}", name, value);
}

std::string_view word_of(ReasoningMode mode) {
  constexpr std::string_view kWords[] = {"off", "budget", "adaptive"};
  return kWords[static_cast<std::size_t>(mode)];
}

std::string thinking_of(const ChatRequest& request) {
  const Reasoning& reasoning = request.reasoning;
  std::string out;
  if (reasoning.mode) add(out, "mode", std::string(word_of(*reasoning.mode)));
  if (reasoning.effort) {
    add(out, "effort", std::string(row_of(*reasoning.effort).word));
  }
  add(out, "budget", reasoning.budget_tokens);
  add(out, "show", reasoning.display);
  return out;
}

std::string format_of(const ChatRequest& request) {
  std::string out;
  if (const auto& format = request.response_format) {
    constexpr std::string_view kKinds[] = {"text", "object", "schema"};
    add(out, "format",
        std::string(kKinds[static_cast<std::size_t>(format->kind)]));
    add(out, "schema", format->schema.text());
    add(out, "description", format->description);
    add(out, "strict", format->strict);
  }
  for (const ToolDefinition& tool : request.tools) add(out, "tool", tool.name);
  if (request.tool_choice) add(out, "choice", request.tool_choice->name);
  if (request.messages.front().role == Role::system) {
    add(out, "told", request.messages.front().text());
  }
  return out;
}

/// What was asked beside the messages, and behind " | " where it was lost.
std::string outcome(const Fitted& fit) {
  const ChatRequest& request = fit.request;
  if (fit.error) return " error " + fit.error->path;
  std::string out;
  add(out, "max", request.max_output_tokens);
  add(out, "temperature", request.temperature);
  add(out, "top_p", request.top_p);
  add(out, "top_k", request.top_k);
  add(out, "frequency", request.frequency_penalty);
  add(out, "presence", request.presence_penalty);
  add(out, "seed", request.seed);
  if (!request.stop_sequences.empty()) {
    add(out, "stop", fmt::format("{}", fmt::join(request.stop_sequences, ",")));
  }
  out += thinking_of(request) + format_of(request);
  add(out, "user", request.user_id);
  add(out, "tier", request.service_tier);
  if (!fit.losses.empty()) out += " |";
  for (const Loss& loss : fit.losses) out += " " + loss.path;
  return out;
}

ChatRequest asked(std::string model, std::string from = "") {
  ChatRequest request;
  request.model = std::move(model);
  request.dialect = std::move(from);
  return request;
}

constexpr std::string_view kForeign = "somebody else's";

struct Row {
  std::string_view to;
  std::string_view model;
  std::string_view expected;
};

/// The same request, from `from`, to each of the rows.
void check(std::initializer_list<Row> rows, std::string_view from,
           void (*ask)(ChatRequest&)) {
  for (const Row& row : rows) {
    INFO(row.to << " " << row.model);
    ChatRequest request = asked(std::string(row.model), std::string(from));
    ask(request);
    const std::string seen =
        outcome(fitted(std::move(request), dialect(row.to)));
    CHECK(seen == row.expected);
  }
}

TEST_CASE("fit: whose words a request is in") {
  const Dialect& claude = dialect("claude");
  Dialect copy = claude;
  copy.name = "acme";
  copy.wire = "acme";
  CHECK(wording_of(asked("m"), claude) == Wording::hand);
  CHECK(wording_of(asked("m", "claude"), claude) == Wording::own);
  CHECK(wording_of(asked("m", "bedrock"), claude) == Wording::family);
  CHECK(wording_of(asked("m", "bedrock-converse"), claude) == Wording::foreign);
  CHECK(wording_of(asked("m", "unheard of"), claude) == Wording::foreign);
  CHECK(wording_of(asked("m", "claude"), copy) == Wording::own);
  CHECK(wording_of(asked("m", "bedrock"), copy) == Wording::family);
  copy.encode_request = dialect("bedrock").encode_request;
  CHECK(wording_of(asked("m", "claude"), copy) == Wording::family);
  copy.limits = nullptr;
  CHECK(wording_of(asked("m", "claude"), copy) == Wording::foreign);
}

TEST_CASE("fit: a dialect without limits gets what was asked") {
  Dialect host = dialect("openai-chat");
  host.limits = nullptr;
  ChatRequest request = asked("m", std::string(kForeign));
  request.reasoning = {ReasoningMode::budget, Effort::max, 5, "omitted"};
  request.top_k = 5;
  request.seed = std::int64_t{1} << 40;
  request.stop_sequences = {" ", "a", "b", "c", "d", "e"};
  request.user_id = std::string(300, 'u');
  request.service_tier = "express";
  request.messages = {user_message("hi")};
  Message& message = request.messages[0];
  message.name = "ada";
  message.content[0].cache.emplace();
  request.tools = {ToolDefinition{.name = "open"}};
  request.tools[0].cache.emplace();
  const ChatRequest before = request;
  const Fitted fit = fitted(std::move(request), host);
  CHECK(fit.losses.empty());
  CHECK(thinking_of(fit.request) == thinking_of(before));
  CHECK(fit.request.stop_sequences == before.stop_sequences);
  CHECK(fit.request.top_k == 5);
  CHECK(fit.request.seed == before.seed);
  CHECK(fit.request.user_id == before.user_id);
  CHECK(fit.request.service_tier == "express");
  CHECK(fit.request.messages[0].name == "ada");
  CHECK(fit.request.messages[0].content[0].cache);
  CHECK(fit.request.tools[0].cache);
}

TEST_CASE("fit: a program's own words for a dialect without limits") {
  Dialect host = dialect("openai-chat");
  host.limits = nullptr;
  ChatRequest request = asked("m");
  request.messages = {user_message("hi")};
  request.messages[0].content[0].as<TextPart>()->citations = {
      *RawJson::parse("{}")};
  request.tools = {ToolDefinition{.name = "desk__open", .name_space = "desk"}};
  const ChatRequest before = request;
  const Fitted fit = fitted(std::move(request), host);
  CHECK(fit.losses.empty());
  CHECK(fit.request == before);
}

TEST_CASE("fit: a request made by hand is fitted like any other") {
  const auto ask = [](ChatRequest& request) {
    request.temperature = 0.5;
    request.stop_sequences = {"a", "b", "c", "d", "e", "f"};
    request.reasoning.effort = Effort::none;
  };
  for (const std::string_view from : {std::string_view(), kForeign}) {
    check({{"openai-responses", "gpt-5",
            " effort=minimal | /reasoning_effort /temperature /stop"},
           {"claude", "claude-opus-5-5",
            " max=64000 stop=a,b,c,d,e,f mode=off | /temperature"},
           {"gemini", "gemini-2.5-flash",
            " temperature=0.5 stop=a,b,c,d,e mode=off | /stop"},
           {"openai-chat", "gpt-5",
            " effort=minimal | /reasoning_effort /temperature /stop"},
           {"openai-chat", "gpt-5.5",
            " stop=a,b,c,d effort=none | /temperature /stop"}},
          from, ask);
  }
}

TEST_CASE("fit: each dialect takes its own of tokens, sampling and identity") {
  const auto ask = [](ChatRequest& request) {
    request.max_output_tokens = 5;
    request.temperature = 0.5;
    request.top_p = 0.75;
    request.top_k = 5;
    request.frequency_penalty = 0.25;
    request.presence_penalty = 0.5;
    request.seed = std::int64_t{1} << 40;
    request.stop_sequences = {"", " ", "a", "b", "c", "d", "e", "f"};
    request.user_id = std::string(65, 'u');
    request.service_tier = "flex";
  };
  const std::string user = " user=" + std::string(65, 'u');
  const std::string claude =
      " max=5 temperature=0.5 top_p=0.75 top_k=5 stop=a,b,c,d,e,f" + user;
  const std::string lost =
      " | /frequency_penalty /presence_penalty /seed /stop";
  const std::string bedrock = claude + lost + " /service_tier";
  const std::string converse = claude + " tier=flex" + lost;
  check({{"openai-chat", "m",
          " max=5 temperature=0.5 top_p=0.75 frequency=0.25 presence=0.5 "
          "seed=1099511627776 stop= ,a,b,c tier=flex | /top_k /stop /user"},
         {"openai-responses", "m",
          " max=16 temperature=0.5 top_p=0.75 tier=flex | /max_tokens "
          "/frequency_penalty /presence_penalty /top_k /seed /stop /user"},
         {"gemini", "m",
          " max=5 temperature=0.5 top_p=0.75 top_k=5 frequency=0.25 "
          "presence=0.5 stop= ,a,b,c,d tier=flex | /seed /stop /user"},
         {"claude", "m", bedrock},
         {"bedrock", "m", bedrock},
         {"bedrock-converse", "m", converse}},
        kForeign, ask);
}

TEST_CASE("fit: what says nothing is no loss") {
  const auto ask = [](ChatRequest& request) {
    request.temperature = 1;
    request.top_p = 1;
    request.top_k = 0;
    request.frequency_penalty = 0;
    request.presence_penalty = 0;
    request.stop_sequences = {""};
    request.service_tier = "auto";
    request.reasoning.display = "omitted";
  };
  check({{"openai-chat", "gpt-5.5", " tier=auto"},
         {"openai-responses", "gpt-5.5", " tier=auto"},
         {"gemini", "gemini-3-pro", " temperature=1 top_p=1 top_k=0"}},
        kForeign, ask);
}

TEST_CASE("fit: limits of tokens") {
  const auto none = [](ChatRequest&) {};
  check({{"openai-chat", "m", ""},
         {"gemini", "m", ""},
         {"claude", "m", " max=8192"},
         {"bedrock", "m", " max=8192"},
         {"bedrock-converse", "m", ""}},
        kForeign, none);
  const auto zero = [](ChatRequest& r) { r.max_output_tokens = 0; };
  check({{"openai-chat", "m", " error /max_tokens"},
         {"openai-responses", "m", " error /max_tokens"},
         {"gemini", "m", " error /max_tokens"},
         {"claude", "m", " max=0"},
         {"bedrock", "m", " max=0"},
         {"bedrock-converse", "m", " error /max_tokens"}},
        kForeign, zero);
  const auto many = [](ChatRequest& r) { r.max_output_tokens = 3000000000; };
  check({{"openai-chat", "m", " max=3000000000"},
         {"gemini", "m", " max=2147483647 | /max_tokens"},
         {"bedrock-converse", "m", " max=2147483647 | /max_tokens"}},
        kForeign, many);
  const auto few = [](ChatRequest& r) { r.max_output_tokens = 1; };
  check({{"openai-chat", "m", " max=1"},
         {"openai-responses", "m", " max=16 | /max_tokens"}},
        "", few);
  check({{"openai-responses", "m", " max=1"}}, "openai-responses", few);
}

TEST_CASE("fit: service tiers are the target's own words") {
  const auto usual = [](ChatRequest& r) { r.service_tier = "default"; };
  check({{"openai-chat", "m", " tier=default"},
         {"gemini", "m", " tier=standard"},
         {"claude", "m", " max=8192 tier=standard_only"},
         {"bedrock", "m", " max=8192"},
         {"bedrock-converse", "m", " tier=default"}},
        kForeign, usual);
  check({{"bedrock", "m", " max=8192 tier=standard_only"}}, "bedrock", usual);
  const auto own = [](ChatRequest& r) { r.service_tier = "standard_only"; };
  check({{"claude", "m", " max=8192 tier=standard_only"}}, "", own);
  check({{"claude", "m", " max=8192 | /service_tier"}}, kForeign, own);
  const auto odd = [](ChatRequest& r) { r.service_tier = "ultrafast"; };
  check({{"openai-responses", "m", " tier=ultrafast"},
         {"openai-chat", "m", " | /service_tier"}},
        kForeign, odd);
  check({{"openai-chat", "m", " tier=ultrafast"}}, "openai-chat", odd);
}

TEST_CASE("fit: ids of end users, in characters") {
  const auto ask = [](ChatRequest& request) {
    for (int i = 0; i < 64; ++i) request.user_id += "\xC3\xA9";
  };
  ChatRequest request = asked("m");
  ask(request);
  const std::string id = request.user_id;
  for (const auto name : {"openai-chat", "openai-responses"}) {
    CHECK(fitted(request, dialect(name)).request.user_id == id);
  }
  CHECK(fitted(request, dialect("gemini")).request.user_id.empty());
  request.model = "writer.palmyra-x5-v1:0";
  const Fitted other = fitted(request, dialect("bedrock-converse"));
  CHECK(other.request.user_id.empty());
}

TEST_CASE("fit: temperatures out of range are refused or brought into it") {
  ChatRequest request = asked("claude-sonnet-4-5");
  request.temperature = 1.5;
  request.top_p = 0.5;
  CHECK(outcome(fitted(request, dialect("claude"))) == " error /temperature");
  EncodeOptions options;
  options.clamp_sampling = true;
  CHECK(outcome(fitted(request, dialect("claude"), options)) ==
        " max=64000 top_p=0.5 | /temperature");
}

TEST_CASE("fit: sampling beside thinking") {
  const auto ask = [](ChatRequest& request) {
    request.temperature = 0.5;
    request.top_k = 5;
    request.reasoning = {ReasoningMode::budget, {}, 2000, ""};
  };
  check({{"claude", "claude-opus-4-6",
          " max=64000 mode=budget budget=2000 | /temperature /top_k"},
         {"bedrock-converse", "claude-opus-4-6",
          " mode=budget budget=2000 | /temperature /top_k"},
         {"gemini", "gemini-2.5-flash",
          " temperature=0.5 top_k=5 mode=budget budget=2000 show=summarized"}},
        kForeign, ask);
  check({{"bedrock", "claude-opus-4-6",
          " max=64000 temperature=0.5 top_k=5 mode=budget budget=2000"}},
        "claude", ask);
}

TEST_CASE("fit: thinking switched off is not shown") {
  const auto ask = [](ChatRequest& request) {
    request.reasoning.effort = Effort::none;
    request.reasoning.display = "summarized";
  };
  check({{"claude", "claude-opus-4-6", " max=64000 mode=off"},
         {"claude", "claude-sonnet-4-5", " max=64000"},
         {"bedrock-converse", "meta.llama4-v1:0", ""},
         {"gemini", "gemini-2.5-flash", " mode=off"},
         {"gemini", "gemini-2.5-pro",
          " mode=budget budget=128 | /reasoning_effort"},
         {"gemini", "gemini-3-pro", " effort=low | /reasoning_effort"},
         {"gemini", "gemini-3-flash", " effort=minimal | /reasoning_effort"},
         {"openai-responses", "gpt-5.1", " effort=none"},
         {"openai-chat", "o3", " effort=low | /reasoning_effort"}},
        kForeign, ask);
  const auto off = [](ChatRequest& request) {
    request.reasoning = {ReasoningMode::off, Effort::high, {}, "summarized"};
  };
  check(
      {{"claude", "claude-opus-4-6", " max=64000 mode=off effort=high"},
       {"openai-responses", "gpt-5", " | /reasoning_effort /thinking"},
       {"openai-responses", "gpt-5.1", " effort=none | /reasoning_effort"},
       {"openai-chat", "some-model", " | /reasoning_effort /thinking"},
       {"gemini", "gemini-2.5-flash", " mode=off | /reasoning_effort"},
       {"gemini", "gemini-3-pro", " effort=low | /reasoning_effort /thinking"}},
      "", off);
  check({{"bedrock", "claude-opus-4-6", " max=64000 mode=off effort=high"}},
        "claude", off);
  const auto nothing = [](ChatRequest& request) {
    request.reasoning = {ReasoningMode::budget, {}, 0, ""};
  };
  check({{"gemini", "gemini-2.5-flash", " mode=off"},
         {"claude", "claude-sonnet-4-5", " max=64000"}},
        "", nothing);
}

TEST_CASE("fit: efforts are the nearest that dialect and model take") {
  const auto most = [](ChatRequest& r) { r.reasoning.effort = Effort::max; };
  check({{"openai-chat", "gpt-5", " effort=high | /reasoning_effort"},
         {"openai-chat", "gpt-5.5", " effort=xhigh | /reasoning_effort"},
         {"openai-chat", "gpt-5.6", " effort=max"},
         {"openai-chat", "some-model", " effort=max"},
         {"openai-chat", "gpt-4o", " | /reasoning_effort"},
         {"gemini", "gemini-3-pro", " effort=high | /reasoning_effort"},
         {"gemini", "gemini-2.5-flash",
          " mode=budget budget=24576 | /reasoning_effort"},
         {"claude", "claude-opus-5-5", " max=64000 mode=adaptive effort=max"},
         {"claude", "claude-sonnet-4-5",
          " max=64000 mode=budget budget=32000 | /reasoning_effort"}},
        kForeign, most);
  const auto least = [](ChatRequest& r) {
    r.reasoning.effort = Effort::minimal;
  };
  check({{"openai-chat", "gpt-5", " effort=minimal"},
         {"openai-responses", "gpt-5.1", " effort=low | /reasoning_effort"},
         {"gemini", "gemini-3-flash", " effort=minimal"},
         {"gemini", "gemini-3-pro", " effort=low | /reasoning_effort"},
         {"gemini", "gemini-2.5-pro",
          " mode=budget budget=1024 | /reasoning_effort"},
         {"claude", "claude-opus-5-5",
          " max=64000 mode=off | /reasoning_effort"}},
        kForeign, least);
  check({{"openai-chat", "gpt-5", " effort=max"},
         {"openai-chat", "gpt-4o", " | /reasoning_effort"}},
        "openai-chat", most);
}

TEST_CASE("fit: budgets") {
  const auto ask = [](ChatRequest& request) {
    request.max_output_tokens = 40000;
    request.reasoning = {ReasoningMode::budget, {}, 30000, "omitted"};
  };
  check({{"openai-chat", "gpt-5",
          " max=40000 effort=high | /thinking/budget_tokens"},
         {"gemini", "gemini-2.5-pro", " max=40000 mode=budget budget=30000"},
         {"gemini", "gemini-2.5-flash",
          " max=40000 mode=budget budget=24576 | /thinking/budget_tokens"},
         {"gemini", "gemini-3-pro",
          " max=40000 effort=high | /thinking/budget_tokens"},
         {"claude", "claude-sonnet-4-5",
          " max=40000 mode=budget budget=30000 show=omitted"},
         {"claude", "claude-opus-5-5",
          " max=40000 mode=adaptive effort=high show=omitted | "
          "/thinking/budget_tokens"},
         {"bedrock-converse", "meta.llama4-v1:0", " max=40000 | /thinking"}},
        kForeign, ask);
  const auto tight = [](ChatRequest& request) {
    request.max_output_tokens = 2000;
    request.reasoning.effort = Effort::high;
  };
  check({{"claude", "claude-sonnet-4-5",
          " max=2000 mode=budget budget=1500 | /reasoning_effort"},
         {"gemini", "gemini-2.5-flash",
          " max=2000 mode=budget budget=1500 | /reasoning_effort"}},
        "", tight);
  const auto small = [](ChatRequest& request) {
    request.max_output_tokens = 1024;
    request.reasoning.budget_tokens = 100;
  };
  check({{"claude", "claude-sonnet-4-5", " max=1024 | /thinking"},
         {"gemini", "gemini-2.5-pro",
          " max=1024 mode=budget budget=128 | /thinking/budget_tokens"}},
        "", small);
}

TEST_CASE("fit: what is shown of thinking") {
  const auto adaptive = [](ChatRequest& request) {
    request.reasoning.mode = ReasoningMode::adaptive;
  };
  check({{"openai-chat", "gpt-5", ""},
         {"openai-chat", "gpt-5.5", " effort=medium | /thinking"},
         {"openai-responses", "gpt-5.5",
          " effort=medium show=summarized | /thinking"},
         {"gemini", "gemini-2.5-pro", " mode=adaptive show=summarized"},
         {"gemini", "gemini-3-pro", " show=summarized"},
         {"claude", "claude-opus-5-5", " max=64000 mode=adaptive"}},
        kForeign, adaptive);
  const auto alone = [](ChatRequest& request) {
    request.reasoning.display = "summarized";
  };
  check({{"openai-chat", "gpt-5.5", " | /thinking/display"},
         {"openai-responses", "gpt-5.5", " show=summarized"},
         {"gemini", "gemini-2.5-pro", " show=summarized"},
         {"claude", "claude-opus-5-5", " max=64000 | /thinking/display"}},
        kForeign, alone);
}

ResponseFormat format_of(FormatKind kind) {
  ResponseFormat format;
  format.kind = kind;
  if (kind != FormatKind::json_schema) return format;
  format.description = "d";
  format.schema = *RawJson::parse(R"({"type": "object"})");
  format.strict = true;
  return format;
}

TEST_CASE("fit: structured output where it can be asked for") {
  const auto schema = [](ChatRequest& request) {
    request.response_format = format_of(FormatKind::json_schema);
  };
  constexpr std::string_view kAsIs =
      R"( format=schema schema={"type": "object"} description=d strict=true)";
  const std::string closed =
      R"( format=schema schema={"type":"object","additionalProperties":false})";
  check({{"openai-chat", "gpt-5", kAsIs},
         {"openai-responses", "gpt-5", kAsIs},
         {"gemini", "gemini-3-pro",
          R"( format=schema schema={"type": "object"} | )"
          "/response_format/json_schema/description "
          "/response_format/json_schema/strict"}},
        kForeign, schema);
  const std::string claude =
      " max=64000" + closed +
      " strict=true | /response_format/json_schema/description";
  const std::string converse = closed + " description=d strict=true";
  check({{"claude", "claude-opus-5-5", claude},
         {"bedrock", "claude-opus-5-5", claude},
         {"bedrock-converse", "claude-opus-5-5", converse}},
        kForeign, schema);
  const auto text = [](ChatRequest& request) {
    request.response_format = format_of(FormatKind::text);
  };
  check({{"openai-chat", "gpt-5", " format=text"},
         {"openai-responses", "gpt-5", " format=text"},
         {"gemini", "gemini-3-pro", ""},
         {"bedrock", "claude-opus-5-5", " max=64000"},
         {"claude", "claude-opus-5-5", " max=64000"},
         {"bedrock-converse", "claude-opus-5-5", ""}},
        kForeign, text);
}

TEST_CASE("fit: structured output where it cannot be asked for") {
  const auto object = [](ChatRequest& request) {
    request.response_format = format_of(FormatKind::json_object);
  };
  const std::string told =
      " told=Respond with a single valid JSON object and nothing else.";
  const std::string openai = " format=object" + told + " | /response_format";
  check({{"openai-chat", "gpt-5", openai},
         {"openai-responses", "gpt-5", openai},
         {"gemini", "gemini-3-pro", " format=object"}},
        kForeign, object);
  const std::string claude = " max=64000" + told + " | /response_format";
  const std::string converse = told + " | /response_format";
  check({{"claude", "claude-opus-5-5", claude},
         {"bedrock", "claude-opus-5-5", claude},
         {"bedrock-converse", "claude-opus-5-5", converse}},
        "", object);
  const auto schema = [](ChatRequest& request) {
    request.response_format = format_of(FormatKind::json_schema);
  };
  check({{"claude", "claude-3-5-haiku",
          " max=8192 tool=json_response choice=json_response | "
          "/response_format"}},
        kForeign, schema);
  const auto beside = [](ChatRequest& request) {
    request.response_format = format_of(FormatKind::json_schema);
    ToolDefinition tool;
    tool.name = "f";
    request.tools.push_back(std::move(tool));
  };
  const std::string words =
      " tool=f" + told +
      R"( It must be valid against this JSON Schema: {"type": "object"} | )"
      "/response_format";
  check({{"gemini", "gemini-2.5-pro", words},
         {"claude", "claude-3-5-haiku",
          " max=8192 tool=f tool=json_response told=Give your final answer by "
          "calling the tool json_response exactly once. | /response_format"}},
        kForeign, beside);
}

TEST_CASE("fit: JSON mode and words for servers without schemas") {
  const Dialect& to = dialect("openai-chat");
  EncodeOptions options;
  options.traits.structured_output = false;
  for (const std::string_view from :
       {std::string_view("openai-chat"), kForeign}) {
    ChatRequest request = asked("m", std::string(from));
    request.messages = {system_message("Be brief."), user_message("hi")};
    request.response_format = format_of(FormatKind::json_schema);
    RequestContext context;
    Losses losses;
    const FitTarget target{to.limits, &options, wording_of(request, to)};
    REQUIRE(fit(request, target, context, losses));
    REQUIRE(request.response_format);
    CHECK(request.response_format->kind == FormatKind::json_object);
    CHECK(request.messages.size() == 2);
    CHECK(request.messages[0].content.size() == 2);
    CHECK(losses.size() == 1);
  }
}

}  // namespace
}  // namespace llmproxy
