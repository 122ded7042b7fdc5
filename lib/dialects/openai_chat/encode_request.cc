// OpenAI Chat Completions: the canonical request to what an upstream gets.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/bounded.h"
#include "chat/tool_names.h"
#include "chat/tool_plan.h"
#include "chat/turns.h"
#include "dialects/openai_chat/messages.h"

namespace llmproxy::openai_chat {
namespace {

using json::Writer;

/// Writes one request. Members of a class only to share what every step
/// needs: the request, the options, the writer and the losses.
class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const EncodeOptions& options,
                std::string& out, Losses& losses)
      : request_(request),
        options_(options),
        traits_(options.traits),
        w_(out),
        losses_(losses),
        same_dialect_(request.dialect.empty() || request.dialect == kName) {}

  Result<void> write() {
    w_.begin_object();
    w_.member("model", request_.model);
    w_.key("messages");
    LLMPROXY_TRY(MessagesWriter(request_, options_, w_, losses_).write());
    LLMPROXY_TRY(write_limits());
    LLMPROXY_TRY(write_sampling());
    write_stop();
    LLMPROXY_TRY(write_tools());
    write_format();
    write_reasoning();
    write_identity();
    write_stream();
    if (same_dialect_) {
      w_.extensions(request_.extensions);
    } else {
      lose_extensions(request_.extensions, "", "OpenAI Chat", losses_);
    }
    w_.end_object();
    return {};
  }

 private:
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    add_loss(losses_, {std::move(path), std::move(what), kind});
  }

  Result<void> write_limits() {
    if (!request_.max_output_tokens) return {};
    if (*request_.max_output_tokens == 0) {
      return unsupported(
          "max_tokens 0 only warms Anthropic's prompt cache; OpenAI has no "
          "such call",
          "/max_tokens");
    }
    w_.member(
        traits_.max_completion_tokens ? "max_completion_tokens" : "max_tokens",
        *request_.max_output_tokens);
    return {};
  }

  Result<void> write_sampling() {
    ChatRequest sampling;  // only its scalars are written
    sampling.temperature = request_.temperature;
    sampling.top_p = request_.top_p;
    sampling.frequency_penalty = request_.frequency_penalty;
    sampling.presence_penalty = request_.presence_penalty;
    sampling.seed = request_.seed;
    if (!traits_.sampling) {
      lose_sampling("temperature", sampling.temperature);
      lose_sampling("top_p", sampling.top_p);
    }
    if (!traits_.penalties) {
      lose_sampling("frequency_penalty", sampling.frequency_penalty);
      lose_sampling("presence_penalty", sampling.presence_penalty);
    }
    if (sampling.seed && (!traits_.seed || traits_.random_seed)) {
      if (traits_.random_seed) {
        w_.member("random_seed", *sampling.seed);
      } else {
        lose("/seed", "this provider takes no seed");
      }
      sampling.seed.reset();
    }
    json::write_fields<ChatRequest>(kScalars, w_, sampling);
    if (request_.top_k) lose("/top_k", "OpenAI Chat has no top_k");
    return {};
  }

  void lose_sampling(std::string_view name, std::optional<double>& value) {
    if (!value) return;
    value.reset();
    lose(json::pointer("", name), "this model does not take it");
  }

  void write_stop() {
    const auto& all = request_.stop_sequences;
    if (all.empty()) return;
    const std::size_t count =
        same_dialect_ ? all.size() : std::min(all.size(), kMaxStopSequences);
    if (count < all.size()) {
      lose("/stop",
           fmt::format("OpenAI takes {} stop sequences; the first {} are used",
                       kMaxStopSequences, kMaxStopSequences),
           LossKind::approximated);
    }
    w_.key("stop");
    w_.begin_array();
    for (std::size_t i = 0; i < count; ++i) w_.string(all[i]);
    w_.end_array();
  }

  Result<void> write_tools() {
    LLMPROXY_ASSIGN(
        std::vector<std::size_t> kept,
        plan_tools(request_, options_,
                   {.provider = "OpenAI Chat", .own = same_dialect_}, losses_));
    for (const std::size_t i : kept) {
      lose_tool_fields(request_.tools[i], json::pointer("/tools", i));
    }
    const bool web_search = write_web_search(kept);
    if (kept.empty()) return forced_choice_of_nothing(web_search);
    w_.key(request_.legacy_functions ? "functions" : "tools");
    w_.begin_array();
    for (const std::size_t i : kept) write_tool(request_.tools[i]);
    w_.end_array();
    if (!same_dialect_)
      LLMPROXY_TRY(check_named_choice(request_, kept, "OpenAI Chat"));
    write_tool_choice();
    if (request_.parallel_tool_calls && !request_.legacy_functions) {
      w_.member("parallel_tool_calls", *request_.parallel_tool_calls);
    }
    return {};
  }

  void lose_tool_fields(const ToolDefinition& tool, const std::string& path) {
    if (same_dialect_) return;
    if (tool.cache) {
      lose(path_of(*tool.cache, path),
           "OpenAI caches by itself and takes no cache markers");
    }
    lose_extensions(tool.extensions, path, "OpenAI Chat", losses_);
  }

  /// Takes this dialect's own web search out of the tools again.
  bool write_web_search(std::vector<std::size_t>& kept) {
    const auto search =
        std::find_if(kept.begin(), kept.end(), [this](std::size_t i) {
          return request_.tools[i].hosted_type == "web_search_options";
        });
    if (search == kept.end()) return false;
    w_.member("web_search_options", request_.tools[*search].schema);
    kept.erase(search);
    return true;
  }

  /// tool_choice without tools is a 400; a forced one cannot be kept.
  Result<void> forced_choice_of_nothing(bool web_search) {
    if (request_.tools.empty() || web_search) return {};
    return check_named_choice(request_, {}, "OpenAI Chat");
  }

  void write_tool(const ToolDefinition& tool) {
    if (tool.kind == ToolKind::hosted) {
      w_.raw(tool.schema.text());
      return;
    }
    if (!request_.legacy_functions) {
      w_.begin_object();
      const std::string_view type =
          tool.kind == ToolKind::custom ? "custom" : "function";
      w_.member("type", type);
      w_.key(type);
    }
    w_.begin_object();
    w_.member("name", tool.name);
    w_.member_if("description", tool.description);
    if (tool.kind == ToolKind::custom) {
      if (!tool.schema.empty()) w_.member("format", tool.schema);
    } else if (!tool.schema.empty()) {
      w_.member("parameters", tool.schema);
    }
    if (traits_.strict_tools) {
      w_.member("strict", tool.strict);
    } else if (tool.strict) {
      lose(json::pointer("/tools", static_cast<std::size_t>(
                                       &tool - request_.tools.data())) +
               "/strict",
           "this provider has no strict tools", LossKind::approximated);
    }
    write_tool_extensions(tool, Inside::yes);
    w_.end_object();
    if (request_.legacy_functions) return;
    write_tool_extensions(tool, Inside::no);
    w_.end_object();
  }

  /// Unknown fields stand beside `function` or inside of it.
  enum class Inside { no, yes };
  void write_tool_extensions(const ToolDefinition& tool, Inside inside) {
    if (!same_dialect_) return;
    for (const Extension& extension : tool.extensions) {
      const std::string_view name = extension.name;
      const bool nested = name.substr(0, kInner.size()) == kInner;
      if (nested != (inside == Inside::yes)) continue;
      w_.member(nested ? name.substr(kInner.size()) : name, extension.value);
    }
  }

  void write_tool_choice() {
    if (!request_.tool_choice) return;
    const ToolChoice& choice = *request_.tool_choice;
    w_.key(request_.legacy_functions ? "function_call" : "tool_choice");
    if (!choice.allowed.empty()) {
      w_.begin_object();
      w_.member("type", "allowed_tools");
      w_.key("allowed_tools");
      w_.begin_object();
      w_.member("mode", to_wire(kToolChoices, choice.mode));
      w_.key("tools");
      w_.begin_array();
      for (const std::string& name : choice.allowed) write_named(name);
      w_.end_array();
      w_.end_object();
      w_.end_object();
    } else if (choice.mode != ToolChoiceMode::named) {
      w_.string(to_wire(kToolChoices, choice.mode));
    } else if (request_.legacy_functions) {
      w_.begin_object();
      w_.member("name", choice.name);
      w_.end_object();
    } else {
      write_named(choice.name);
    }
  }

  void write_named(std::string_view name) {
    // The first of that name; a list of allowed tools asks for each.
    if (tools_.empty()) {
      for (const ToolDefinition& tool : request_.tools) {
        tools_.emplace(tool.name, &tool);
      }
    }
    const auto tool = tools_.find(name);
    const bool custom =
        tool != tools_.end() && tool->second->kind == ToolKind::custom;
    const std::string_view type = custom ? "custom" : "function";
    w_.begin_object();
    w_.member("type", type);
    w_.key(type);
    w_.begin_object();
    w_.member("name", name);
    w_.end_object();
    w_.end_object();
  }

  void write_format() {
    if (!request_.response_format) return;
    const ResponseFormat& format = *request_.response_format;
    w_.key("response_format");
    w_.begin_object();
    w_.member("type", to_wire(kFormats, format.kind));
    if (format.kind == FormatKind::json_schema) {
      w_.key("json_schema");
      w_.begin_object();
      // Required here; other dialects have no name for it.
      w_.member("name", format.name.empty() ? "response" : format.name);
      w_.member_if("description", format.description);
      if (!format.schema.empty()) w_.member("schema", format.schema);
      w_.member("strict", format.strict);
      w_.end_object();
    }
    w_.end_object();
  }

  void write_reasoning() {
    const Reasoning& reasoning = request_.reasoning;
    if (!reasoning.display.empty() && !same_dialect_) {
      lose("/thinking/display", "OpenAI Chat does not show thinking");
    }
    std::optional<Effort> effort = reasoning.effort;
    const bool off =
        reasoning.mode == ReasoningMode::off || effort == Effort::none;
    if (traits_.thinking == ThinkingStyle::none) {
      const bool on = reasoning.mode || effort || reasoning.budget_tokens;
      if (on && !off) lose("/thinking", "this model does not think");
      return;
    }
    if (off && !effort) {
      lose("/thinking",
           "OpenAI Chat cannot switch thinking off for every model; the model "
           "decides");
      return;
    }
    if (!effort && reasoning.budget_tokens) {
      effort = effort_of_budget(*reasoning.budget_tokens);
      lose("/thinking/budget_tokens",
           fmt::format("the budget became reasoning_effort {}",
                       to_wire(kEfforts, *effort)),
           LossKind::approximated);
    }
    if (!effort) return;
    w_.member("reasoning_effort", to_wire(kEfforts, *effort));
  }

  /// docs/dialects.md, "Effort and budgets".
  static Effort effort_of_budget(std::int64_t tokens) {
    if (tokens < 4096) return Effort::low;
    if (tokens < 16384) return Effort::medium;
    return Effort::high;
  }

  void write_identity() {
    if (!request_.user_id.empty() && !traits_.user_field) {
      lose("/user", "this provider takes no id of the end user");
    } else if (!request_.user_id.empty()) {
      if (request_.user_id.size() > kMaxUserId && !same_dialect_) {
        lose("/user",
             fmt::format("OpenAI takes at most {} characters", kMaxUserId));
      } else {
        w_.member(traits_.max_completion_tokens ? "safety_identifier" : "user",
                  request_.user_id);
      }
    }
    if (request_.service_tier.empty()) return;
    const bool known = std::find(kServiceTiers.begin(), kServiceTiers.end(),
                                 request_.service_tier) != kServiceTiers.end();
    if (known || same_dialect_) {
      w_.member("service_tier", request_.service_tier);
    } else {
      lose("/service_tier", "OpenAI has no such tier");
    }
  }

  void write_stream() {
    if (!request_.stream) return;
    w_.member("stream", true);
    // Asked for even when the client did not: the proxy's own accounting
    // and clients of other dialects need it.
    if (!traits_.stream_usage) return;
    w_.key("stream_options");
    w_.begin_object();
    w_.member("include_usage", true);
    w_.end_object();
  }

  const ChatRequest& request_;
  const EncodeOptions& options_;
  const TargetTraits& traits_;
  Writer w_;
  Losses& losses_;
  const bool same_dialect_;
  std::map<std::string_view, const ToolDefinition*> tools_;  // once asked for
};

/// JSON mode and the schema in the system text, for models without schemas.
void put_schema_in_words(ChatRequest& request, Losses& losses) {
  ResponseFormat& format = *request.response_format;
  const std::string text = fmt::format(
      "Respond with a single JSON object and nothing else. It must be valid "
      "against this JSON Schema: {}",
      format.schema.empty() ? "{}" : format.schema.text());
  add_loss(losses, {"/response_format",
                    "this model has no structured output; it is told the "
                    "schema in words",
                    LossKind::approximated});
  format = ResponseFormat{};
  format.kind = FormatKind::json_object;
  std::vector<Message>& messages = request.messages;
  const bool has_system =
      !messages.empty() && (messages.front().role == Role::system ||
                            messages.front().role == Role::developer);
  if (!has_system) messages.insert(messages.begin(), system_message(text));
  if (has_system) {
    messages.front().content.push_back(
        std::move(system_message(text).content.front()));
  }
}

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options, RequestContext&,
                            std::string& out, Losses& losses) {
  const TargetTraits& traits = options.traits;
  const bool schema_in_words =
      !traits.structured_output && request.response_format &&
      request.response_format->kind == FormatKind::json_schema;
  if (traits.system_in_messages && !traits.nine_char_call_ids &&
      !schema_in_words) {
    return RequestWriter(request, options, out, losses).write();
  }
  ChatRequest adapted = request;
  if (schema_in_words) put_schema_in_words(adapted, losses);
  if (!traits.system_in_messages) fold_system_turns(adapted.messages, losses);
  if (traits.nine_char_call_ids) make_call_ids_nine(adapted.messages);
  return RequestWriter(adapted, options, out, losses).write();
}

}  // namespace llmproxy::openai_chat
