// Bedrock Converse: the canonical request to what an upstream gets. The model
// and the choice to stream are in the path, not here.
#include <fmt/format.h>

#include <algorithm>

#include "chat/schema.h"
#include "chat/tool_names.h"
#include "chat/turns.h"
#include "dialects/bedrock_converse/messages.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::Writer;

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

class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const EncodeOptions& options,
                std::string& out, Losses& losses)
      : request_(request),
        options_(options),
        traits_(options.traits),
        w_(out),
        messages_(request, options, w_, losses),
        losses_(losses),
        same_dialect_(request.dialect.empty() || request.dialect == kName) {}

  Result<void> write() {
    LLMPROXY_TRY(choose_tools());
    choose_thinking();
    choose_format();
    w_.begin_object();
    // Tools first: cache points are counted in the order of the prompt.
    LLMPROXY_TRY(write_tools());
    LLMPROXY_TRY(messages_.write(extra_system_));
    LLMPROXY_TRY(write_inference());
    write_model_fields();
    write_output();
    write_identity();
    write_extensions();
    w_.end_object();
    return {};
  }

 private:
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    losses_.push_back({std::move(path), std::move(what), kind});
  }

  // --- tools --------------------------------------------------------------

  Result<void> choose_tools() {
    for (std::size_t i = 0; i < request_.tools.size(); ++i) {
      const ToolDefinition& tool = request_.tools[i];
      if (tool.kind != ToolKind::hosted || same_dialect_) {
        if (is_allowed(tool)) kept_.push_back(i);
        continue;
      }
      const std::string path = json::pointer("/tools", i);
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
    }
    return check_choice();
  }

  bool is_allowed(const ToolDefinition& tool) const {
    if (!request_.tool_choice || request_.tool_choice->allowed.empty()) {
      return true;
    }
    const auto& allowed = request_.tool_choice->allowed;
    return std::find(allowed.begin(), allowed.end(), tool.name) !=
           allowed.end();
  }

  Result<void> check_choice() const {
    if (same_dialect_ || !request_.tool_choice ||
        request_.tool_choice->mode != ToolChoiceMode::named) {
      return {};
    }
    const std::string& name = request_.tool_choice->name;
    for (const std::size_t index : kept_) {
      if (request_.tools[index].name == name) return {};
    }
    const bool declared = std::any_of(
        request_.tools.begin(), request_.tools.end(),
        [&](const ToolDefinition& tool) { return tool.name == name; });
    if (declared || kept_.empty()) {
      return unsupported("the tool that must be called is not available",
                         "/tool_choice");
    }
    return invalid_request("tool_choice names a tool that is not in tools",
                           "/tool_choice");
  }

  /// A history with calls is refused without any tool.
  std::vector<std::string> tools_of_history() const {
    std::vector<std::string> names;
    if (!kept_.empty() || same_dialect_) return names;
    for (const Message& message : request_.messages) {
      for (const ContentPart& part : message.content) {
        const auto* call = part.as<ToolCallPart>();
        if (call == nullptr) continue;
        if (std::find(names.begin(), names.end(), call->name) == names.end()) {
          names.push_back(call->name);
        }
      }
    }
    return names;
  }

  Result<void> write_tools() {
    const std::vector<std::string> history = tools_of_history();
    if (kept_.empty() && history.empty()) return {};
    w_.key("toolConfig");
    w_.begin_object();
    w_.key("tools");
    w_.begin_array();
    for (const std::size_t index : kept_) write_tool(index);
    for (const std::string& name : history) {
      w_.raw(fmt::format(R"({{"toolSpec":{{"name":"{}","inputSchema":)"
                         R"({{"json":{{"type":"object"}}}}}}}})",
                         name));
    }
    w_.end_array();
    if (!history.empty()) {
      lose("/messages",
           "the tools of earlier calls were declared: Bedrock wants them",
           LossKind::approximated);
    } else {
      write_choice();
    }
    w_.end_object();
    return {};
  }

  void write_tool(std::size_t index) {
    const ToolDefinition& tool = request_.tools[index];
    const std::string path = json::pointer("/tools", index);
    if (tool.kind == ToolKind::hosted) {
      w_.raw(tool.schema.text);
    } else {
      w_.begin_object();
      w_.key("toolSpec");
      w_.begin_object();
      w_.member("name", tool.name);
      w_.member_if("description", tool.description);
      w_.key("inputSchema");
      w_.begin_object();
      w_.member_raw("json", same_dialect_ && !tool.schema.empty()
                                ? tool.schema.text
                                : object_schema(tool.schema));
      w_.end_object();
      w_.member("strict", tool.strict);
      if (same_dialect_) w_.extensions(tool.extensions);
      w_.end_object();
      w_.end_object();
      if (!same_dialect_) {
        lose_extensions(tool.extensions, path, kTitle, losses_);
      }
    }
    messages_.write_cache(tool.cache, path);
  }

  void write_choice() {
    if (request_.parallel_tool_calls == false) {
      lose("/parallel_tool_calls",
           "Bedrock Converse cannot be kept from "
           "several calls at once");
    }
    if (!request_.tool_choice) return;
    const ToolChoice& choice = *request_.tool_choice;
    if (choice.mode == ToolChoiceMode::none) {
      return lose("/tool_choice",
                  "Bedrock Converse cannot forbid tools; the model decides",
                  LossKind::approximated);
    }
    w_.key("toolChoice");
    w_.begin_object();
    if (choice.mode == ToolChoiceMode::named) {
      w_.key("tool");
      w_.begin_object();
      w_.member("name", choice.name);
      w_.end_object();
    } else {
      w_.member_raw(choice.mode == ToolChoiceMode::required ? "any" : "auto",
                    "{}");
    }
    w_.end_object();
  }

  bool is_forced() const {
    return request_.tool_choice && !kept_.empty() &&
           (request_.tool_choice->mode == ToolChoiceMode::required ||
            request_.tool_choice->mode == ToolChoiceMode::named);
  }

  // --- thinking -------------------------------------------------------------

  void choose_thinking() {
    const Reasoning& asked = request_.reasoning;
    if (same_dialect_) {
      mode_ = asked.mode;
      budget_ = asked.budget_tokens;
      effort_ = asked.effort;
      return;
    }
    const bool off = asked.mode == ReasoningMode::off ||
                     asked.effort == Effort::none ||
                     asked.effort == Effort::minimal;
    const bool on = !off && (asked.mode || asked.effort || asked.budget_tokens);
    const ThinkingStyle style = traits_.thinking;
    if (off &&
        (style == ThinkingStyle::adaptive || style == ThinkingStyle::both)) {
      mode_ = ReasoningMode::off;
    }
    if (!on) return;
    if (style == ThinkingStyle::none) {
      return lose(reasoning_path(), "this model does not think");
    }
    if (style == ThinkingStyle::budget ||
        (style == ThinkingStyle::both && asked.budget_tokens)) {
      return choose_budget();
    }
    mode_ = ReasoningMode::adaptive;
    effort_ = asked.effort;
    if (!effort_ && asked.budget_tokens) {
      effort_ = *asked.budget_tokens < 4096    ? Effort::low
                : *asked.budget_tokens < 16384 ? Effort::medium
                                               : Effort::high;
      lose(reasoning_path(),
           fmt::format("this model takes no budget; effort {} is used",
                       to_wire(kEfforts, *effort_)),
           LossKind::approximated);
    }
  }

  /// 1024 <= budget < maxTokens, and never together with a forced choice.
  void choose_budget() {
    const std::int64_t limit =
        request_.max_output_tokens.value_or(traits_.default_max_tokens);
    if (is_forced() || limit <= kMinBudget || within_tool_loop()) {
      return lose(reasoning_path(),
                  "thinking is off: the model cannot think in this turn");
    }
    const Reasoning& asked = request_.reasoning;
    std::int64_t wanted = asked.budget_tokens.value_or(kMinBudget);
    if (!asked.budget_tokens) {
      for (const BudgetRow& row : kBudgets) {
        if (row.effort == asked.effort.value_or(Effort::medium)) {
          wanted = row.tokens;
        }
      }
    }
    mode_ = ReasoningMode::budget;
    budget_ = wanted;
    if (wanted >= limit) {
      // A quarter is left for the answer.
      budget_ = std::max(kMinBudget, limit / 4 * 3);
      if (asked.budget_tokens) {
        lose("/thinking/budget_tokens",
             fmt::format("brought below max_tokens, to {}", *budget_),
             LossKind::approximated);
      }
    }
    if (asked.effort) {
      lose(reasoning_path(),
           fmt::format("this model takes a budget; {} tokens are used",
                       *budget_),
           LossKind::approximated);
    }
  }

  /// The last model turn calls tools without signed thinking before them.
  bool within_tool_loop() const {
    const auto& all = request_.messages;
    for (auto message = all.rbegin(); message != all.rend(); ++message) {
      if (message->role != Role::assistant) continue;
      bool calls = false;
      bool is_signed = false;
      for (const ContentPart& part : message->content) {
        calls = calls || part.as<ToolCallPart>() != nullptr;
        const auto* thinking = part.as<ThinkingPart>();
        is_signed =
            is_signed || (thinking != nullptr &&
                          thinking->issuer == ReasoningIssuer::anthropic);
      }
      return calls && !is_signed;
    }
    return false;
  }

  std::string reasoning_path() const {
    return request_.reasoning.effort ? "/reasoning_effort" : "/thinking";
  }

  // --- the rest -------------------------------------------------------------

  void choose_format() {
    if (!request_.response_format) return;
    const ResponseFormat& format = *request_.response_format;
    if (format.kind == FormatKind::text) return;
    if (format.kind == FormatKind::json_schema && !format.schema.empty() &&
        (traits_.structured_output || same_dialect_)) {
      native_format_ = true;
      return;
    }
    extra_system_ = kJsonOnly;
    if (!format.schema.empty()) {
      extra_system_ += " It must be valid against this JSON Schema: ";
      extra_system_ += format.schema.text;
    }
    lose("/response_format",
         "this model has no such output format; it is told in words",
         LossKind::approximated);
  }

  bool thinks() const { return mode_ && *mode_ != ReasoningMode::off; }

  Result<void> write_inference() {
    if (request_.max_output_tokens == 0) {
      return unsupported("Bedrock has no call that only warms a cache",
                         "/max_tokens");
    }
    std::string config;
    Writer w(config);
    w.begin_object();
    w.member("maxTokens", request_.max_output_tokens);
    ChatRequest sampling;  // only its scalars are written
    sampling.temperature = request_.temperature;
    sampling.top_p = request_.top_p;
    if (!same_dialect_) LLMPROXY_TRY(fit_sampling(sampling));
    json::write_fields<ChatRequest>(kScalars, w, sampling);
    write_stops(w);
    for (const Extension& extension : request_.extensions) {
      if (!same_dialect_ || !extension.name.starts_with(kInferencePrefix)) {
        continue;
      }
      w.member(extension.name.substr(kInferencePrefix.size()), extension.value);
    }
    w.end_object();
    if (config != "{}") w_.member_raw("inferenceConfig", config);
    lose_if(request_.frequency_penalty.has_value(), "/frequency_penalty");
    lose_if(request_.presence_penalty.has_value(), "/presence_penalty");
    lose_if(request_.seed.has_value(), "/seed");
    return {};
  }

  void lose_if(bool given, std::string path) {
    if (given) lose(std::move(path), "Bedrock Converse has no such field");
  }

  Result<void> fit_sampling(ChatRequest& sampling) {
    if (sampling.temperature && traits_.sampling &&
        *sampling.temperature > traits_.max_temperature) {
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
    }
    if (!traits_.sampling || thinks()) {
      drop("/temperature", sampling.temperature);
      drop("/top_p", sampling.top_p);
    } else if (sampling.temperature && sampling.top_p &&
               !traits_.sampling_pair) {
      drop("/top_p", sampling.top_p);
    }
    return {};
  }

  void drop(std::string path, std::optional<double>& value) {
    if (!value) return;
    value.reset();
    lose(std::move(path), "this model does not take it now");
  }

  void write_stops(Writer& w) {
    std::vector<std::string_view> kept;
    for (const std::string& stop : request_.stop_sequences) {
      if (!blank(stop) || same_dialect_) {
        kept.push_back(stop);
      } else {
        lose("/stop", "Bedrock takes no stop sequence of white space");
      }
    }
    if (kept.empty()) return;
    w.key("stopSequences");
    w.begin_array();
    for (const std::string_view stop : kept) w.string(stop);
    w.end_array();
  }

  void write_model_fields() {
    std::string fields;
    Writer w(fields);
    w.begin_object();
    if (request_.top_k) {
      if (same_dialect_ || (traits_.sampling && !thinks())) {
        w.member("top_k", *request_.top_k);
      } else {
        lose("/top_k", "this model does not take it now");
      }
    }
    write_thinking(w);
    for (const Extension& extension : request_.extensions) {
      if (!same_dialect_ || !extension.name.starts_with(kModelPrefix)) continue;
      w.member(extension.name.substr(kModelPrefix.size()), extension.value);
    }
    w.end_object();
    if (fields != "{}") w_.member_raw("additionalModelRequestFields", fields);
  }

  void write_thinking(Writer& w) {
    const std::string& display = request_.reasoning.display;
    if (!mode_) {
      if (!display.empty() && !same_dialect_) {
        lose("/thinking/display", "nothing is shown where nothing is thought");
      }
      return;
    }
    struct Row {
      ReasoningMode mode;
      std::string_view type;
    };
    constexpr Row kTypes[] = {{ReasoningMode::off, "disabled"},
                              {ReasoningMode::budget, "enabled"},
                              {ReasoningMode::adaptive, "adaptive"}};
    w.key("thinking");
    w.begin_object();
    for (const Row& row : kTypes) {
      if (row.mode == *mode_) w.member("type", row.type);
    }
    if (mode_ == ReasoningMode::budget) w.member("budget_tokens", budget_);
    w.member_if("display", display);
    w.end_object();
  }

  void write_output() {
    if (!effort_ && !native_format_) return;
    w_.key("outputConfig");
    w_.begin_object();
    if (effort_) w_.member("effort", to_wire(kEfforts, *effort_));
    if (native_format_) write_format(*request_.response_format);
    w_.end_object();
  }

  /// Written for such an API already.
  static bool is_closed(const RawJson& schema) {
    json::Document document;
    const auto root = document.parse(schema.text);
    return root && (*root)["additionalProperties"].boolean() == false;
  }

  void write_format(const ResponseFormat& format) {
    w_.key("textFormat");
    w_.begin_object();
    w_.member("type", "json_schema");
    w_.key("structure");
    w_.begin_object();
    w_.key("jsonSchema");
    w_.begin_object();
    // JSON in a text, unlike the schemas of tools.
    w_.member(
        "schema",
        same_dialect_ || is_closed(format.schema)
            ? format.schema.text
            : closed_schema(format.schema,
                            "/response_format/json_schema/schema", losses_));
    w_.member_if("name", format.name);
    w_.member_if("description", format.description);
    w_.end_object();
    w_.end_object();
    w_.end_object();
  }

  void write_identity() {
    if (!request_.user_id.empty()) {
      lose("/user", "Bedrock Converse takes no id of the end user");
    }
    if (request_.service_tier.empty()) return;
    for (const ServiceTier& row : kServiceTiers) {
      if (row.canonical == request_.service_tier) return write_tier(row.wire);
    }
    if (same_dialect_) return write_tier(request_.service_tier);
    lose("/service_tier", "Bedrock has no such tier");
  }

  void write_tier(std::string_view tier) {
    w_.key("serviceTier");
    w_.begin_object();
    w_.member("type", tier);
    w_.end_object();
  }

  void write_extensions() {
    if (!same_dialect_) {
      return lose_extensions(request_.extensions, "", kTitle, losses_);
    }
    for (const Extension& extension : request_.extensions) {
      if (extension.name.find('/') == std::string::npos) {
        w_.member(extension.name, extension.value);
      }
    }
  }

  const ChatRequest& request_;
  const EncodeOptions& options_;
  const TargetTraits& traits_;
  Writer w_;
  MessagesWriter messages_;
  Losses& losses_;
  const bool same_dialect_;
  std::vector<std::size_t> kept_;
  std::optional<ReasoningMode> mode_;
  std::optional<std::int64_t> budget_;
  std::optional<Effort> effort_;
  std::string extra_system_;
  bool native_format_ = false;
};

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options, RequestContext&,
                            std::string& out, Losses& losses) {
  ChatRequest adapted = request;
  fold_system_turns(adapted.messages, losses);
  return RequestWriter(adapted, options, out, losses).write();
}

}  // namespace llmproxy::bedrock_converse
