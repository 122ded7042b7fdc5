// Anthropic Messages: the canonical request to what an upstream gets.
#include <fmt/format.h>

#include <algorithm>

#include "chat/schema.h"
#include "chat/turns.h"
#include "dialects/claude/messages.h"

namespace llmproxy::claude {
namespace {

using json::Writer;

/// Told to the model where structured output has no native form.
constexpr std::string_view kJsonOnly =
    "Respond with a single valid JSON object and nothing else.";

/// docs/dialects.md, "Effort and budgets". Tokens.
struct BudgetRow {
  Effort effort;
  std::int64_t tokens;
};
constexpr std::array kBudgets = {
    BudgetRow{Effort::low, 4096},   BudgetRow{Effort::medium, 8192},
    BudgetRow{Effort::high, 16384}, BudgetRow{Effort::xhigh, 24576},
    BudgetRow{Effort::max, 32000},
};

std::int64_t budget_of(Effort effort) {
  for (const BudgetRow& row : kBudgets) {
    if (row.effort == effort) return row.tokens;
  }
  return kMinBudget;
}

Effort effort_of(std::int64_t budget) {
  if (budget < 4096) return Effort::low;
  if (budget < 16384) return Effort::medium;
  return Effort::high;
}

class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const EncodeOptions& options,
                RequestContext& context, Wire wire, std::string& out,
                Losses& losses)
      : request_(request),
        options_(options),
        traits_(options.traits),
        context_(context),
        wire_(wire),
        w_(out),
        messages_(request, options, w_, losses),
        losses_(losses),
        same_dialect_(request.dialect.empty() || request.dialect == kName),
        max_tokens_(
            request.max_output_tokens.value_or(traits_.default_max_tokens)) {}

  Result<void> write() {
    choose_thinking();
    choose_format();
    w_.begin_object();
    if (wire_ == Wire::anthropic) {
      w_.member("model", request_.model);
    } else {
      write_version();
    }
    w_.member("max_tokens", max_tokens_);
    // Tools first: cache markers are counted in the order of the prompt.
    LLMPROXY_TRY(write_tools());
    LLMPROXY_TRY(messages_.write(extra_system_));
    LLMPROXY_TRY(write_sampling());
    write_stop_sequences();
    write_thinking();
    LLMPROXY_TRY(write_output_config());
    write_identity();
    if (request_.stream && wire_ == Wire::anthropic) w_.member("stream", true);
    write_extensions();
    w_.end_object();
    return {};
  }

 private:
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    losses_.push_back({std::move(path), std::move(what), kind});
  }

  /// Bedrock's name of the API's version, which stands in the body there.
  void write_version() {
    for (const Extension& extension : request_.extensions) {
      if (same_dialect_ && extension.name == kVersion) {
        return w_.member(kVersion, extension.value);
      }
    }
    w_.member(kVersion, "bedrock-2023-05-31");
  }
  static constexpr std::string_view kVersion = "anthropic_version";
  static constexpr std::string_view kBeta = "anthropic_beta";

  /// The header `anthropic-beta` of this API is a member of the body there.
  bool is_of_other_wire(std::string_view name) const {
    return name == kVersion || (name == kBeta && wire_ == Wire::anthropic);
  }

  bool choice_is_forced() const {
    return request_.tool_choice &&
           (request_.tool_choice->mode == ToolChoiceMode::required ||
            request_.tool_choice->mode == ToolChoiceMode::named);
  }

  // --- thinking ---------------------------------------------------------

  /// Decides on thinking_mode_, budget_ and effort_ before anything is
  /// written: sampling and tool choice depend on them.
  void choose_thinking() {
    const Reasoning& asked = request_.reasoning;
    if (same_dialect_ && !request_.dialect.empty()) {
      thinking_mode_ = asked.mode;
      budget_ = asked.budget_tokens;
      effort_ = asked.effort;
      return;
    }
    const bool off = asked.mode == ReasoningMode::off ||
                     asked.effort == Effort::none ||
                     asked.effort == Effort::minimal;
    const bool on = !off && (asked.mode || asked.effort || asked.budget_tokens);
    const ThinkingStyle style = traits_.thinking;
    if (off) {
      // Models that think by default must be told; the others need nothing.
      if (style == ThinkingStyle::adaptive || style == ThinkingStyle::both) {
        thinking_mode_ = ReasoningMode::off;
      }
      return;
    }
    if (!on) return;
    if (style == ThinkingStyle::none) {
      return lose(reasoning_path(), "this model does not think");
    }
    const bool by_budget =
        style == ThinkingStyle::budget ||
        (style == ThinkingStyle::both && asked.budget_tokens.has_value());
    if (by_budget) return choose_budget();
    thinking_mode_ = ReasoningMode::adaptive;
    effort_ = asked.effort;
    if (!effort_ && asked.budget_tokens) {
      effort_ = effort_of(*asked.budget_tokens);
      lose(reasoning_path(),
           fmt::format("this model takes no budget; effort {} is used",
                       to_wire(kEfforts, *effort_)),
           LossKind::approximated);
    }
  }

  /// 1024 <= budget < max_tokens, and never together with a forced choice.
  /// max_tokens is not raised: that would cost what nobody asked for.
  void choose_budget() {
    if (choice_is_forced()) {
      return lose(reasoning_path(),
                  "thinking is off: it cannot be used when a tool call is "
                  "forced");
    }
    if (max_tokens_ <= kMinBudget) {
      return lose(reasoning_path(),
                  fmt::format("thinking is off: it needs more than {} "
                              "max_tokens",
                              kMinBudget));
    }
    if (within_tool_loop()) {
      return lose(reasoning_path(),
                  "thinking is off: the tool calls before carry no signed "
                  "thinking");
    }
    const std::int64_t wanted =
        request_.reasoning.budget_tokens
            ? *request_.reasoning.budget_tokens
            : budget_of(request_.reasoning.effort.value_or(Effort::medium));
    thinking_mode_ = ReasoningMode::budget;
    // A quarter is left for the answer.
    budget_ = std::min(wanted, std::max(kMinBudget, max_tokens_ / 4 * 3));
    if (request_.reasoning.effort) {
      lose(reasoning_path(),
           fmt::format("this model takes a budget; {} tokens are used",
                       *budget_),
           LossKind::approximated);
    }
  }

  /// The last model turn calls tools without signed thinking before them:
  /// the API then refuses to think by budget in the same loop.
  bool within_tool_loop() const {
    for (auto message = request_.messages.rbegin();
         message != request_.messages.rend(); ++message) {
      if (message->role != Role::assistant) continue;
      return std::any_of(message->content.begin(), message->content.end(),
                         [](const ContentPart& part) {
                           return part.as<ToolCallPart>() != nullptr;
                         });
    }
    return false;
  }

  std::string reasoning_path() const {
    return request_.reasoning.effort ? "/reasoning_effort" : "/thinking";
  }

  void write_thinking() {
    if (!thinking_mode_) {
      if (!request_.reasoning.display.empty() && !same_dialect_) {
        lose("/thinking/display", "nothing is shown where nothing is thought");
      }
      return;
    }
    w_.key("thinking");
    w_.begin_object();
    w_.member("type", to_wire(kThinkingTypes, *thinking_mode_));
    if (thinking_mode_ == ReasoningMode::budget) {
      w_.member("budget_tokens", budget_);
    }
    w_.member_if("display", request_.reasoning.display);
    w_.end_object();
  }

  bool thinks() const {
    return thinking_mode_ && *thinking_mode_ != ReasoningMode::off;
  }

  // --- structured output --------------------------------------------------

  /// Native schema, a private tool, or words: whatever the model has.
  void choose_format() {
    if (!request_.response_format) return;
    const ResponseFormat& format = *request_.response_format;
    if (format.kind == FormatKind::text) return;
    if (format.kind == FormatKind::json_object || format.schema.empty()) {
      extra_system_ = kJsonOnly;
      return lose("/response_format",
                  "Anthropic has no JSON mode; the model is told in words",
                  LossKind::approximated);
    }
    if (traits_.structured_output) return;
    context_.json_tool = free_tool_name("json_response");
    lose("/response_format",
         "this model has no structured output; a private tool stands in",
         LossKind::approximated);
    if (!json_tool_is_forced()) {
      extra_system_ = fmt::format(
          "Give your final answer by calling the tool {} exactly once.",
          context_.json_tool);
    }
  }

  /// Forcing the private tool would make the client's own tools unreachable,
  /// and is refused while the model thinks.
  bool json_tool_is_forced() const {
    return request_.tools.empty() && !thinks();
  }

  std::string free_tool_name(std::string name) const {
    const auto taken = [&](const ToolDefinition& tool) {
      return tool.name == name;
    };
    while (std::any_of(request_.tools.begin(), request_.tools.end(), taken)) {
      name += '_';
    }
    return name;
  }

  Result<void> write_output_config() {
    const bool native_schema =
        request_.response_format && traits_.structured_output &&
        request_.response_format->kind == FormatKind::json_schema &&
        !request_.response_format->schema.empty();
    std::vector<const Extension*> others = config_extensions();
    if (!effort_ && !native_schema && others.empty()) return {};
    w_.key("output_config");
    w_.begin_object();
    if (effort_) w_.member("effort", to_wire(kEfforts, *effort_));
    if (native_schema) {
      const ResponseFormat& format = *request_.response_format;
      w_.key("format");
      w_.begin_object();
      w_.member("type", "json_schema");
      w_.key("schema");
      w_.raw(same_dialect_
                 ? format.schema.text
                 : closed_schema(format.schema,
                                 "/response_format/json_schema/schema",
                                 losses_));
      w_.end_object();
    }
    for (const Extension* extension : others) {
      w_.member(extension->name.substr(kConfigPrefix.size()), extension->value);
    }
    w_.end_object();
    return {};
  }

  static constexpr std::string_view kConfigPrefix = "output_config/";

  std::vector<const Extension*> config_extensions() const {
    std::vector<const Extension*> out;
    if (!same_dialect_) return out;
    for (const Extension& extension : request_.extensions) {
      if (extension.name.compare(0, kConfigPrefix.size(), kConfigPrefix) == 0) {
        out.push_back(&extension);
      }
    }
    return out;
  }

  // --- tools ----------------------------------------------------------------

  Result<void> write_tools() {
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < request_.tools.size(); ++i) {
      const ToolDefinition& tool = request_.tools[i];
      const std::string path = json::pointer("/tools", i);
      if (tool.kind == ToolKind::hosted && !same_dialect_) {
        if (!options_.drop_hosted_tools) {
          return unsupported(
              fmt::format("the tool {} runs at its own provider and is not "
                          "available on this one",
                          tool.hosted_type),
              tool.hosted_type == "web_search_options" ? "/web_search_options"
                                                       : path + "/type");
        }
        lose(path, fmt::format("the hosted tool {} is not available on this "
                               "provider",
                               tool.hosted_type));
        continue;
      }
      if (is_allowed(tool)) kept.push_back(i);
    }
    if (kept.empty() && context_.json_tool.empty()) {
      return choice_without_tools();
    }
    w_.key("tools");
    w_.begin_array();
    for (const std::size_t i : kept) write_tool(i);
    if (!context_.json_tool.empty()) write_json_tool();
    w_.end_array();
    LLMPROXY_TRY(check_named_choice(kept));
    write_tool_choice();
    return {};
  }

  /// allowed_tools has no word here: only the allowed ones are sent.
  bool is_allowed(const ToolDefinition& tool) const {
    if (!request_.tool_choice || request_.tool_choice->allowed.empty()) {
      return true;
    }
    const auto& allowed = request_.tool_choice->allowed;
    return std::find(allowed.begin(), allowed.end(), tool.name) !=
           allowed.end();
  }

  Result<void> check_named_choice(const std::vector<std::size_t>& kept) const {
    if (same_dialect_ || !request_.tool_choice ||
        request_.tool_choice->mode != ToolChoiceMode::named) {
      return {};
    }
    for (const std::size_t index : kept) {
      if (request_.tools[index].name == request_.tool_choice->name) return {};
    }
    const bool declared =
        std::any_of(request_.tools.begin(), request_.tools.end(),
                    [&](const ToolDefinition& tool) {
                      return tool.name == request_.tool_choice->name;
                    });
    if (declared) {
      return unsupported("the tool that must be called is not available",
                         "/tool_choice");
    }
    return invalid_request("tool_choice names a tool that is not in tools",
                           "/tool_choice");
  }

  Result<void> choice_without_tools() {
    if (request_.tool_choice && !request_.tools.empty() &&
        request_.tool_choice->mode == ToolChoiceMode::named) {
      return unsupported("the tool that must be called is not available",
                         "/tool_choice");
    }
    return {};
  }

  void write_tool(std::size_t index) {
    const ToolDefinition& tool = request_.tools[index];
    const std::string path = json::pointer("/tools", index);
    if (tool.kind == ToolKind::hosted) return w_.raw(tool.schema.text);
    w_.begin_object();
    w_.member("name", tool.name);
    w_.member_if("description", tool.description);
    w_.member_raw("input_schema", same_dialect_ && !tool.schema.empty()
                                      ? tool.schema.text
                                      : object_schema(tool.schema));
    w_.member("strict", tool.strict);
    messages_.write_cache(tool.cache, path);
    messages_.write_extensions(tool.extensions, path);
    w_.end_object();
  }

  void write_json_tool() {
    const ResponseFormat& format = *request_.response_format;
    w_.begin_object();
    w_.member("name", context_.json_tool);
    w_.member("description", format.description.empty()
                                 ? "Gives the final answer."
                                 : std::string_view(format.description));
    w_.member_raw("input_schema", object_schema(format.schema));
    w_.end_object();
  }

  void write_tool_choice() {
    std::optional<ToolChoiceMode> mode;
    std::string name;
    if (request_.tool_choice) {
      mode = request_.tool_choice->mode;
      name = request_.tool_choice->name;
    }
    if (!context_.json_tool.empty() && json_tool_is_forced()) {
      mode = ToolChoiceMode::named;
      name = context_.json_tool;
    }
    const bool one_at_a_time =
        request_.parallel_tool_calls == false && mode != ToolChoiceMode::none;
    if (!mode && !one_at_a_time) return;
    w_.key("tool_choice");
    w_.begin_object();
    w_.member("type",
              to_wire(kToolChoices, mode.value_or(ToolChoiceMode::automatic)));
    if (mode == ToolChoiceMode::named) w_.member("name", name);
    if (one_at_a_time) w_.member("disable_parallel_tool_use", true);
    w_.end_object();
  }

  // --- the rest ---------------------------------------------------------

  Result<void> write_sampling() {
    ChatRequest sampling;  // only its scalars are written
    sampling.temperature = request_.temperature;
    sampling.top_p = request_.top_p;
    sampling.top_k = request_.top_k;
    if (!same_dialect_) {
      LLMPROXY_TRY(fit_temperature(sampling));
      if (!traits_.sampling) {
        drop_sampling(sampling, "this model takes no sampling parameters");
      } else if (thinks()) {
        drop_sampling(sampling, "not taken while the model thinks");
      } else if (sampling.temperature && sampling.top_p &&
                 !traits_.sampling_pair) {
        sampling.top_p.reset();
        lose("/top_p", "this model takes temperature or top_p, not both");
      }
    }
    json::write_fields<ChatRequest>(kScalars, w_, sampling);
    lose_if("/frequency_penalty", request_.frequency_penalty.has_value());
    lose_if("/presence_penalty", request_.presence_penalty.has_value());
    lose_if("/seed", request_.seed.has_value());
    return {};
  }

  void lose_if(std::string_view path, bool given) {
    if (!given) return;
    lose(std::string(path), fmt::format("Anthropic has no {}", path.substr(1)));
  }

  Result<void> fit_temperature(ChatRequest& sampling) {
    if (!sampling.temperature || !traits_.sampling ||
        *sampling.temperature <= traits_.max_temperature) {
      return {};
    }
    if (!options_.clamp_sampling) {
      return invalid_request(
          fmt::format("temperature must be between 0 and {} for this model",
                      traits_.max_temperature),
          "/temperature");
    }
    lose("/temperature",
         fmt::format("brought down to {}", traits_.max_temperature),
         LossKind::approximated);
    sampling.temperature = traits_.max_temperature;
    return {};
  }

  void drop_sampling(ChatRequest& sampling, std::string_view why) {
    const auto drop = [&](std::string_view path, auto& value) {
      if (!value) return;
      value.reset();
      lose(std::string(path), std::string(why));
    };
    drop("/temperature", sampling.temperature);
    drop("/top_p", sampling.top_p);
    drop("/top_k", sampling.top_k);
  }

  void write_stop_sequences() {
    std::vector<std::string_view> kept;
    for (const std::string& stop : request_.stop_sequences) {
      if (!blank(stop)) {
        kept.push_back(stop);
      } else {
        lose("/stop", "Anthropic takes no stop sequence of white space");
      }
    }
    if (kept.empty()) return;
    w_.key("stop_sequences");
    w_.begin_array();
    for (const std::string_view stop : kept) w_.string(stop);
    w_.end_array();
  }

  void write_identity() {
    if (!request_.user_id.empty()) {
      w_.key("metadata");
      w_.begin_object();
      w_.member("user_id", request_.user_id);
      w_.end_object();
    }
    if (request_.service_tier.empty()) return;
    if (wire_ == Wire::bedrock) {
      return lose("/service_tier", "Bedrock takes the tier as a header");
    }
    for (const ServiceTier& row : kServiceTiers) {
      if (row.canonical == request_.service_tier) {
        return w_.member("service_tier", row.wire);
      }
    }
    if (same_dialect_) return w_.member("service_tier", request_.service_tier);
    lose("/service_tier", "Anthropic has no such tier");
  }

  void write_extensions() {
    if (!same_dialect_) {
      return lose_extensions(request_.extensions, "", "Anthropic", losses_);
    }
    for (const Extension& extension : request_.extensions) {
      if (extension.name.compare(0, kConfigPrefix.size(), kConfigPrefix) == 0) {
        continue;
      }
      if (is_of_other_wire(extension.name)) {
        if (extension.name == kBeta) {
          lose("/anthropic_beta",
               "Anthropic takes features as a header, not in the body");
        }
        continue;
      }
      w_.member(extension.name, extension.value);
    }
  }

  const ChatRequest& request_;
  const EncodeOptions& options_;
  const TargetTraits& traits_;
  RequestContext& context_;
  const Wire wire_;
  Writer w_;
  MessagesWriter messages_;
  Losses& losses_;
  const bool same_dialect_;
  const std::int64_t max_tokens_;
  std::optional<ReasoningMode> thinking_mode_;
  std::optional<std::int64_t> budget_;
  std::optional<Effort> effort_;
  std::string extra_system_;
};

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options,
                            RequestContext& context, std::string& out,
                            Losses& losses) {
  return encode_body(request, options, context, Wire::anthropic, out, losses);
}

Result<void> encode_body(const ChatRequest& request,
                         const EncodeOptions& options, RequestContext& context,
                         Wire wire, std::string& out, Losses& losses) {
  return RequestWriter(request, options, context, wire, out, losses).write();
}

}  // namespace llmproxy::claude
