// Gemini generateContent: the canonical request to what an upstream gets. The
// model and the choice to stream are in the path, not here.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bounded.h"
#include "chat/tool_plan.h"
#include "chat/turns.h"
#include "dialects/gemini/messages.h"

namespace llmproxy::gemini {
namespace {

using json::Writer;

constexpr std::string_view kTitle = "Gemini";
constexpr std::string_view kJsonOnly =
    "Respond with a single valid JSON object and nothing else.";

/// docs/dialects.md, "Effort and budgets". Tokens.
struct BudgetRow {
  Effort effort;
  std::int64_t tokens;
};
constexpr std::array kBudgets = {
    BudgetRow{Effort::minimal, 1024}, BudgetRow{Effort::low, 4096},
    BudgetRow{Effort::medium, 8192},  BudgetRow{Effort::high, 16384},
    BudgetRow{Effort::xhigh, 24576},  BudgetRow{Effort::max, 24576},
};

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
    LLMPROXY_TRY(choose_tools());
    choose_format();
    w_.begin_object();
    LLMPROXY_TRY(
        ContentsWriter(request_, options_, w_, losses_).write(extra_system_));
    write_tools();
    LLMPROXY_TRY(write_tool_config());
    LLMPROXY_TRY(write_config());
    write_identity();
    write_extensions();
    w_.end_object();
    return {};
  }

 private:
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    add_loss(losses_, {std::move(path), std::move(what), kind});
  }

  // --- tools --------------------------------------------------------------

  Result<void> choose_tools() {
    LLMPROXY_ASSIGN(kept_, plan_tools(request_, options_,
                                      {.provider = kTitle,
                                       .own = same_dialect_,
                                       .offers_allowed_only = !same_dialect_},
                                      losses_));
    return {};
  }

  void write_tools() {
    if (kept_.empty()) return;
    w_.key("tools");
    w_.begin_array();
    const bool any_function =
        std::any_of(kept_.begin(), kept_.end(), [&](std::size_t i) {
          return request_.tools[i].kind != ToolKind::hosted;
        });
    if (any_function) {
      w_.begin_object();
      w_.key("functionDeclarations");
      w_.begin_array();
      for (const std::size_t i : kept_) {
        if (request_.tools[i].kind != ToolKind::hosted) write_function(i);
      }
      w_.end_array();
      w_.end_object();
    }
    for (const std::size_t i : kept_) {
      const ToolDefinition& tool = request_.tools[i];
      if (tool.kind == ToolKind::hosted) w_.raw(tool.schema.text());
    }
    w_.end_array();
  }

  void write_function(std::size_t index) {
    const ToolDefinition& tool = request_.tools[index];
    const std::string path = json::pointer("/tools", index);
    w_.begin_object();
    w_.member("name", tool.name);
    w_.member_if("description", tool.description);
    // A function without arguments has no schema here: an object without
    // properties is refused.
    if (has_properties(tool.schema)) {
      w_.member("parametersJsonSchema", tool.schema);
    }
    if (same_dialect_) {
      w_.extensions(tool.extensions);
    } else {
      if (tool.strict == true) {
        lose(path, "Gemini has no strict tools", LossKind::approximated);
      }
      if (tool.cache) {
        lose(path_of(*tool.cache, path),
             "Gemini caches prompts by itself; the marker is not needed");
      }
      lose_extensions(tool.extensions, path, kTitle, losses_);
    }
    w_.end_object();
  }

  static bool has_properties(const RawJson& schema) {
    if (schema.empty()) return false;
    json::Document document;
    const auto root = document.parse(schema.text());
    if (!root || !root->is_object()) return false;
    // Anything but {"type":"object","properties":{}} and its like says
    // something about the arguments.
    for (const json::Value member : root->children()) {
      const std::string_view name = member.key();
      const bool empty =
          (name == "properties" || name == "required") && member.size() == 0;
      if (name != "type" && name != "additionalProperties" &&
          name != "$schema" && !empty) {
        return true;
      }
    }
    return false;
  }

  bool is_forced() const {
    return request_.tool_choice && !kept_.empty() &&
           (request_.tool_choice->mode == ToolChoiceMode::required ||
            request_.tool_choice->mode == ToolChoiceMode::named);
  }

  Result<void> write_tool_config() {
    if (request_.parallel_tool_calls == false && !same_dialect_) {
      lose("/parallel_tool_calls",
           "Gemini cannot be kept from calling several "
           "functions at once");
    }
    const bool has_config = own_extension("toolConfig/");
    const bool chosen = request_.tool_choice && !kept_.empty();
    if (request_.tool_choice && kept_.empty() &&
        request_.tool_choice->mode == ToolChoiceMode::named) {
      return unsupported("the tool that must be called is not available",
                         "/tool_choice");
    }
    if (!chosen && !has_config) return {};
    w_.key("toolConfig");
    w_.begin_object();
    if (chosen) LLMPROXY_TRY(write_choice(*request_.tool_choice));
    write_nested("toolConfig/", "toolConfig/functionCallingConfig/mode");
    w_.end_object();
    return {};
  }

  Result<void> write_choice(const ToolChoice& choice) {
    if (choice.mode == ToolChoiceMode::named && !same_dialect_) {
      LLMPROXY_TRY(check_named_choice(request_, kept_, kTitle));
    }
    const bool validated =
        own_extension("toolConfig/functionCallingConfig/mode");
    std::string_view mode = "AUTO";
    if (choice.mode == ToolChoiceMode::none) mode = "NONE";
    // Names are taken beside a mode that checks what is called only.
    const bool named = same_dialect_ && !choice.allowed.empty();
    if (named || validated) mode = "VALIDATED";
    if (is_forced()) mode = "ANY";
    w_.key("functionCallingConfig");
    w_.begin_object();
    w_.member("mode", mode);
    std::vector<std::string> allowed;
    if (same_dialect_) allowed = choice.allowed;
    if (choice.mode == ToolChoiceMode::named) allowed = {choice.name};
    if (!allowed.empty()) {
      w_.key("allowedFunctionNames");
      w_.begin_array();
      for (const std::string& name : allowed) w_.string(name);
      w_.end_array();
    }
    w_.end_object();
    return {};
  }

  // --- generationConfig ---------------------------------------------------

  /// JSON beside functions is refused by older models, beside forced calls by
  /// all: then the model is told in words.
  void choose_format() {
    if (!request_.response_format) return;
    const ResponseFormat& format = *request_.response_format;
    if (format.kind == FormatKind::text) return;
    const bool refused =
        is_forced() || (!kept_.empty() && !traits_.tools_with_format);
    if (same_dialect_ || (!refused && traits_.structured_output)) {
      native_format_ = true;
      if (!same_dialect_ && format.strict == true) return;
      return;
    }
    extra_system_ = kJsonOnly;
    if (!format.schema.empty()) {
      extra_system_ += " It must be valid against this JSON Schema: ";
      extra_system_ += format.schema.text();
    }
    lose("/response_format",
         "Gemini takes no JSON format beside these functions; the model is "
         "told in words",
         LossKind::approximated);
  }

  Result<void> write_config() {
    std::string config;
    Writer w(config);
    w.begin_object();
    LLMPROXY_TRY(write_sampling(w));
    write_stops(w);
    write_format(w);
    write_thinking(w);
    if (same_dialect_) {
      for (const Extension& extension : request_.extensions) {
        for (const std::string_view prefix :
             {kConfigPrefix, std::string_view("generation_config/")}) {
          if (!extension.name.starts_with(prefix)) continue;
          w.member(extension.name.substr(prefix.size()), extension.value);
        }
      }
    }
    w.end_object();
    if (config != "{}") w_.member_raw("generationConfig", config);
    return {};
  }

  Result<void> write_sampling(Writer& w) {
    if (request_.max_output_tokens == 0) {
      return unsupported(
          "max_tokens 0 only warms Anthropic's prompt cache; Gemini has no "
          "such call",
          "/max_tokens");
    }
    constexpr std::int64_t kMost = INT32_MAX;  // the API's own integer
    std::optional<std::int64_t> limit = request_.max_output_tokens;
    if (limit > kMost) {
      limit = kMost;
      lose("/max_tokens", fmt::format("Gemini counts up to {}", kMost),
           LossKind::approximated);
    }
    w.member("maxOutputTokens", limit);
    w.member("temperature", request_.temperature);
    w.member("topP", request_.top_p);
    w.member("topK", request_.top_k);
    write_penalty("presencePenalty", "/presence_penalty",
                  request_.presence_penalty, w);
    write_penalty("frequencyPenalty", "/frequency_penalty",
                  request_.frequency_penalty, w);
    if (!request_.seed) return {};
    using Limits = std::numeric_limits<std::int32_t>;
    if (*request_.seed < Limits::min() || *request_.seed > Limits::max()) {
      lose("/seed", "Gemini takes seeds of 32 bits only");
    } else {
      w.member("seed", *request_.seed);
    }
    return {};
  }

  void write_penalty(std::string_view name, std::string path,
                     const std::optional<double>& value, Writer& w) {
    if (!value) return;
    if (same_dialect_ || traits_.penalties) return w.member(name, *value);
    lose(std::move(path), "this model does not take it");
  }

  void write_stops(Writer& w) {
    const auto& all = request_.stop_sequences;
    if (all.empty()) return;
    const std::size_t count =
        same_dialect_ ? all.size() : std::min(all.size(), kMaxStopSequences);
    if (count < all.size()) {
      lose("/stop",
           fmt::format("Gemini takes {} stop sequences; the first {} are used",
                       kMaxStopSequences, kMaxStopSequences),
           LossKind::approximated);
    }
    w.key("stopSequences");
    w.begin_array();
    for (std::size_t i = 0; i < count; ++i) w.string(all[i]);
    w.end_array();
  }

  void write_format(Writer& w) {
    if (!native_format_) return;
    const ResponseFormat& format = *request_.response_format;
    w.member("responseMimeType", kJson);
    if (!format.description.empty() && !same_dialect_) {
      lose("/response_format/json_schema/description",
           "Gemini takes no description of the format");
    }
    if (!format.schema.empty()) w.member("responseJsonSchema", format.schema);
  }

  void write_thinking(Writer& w) {
    const Reasoning& asked = request_.reasoning;
    const bool off =
        asked.mode == ReasoningMode::off || asked.effort == Effort::none;
    const bool on = !off && (asked.mode || asked.effort || asked.budget_tokens);
    if (!off && !on && asked.display.empty()) return;
    if (traits_.thinking == ThinkingStyle::none && !same_dialect_) {
      if (on) lose("/thinking", "this model does not think");
      return;
    }
    const bool shows =
        asked.display == "summarized" ||
        (!same_dialect_ && on && asked.mode && asked.display.empty());
    if (!asked.display.empty() && asked.display != "summarized") {
      lose("/thinking/display", "Gemini shows a summary or nothing");
    }
    w.key("thinkingConfig");
    w.begin_object();
    if (shows) w.member("includeThoughts", true);
    if (same_dialect_) {
      write_exact(w);
    } else if (traits_.thinking == ThinkingStyle::level) {
      write_level(off, on, w);
    } else {
      write_budget(off, on, w);
    }
    w.end_object();
  }

  void write_exact(Writer& w) {
    const Reasoning& asked = request_.reasoning;
    if (asked.effort) {
      w.member("thinkingLevel", to_wire(kLevels, *asked.effort));
    }
    if (asked.mode == ReasoningMode::off) {
      w.member("thinkingBudget", std::int64_t{0});
    } else if (asked.mode == ReasoningMode::adaptive) {
      w.member("thinkingBudget", std::int64_t{-1});
    } else {
      w.member("thinkingBudget", asked.budget_tokens);
    }
  }

  void write_level(bool off, bool on, Writer& w) {
    const Reasoning& asked = request_.reasoning;
    Effort effort = asked.effort.value_or(Effort::high);
    if (off) {
      effort = Effort::low;
      lose(reasoning_path(), "this model always thinks; level low is used",
           LossKind::approximated);
    } else if (asked.budget_tokens && !asked.effort) {
      effort = *asked.budget_tokens < 4096 ? Effort::low : Effort::high;
      lose("/thinking/budget_tokens",
           fmt::format("the budget became level {}", to_wire(kLevels, effort)),
           LossKind::approximated);
    } else if (!asked.effort) {
      return;  // adaptive: the model's own default
    } else if (effort == Effort::xhigh || effort == Effort::max) {
      effort = Effort::high;
      lose(reasoning_path(), "high is the highest level of this model",
           LossKind::approximated);
    }
    if (on || off) w.member("thinkingLevel", to_wire(kLevels, effort));
  }

  void write_budget(bool off, bool on, Writer& w) {
    const Reasoning& asked = request_.reasoning;
    const std::int64_t least = traits_.min_thinking_budget;
    if (off) {
      if (least > 0) {
        lose(reasoning_path(),
             fmt::format("this model always thinks; {} tokens are the least",
                         least),
             LossKind::approximated);
      }
      return w.member("thinkingBudget", least);
    }
    if (!on) return;
    if (asked.budget_tokens) {
      return w.member("thinkingBudget", std::max(least, *asked.budget_tokens));
    }
    if (!asked.effort) return w.member("thinkingBudget", std::int64_t{-1});
    for (const BudgetRow& row : kBudgets) {
      if (row.effort != *asked.effort) continue;
      const std::int64_t tokens = std::max(least, below_limit(row.tokens));
      w.member("thinkingBudget", tokens);
      lose(reasoning_path(),
           fmt::format("this model takes a budget; {} tokens are used", tokens),
           LossKind::approximated);
    }
  }

  /// Thoughts count towards the limit: a quarter is left for the answer.
  std::int64_t below_limit(std::int64_t budget) const {
    const auto& limit = request_.max_output_tokens;
    return limit && budget >= *limit ? *limit / 4 * 3 : budget;
  }

  std::string reasoning_path() const {
    return request_.reasoning.effort ? "/reasoning_effort" : "/thinking";
  }

  // --- the rest -------------------------------------------------------------

  void write_identity() {
    if (!request_.user_id.empty()) {
      lose("/user", "Gemini takes no id of the end user");
    }
    if (request_.service_tier.empty()) return;
    for (const ServiceTier& row : kServiceTiers) {
      if (row.canonical == request_.service_tier) {
        return w_.member("serviceTier", row.wire);
      }
    }
    if (same_dialect_) return w_.member("serviceTier", request_.service_tier);
    lose("/service_tier", "Gemini has no such tier");
  }

  bool own_extension(std::string_view prefix) const {
    return same_dialect_ &&
           std::any_of(request_.extensions.begin(), request_.extensions.end(),
                       [&](const Extension& extension) {
                         return extension.name.starts_with(prefix);
                       });
  }

  void write_nested(std::string_view prefix, std::string_view but) {
    if (!same_dialect_) return;
    for (const Extension& extension : request_.extensions) {
      if (!extension.name.starts_with(prefix) || extension.name == but) {
        continue;
      }
      w_.member(extension.name.substr(prefix.size()), extension.value);
    }
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
  Losses& losses_;
  const bool same_dialect_;
  std::vector<std::size_t> kept_;
  std::string extra_system_;
  bool native_format_ = false;
};

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options, RequestContext&,
                            std::string& out, Losses& losses) {
  ChatRequest folded = request;
  fold_system_turns(folded.messages, losses);
  return RequestWriter(folded, options, out, losses).write();
}

}  // namespace llmproxy::gemini
