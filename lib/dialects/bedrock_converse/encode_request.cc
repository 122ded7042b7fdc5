// Amazon Bedrock Converse: the canonical request to what an upstream gets.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/bounded.h"
#include "chat/model_plan.h"
#include "chat/schema.h"
#include "chat/tool_plan.h"
#include "chat/turns.h"
#include "dialects/bedrock_converse/messages.h"
#include "json/text.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::Writer;

/// Vendors whose models take none of Anthropic's fields. Ids of profiles may
/// stand for any model, mostly for one of Anthropic's.
constexpr std::array<std::string_view, 8> kOtherVendors = {
    "amazon.",   "meta.",   "mistral.", "cohere.",
    "deepseek.", "openai.", "qwen.",    "ai21."};

bool takes_anthropic_fields(std::string_view model) {
  return std::none_of(kOtherVendors.begin(), kOtherVendors.end(),
                      [model](std::string_view vendor) {
                        return model.find(vendor) != std::string_view::npos;
                      });
}

/// Names of the tools that the history calls, in order.
std::vector<std::string_view> called_tools(const ChatRequest& request) {
  std::vector<std::string_view> names;
  std::set<std::string_view> seen;
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.content) {
      const auto* call = part.as<ToolCallPart>();
      if (call == nullptr) continue;
      if (seen.insert(call->name).second) names.push_back(call->name);
    }
  }
  return names;
}

class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const EncodeOptions& options,
                RequestContext& context, std::string& out, Losses& losses)
      : request_(request),
        options_(options),
        traits_(options.traits),
        context_(context),
        w_(out),
        messages_(request, options, w_, losses),
        losses_(losses),
        own_(request.dialect.empty() || request.dialect == kName),
        claude_(takes_anthropic_fields(request.model)) {}

  Result<void> write() {
    choose_thinking();
    format_ = plan_format(request_, traits_, thinking_.thinks(), kTitle,
                          context_, losses_);
    w_.begin_object();
    // Tools first: cache markers are counted in the order of the prompt.
    LLMPROXY_TRY(write_tool_config());
    LLMPROXY_TRY(messages_.write(format_.words));
    LLMPROXY_TRY(write_inference());
    write_model_fields();
    write_output_config();
    write_service_tier();
    write_extensions();
    w_.end_object();
    return {};
  }

 private:
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    add_loss(losses_, {std::move(path), std::move(what), kind});
  }

  void choose_thinking() {
    if (own_ && !request_.dialect.empty()) {
      const Reasoning& asked = request_.reasoning;
      thinking_ = {asked.mode, asked.budget_tokens, asked.effort};
      return;
    }
    thinking_ = plan_thinking(
        request_, traits_,
        request_.max_output_tokens.value_or(traits_.default_max_tokens),
        losses_);
  }

  // --- tools ----------------------------------------------------------------

  /// There is no word that forbids calls, and a history with calls needs
  /// tools: they are left out, or can be called all the same.
  void forbid(std::vector<std::size_t>& kept) {
    if (own_ || kept.empty() || !request_.tool_choice ||
        request_.tool_choice->mode != ToolChoiceMode::none) {
      return;
    }
    if (called_tools(request_).empty()) {
      kept.clear();
      return lose(
          "/tools",
          fmt::format("{} cannot forbid calls; the tools are left out", kTitle),
          LossKind::approximated);
    }
    lose(
        "/tool_choice",
        fmt::format("{} cannot forbid calls; the model may call tools", kTitle),
        LossKind::approximated);
  }

  Result<void> write_tool_config() {
    LLMPROXY_ASSIGN(
        std::vector<std::size_t> kept,
        plan_tools(
            request_, options_,
            {.provider = kTitle, .own = own_, .offers_allowed_only = true},
            losses_));
    if (!own_ && !request_.tools.empty()) {
      LLMPROXY_TRY(check_named_choice(request_, kept, kTitle));
    }
    forbid(kept);
    // Own requests are sent as they are, right or wrong.
    const auto called =
        own_ ? std::vector<std::string_view>() : called_tools(request_);
    const bool none = kept.empty() && context_.json_tool.empty();
    if (none && called.empty()) return {};
    w_.key("toolConfig");
    w_.begin_object();
    w_.key("tools");
    w_.begin_array();
    for (const std::size_t i : kept) write_tool(i);
    if (!context_.json_tool.empty()) write_json_tool();
    if (none) write_called_tools(called);
    w_.end_array();
    if (!none) write_tool_choice();
    messages_.write_extensions(request_.extensions, kToolConfig);
    w_.end_object();
    return {};
  }

  void write_tool(std::size_t index) {
    const ToolDefinition& tool = request_.tools[index];
    const std::string path = json::pointer("/tools", index);
    if (tool.kind == ToolKind::hosted) {
      w_.raw(tool.schema.text());
    } else {
      w_.begin_object();
      w_.key("toolSpec");
      w_.begin_object();
      w_.member("name", tool.name);
      w_.member_if("description", tool.description);
      write_input_schema(own_ && !tool.schema.empty()
                             ? tool.schema.text()
                             : object_schema(tool.schema));
      w_.member("strict", tool.strict);
      messages_.write_extensions(tool.extensions, kToolSpec);
      w_.end_object();
      messages_.write_extensions(tool.extensions, "");
      w_.end_object();
      if (!own_) lose_extensions(tool.extensions, path, kTitle, losses_);
    }
    messages_.write_cache_point(tool.cache, path);
  }

  void write_input_schema(std::string_view schema) {
    w_.key("inputSchema");
    w_.begin_object();
    w_.member_raw("json", schema);
    w_.end_object();
  }

  void write_json_tool() {
    const ResponseFormat& format = *request_.response_format;
    write_made_tool(context_.json_tool,
                    format.description.empty()
                        ? "Gives the final answer."
                        : std::string_view(format.description),
                    object_schema(format.schema));
  }

  void write_made_tool(std::string_view name, std::string_view description,
                       std::string_view schema) {
    w_.begin_object();
    w_.key("toolSpec");
    w_.begin_object();
    w_.member("name", name);
    w_.member("description", description);
    write_input_schema(schema);
    w_.end_object();
    w_.end_object();
  }

  /// Calls in the history are refused without any tools.
  void write_called_tools(const std::vector<std::string_view>& names) {
    lose("/messages",
         fmt::format("{} wants the tools of earlier calls; they are declared "
                     "as not to be called",
                     kTitle),
         LossKind::approximated);
    for (const std::string_view name : names) {
      write_made_tool(name, "Not available any more. Do not call it.",
                      R"({"type":"object","properties":{}})");
    }
  }

  void write_tool_choice() {
    std::optional<ToolChoice> choice = request_.tool_choice;
    if (format_.force_tool) {
      choice = ToolChoice{ToolChoiceMode::named, context_.json_tool, {}};
    }
    if (request_.parallel_tool_calls == false) {
      lose("/parallel_tool_calls",
           fmt::format("{} has no word for one call at a time", kTitle));
    }
    if (!choice || choice->mode == ToolChoiceMode::none) return;
    w_.key("toolChoice");
    w_.begin_object();
    w_.key(to_wire(kToolChoices, choice->mode));
    w_.begin_object();
    if (choice->mode == ToolChoiceMode::named) w_.member("name", choice->name);
    w_.end_object();
    w_.end_object();
  }

  // --- the rest ---------------------------------------------------------

  Result<void> write_inference() {
    constexpr std::int64_t kMost = INT32_MAX;  // the API's own integer
    sampling_.max_output_tokens = request_.max_output_tokens;
    if (request_.max_output_tokens > kMost) {
      sampling_.max_output_tokens = kMost;
      lose("/max_tokens", fmt::format("{} counts up to {}", kTitle, kMost),
           LossKind::approximated);
    }
    sampling_.temperature = request_.temperature;
    sampling_.top_p = request_.top_p;
    sampling_.top_k = request_.top_k;
    if (!own_) {
      LLMPROXY_TRY(
          fit_sampling(sampling_, options_, thinking_.thinks(), losses_));
      if (request_.max_output_tokens == 0) {
        return unsupported(
            fmt::format("{} gives at least one token of output", kTitle),
            "/max_tokens");
      }
    }
    std::string config;
    Writer inner(config);
    inner.begin_object();
    json::write_fields<ChatRequest>(kScalars, inner, sampling_);
    write_stop_sequences(inner);
    if (own_) {
      for (const Extension& extension : request_.extensions) {
        if (!extension.name.starts_with(kInference)) continue;
        inner.member(extension.name.substr(kInference.size()), extension.value);
      }
    }
    inner.end_object();
    if (config != "{}") w_.member_raw("inferenceConfig", config);
    lose_if("/frequency_penalty", request_.frequency_penalty.has_value());
    lose_if("/presence_penalty", request_.presence_penalty.has_value());
    lose_if("/seed", request_.seed.has_value());
    return {};
  }

  void lose_if(std::string_view path, bool given) {
    if (!given) return;
    lose(std::string(path),
         fmt::format("{} has no {}", kTitle, path.substr(1)));
  }

  void write_stop_sequences(Writer& inner) {
    std::vector<std::string_view> kept;
    for (const std::string& stop : request_.stop_sequences) {
      if (!blank(stop) || own_) {
        kept.push_back(stop);
      } else {
        lose("/stop",
             fmt::format("{} takes no stop sequence of white space", kTitle));
      }
    }
    if (kept.empty()) return;
    inner.key("stopSequences");
    inner.begin_array();
    for (const std::string_view stop : kept) inner.string(stop);
    inner.end_array();
  }

  /// What the model itself takes, in the words of its own API.
  void write_model_fields() {
    std::string fields;
    Writer inner(fields);
    inner.begin_object();
    if (claude_ || own_) {
      json::write_fields<ChatRequest>(kModelScalars, inner, sampling_);
      write_user(inner);
    } else {
      lose_if("/top_k", sampling_.top_k.has_value());
      lose_if("/user", !request_.user_id.empty());
    }
    write_thinking(inner);
    for (const Extension& extension : request_.extensions) {
      if (!own_ || !extension.name.starts_with(kModelFields)) continue;
      inner.member(extension.name.substr(kModelFields.size()), extension.value);
    }
    inner.end_object();
    if (fields != "{}") w_.member_raw("additionalModelRequestFields", fields);
  }

  void write_user(Writer& inner) {
    if (request_.user_id.empty()) return;
    inner.key("metadata");
    inner.begin_object();
    inner.member("user_id", request_.user_id);
    inner.end_object();
  }

  void lose_display() {
    if (request_.reasoning.display.empty() || own_) return;
    lose("/thinking/display", "nothing is shown where nothing is thought");
  }

  void write_thinking(Writer& inner) {
    if (!thinking_.mode) return lose_display();
    inner.key("thinking");
    inner.begin_object();
    inner.member("type", to_wire(kThinkingTypes, *thinking_.mode));
    if (thinking_.mode == ReasoningMode::budget) {
      inner.member("budget_tokens", thinking_.budget);
    }
    inner.member_if("display", request_.reasoning.display);
    inner.end_object();
  }

  void write_output_config() {
    std::string config;
    Writer inner(config);
    inner.begin_object();
    if (thinking_.effort) {
      inner.member("effort", to_wire(kEfforts, *thinking_.effort));
    }
    if (format_.native) write_text_format(inner);
    for (const Extension& extension : request_.extensions) {
      if (!own_ || !extension.name.starts_with(kOutputConfig)) continue;
      inner.member(extension.name.substr(kOutputConfig.size()),
                   extension.value);
    }
    inner.end_object();
    if (config != "{}") w_.member_raw("outputConfig", config);
  }

  /// The schema is a text here.
  void write_text_format(Writer& inner) {
    const ResponseFormat& format = *request_.response_format;
    inner.key("textFormat");
    inner.begin_object();
    inner.member("type", "json_schema");
    inner.key("structure");
    inner.begin_object();
    inner.key("jsonSchema");
    inner.begin_object();
    inner.member("schema",
                 own_ ? format.schema.text()
                      : json::without_whitespace(closed_schema(
                            format.schema,
                            "/response_format/json_schema/schema", losses_)));
    inner.member_if("name", format.name);
    inner.member_if("description", format.description);
    inner.end_object();
    inner.end_object();
    inner.end_object();
  }

  void write_service_tier() {
    const std::string& tier = request_.service_tier;
    if (tier.empty()) return;
    if (!own_ && std::find(kServiceTiers.begin(), kServiceTiers.end(), tier) ==
                     kServiceTiers.end()) {
      return lose("/service_tier", fmt::format("{} has no such tier", kTitle));
    }
    w_.key("serviceTier");
    w_.begin_object();
    w_.member("type", tier);
    w_.end_object();
  }

  void write_extensions() {
    messages_.write_extensions(request_.extensions, "");
    if (!own_) lose_extensions(request_.extensions, "", kTitle, losses_);
  }

  const ChatRequest& request_;
  const EncodeOptions& options_;
  const TargetTraits& traits_;
  RequestContext& context_;
  Writer w_;
  MessagesWriter messages_;
  Losses& losses_;
  const bool own_;
  const bool claude_;
  ChatRequest sampling_;  // only its scalars are used
  ThinkingPlan thinking_;
  FormatPlan format_;
};

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options,
                            RequestContext& context, std::string& out,
                            Losses& losses) {
  return RequestWriter(request, options, context, out, losses).write();
}

}  // namespace llmproxy::bedrock_converse
