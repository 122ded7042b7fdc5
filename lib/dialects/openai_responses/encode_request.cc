// OpenAI Responses: the canonical request to what an upstream gets.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/bounded.h"
#include "chat/tool_plan.h"
#include "chat/turns.h"
#include "dialects/openai_responses/messages.h"

namespace llmproxy::openai_responses {
namespace {

using json::Writer;

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
    LLMPROXY_TRY(ItemsWriter(request_, options_, w_, losses_).write());
    LLMPROXY_TRY(write_limits());
    write_sampling();
    LLMPROXY_TRY(write_tools());
    w_.member("parallel_tool_calls", request_.parallel_tool_calls);
    write_text();
    write_reasoning();
    write_identity();
    if (request_.stream) w_.member("stream", true);
    write_state();
    write_extensions();
    w_.end_object();
    return {};
  }

 private:
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    add_loss(losses_, {std::move(path), std::move(what), kind});
  }
  void lose_if(bool given, std::string path) {
    if (given) lose(std::move(path), "OpenAI Responses has no such field");
  }

  Result<void> write_limits() {
    if (!request_.max_output_tokens) return {};
    std::int64_t limit = *request_.max_output_tokens;
    if (limit == 0) {
      return unsupported(
          "max_tokens 0 only warms Anthropic's prompt cache; OpenAI has no "
          "such call",
          "/max_tokens");
    }
    if (!same_dialect_ && limit < kMinOutputTokens) {
      limit = kMinOutputTokens;
      lose("/max_tokens", fmt::format("raised to {}, the least", limit),
           LossKind::approximated);
    }
    w_.member("max_output_tokens", limit);
    return {};
  }

  void write_sampling() {
    ChatRequest sampling;  // only its scalars are written
    sampling.temperature = request_.temperature;
    sampling.top_p = request_.top_p;
    if (!traits_.sampling && !same_dialect_) {
      drop("/temperature", sampling.temperature);
      drop("/top_p", sampling.top_p);
    }
    json::write_fields<ChatRequest>(kScalars, w_, sampling);
    lose_if(request_.top_k.has_value(), "/top_k");
    lose_if(request_.frequency_penalty.has_value(), "/frequency_penalty");
    lose_if(request_.presence_penalty.has_value(), "/presence_penalty");
    lose_if(request_.seed.has_value(), "/seed");
    lose_if(!request_.stop_sequences.empty(), "/stop");
  }

  void drop(std::string path, std::optional<double>& value) {
    if (!value) return;
    value.reset();
    lose(std::move(path), "this model does not take it");
  }

  // --- tools --------------------------------------------------------------

  Result<void> write_tools() {
    LLMPROXY_ASSIGN(
        const std::vector<std::size_t> kept,
        plan_tools(request_, options_,
                   {.provider = "OpenAI Responses", .own = same_dialect_},
                   losses_));
    if (!kept.empty()) write_tool_list(kept);
    return write_tool_choice(kept);
  }

  void write_tool_list(const std::vector<std::size_t>& kept) {
    w_.key("tools");
    w_.begin_array();
    for (std::size_t i = 0; i < kept.size();) {
      const ToolDefinition& tool = request_.tools[kept[i]];
      if (tool.name_space.empty() || !same_dialect_) {
        write_tool(kept[i++]);
      } else {
        i = write_namespace(kept, i);
      }
    }
    w_.end_array();
  }

  std::size_t write_namespace(const std::vector<std::size_t>& kept,
                              std::size_t i) {
    const ToolDefinition& first = request_.tools[kept[i]];
    w_.begin_object();
    w_.member("type", "namespace");
    w_.member("name", first.name_space);
    for (const Extension& extension : first.extensions) {
      if (!extension.name.starts_with(kNamespacePrefix)) continue;
      w_.member(extension.name.substr(kNamespacePrefix.size()),
                extension.value);
    }
    w_.key("tools");
    w_.begin_array();
    while (i < kept.size() &&
           request_.tools[kept[i]].name_space == first.name_space) {
      write_tool(kept[i++]);
    }
    w_.end_array();
    w_.end_object();
    return i;
  }

  void write_tool(std::size_t index) {
    const ToolDefinition& tool = request_.tools[index];
    const std::string path = json::pointer("/tools", index);
    if (tool.kind == ToolKind::hosted) return w_.raw(tool.schema.text());
    const bool custom = tool.kind == ToolKind::custom;
    w_.begin_object();
    w_.member("type", custom ? "custom" : "function");
    w_.member("name",
              same_dialect_ ? name_within(tool) : std::string_view(tool.name));
    w_.member_if("description", tool.description);
    if (custom) {
      if (!tool.schema.empty()) w_.member("format", format_of(tool));
    } else {
      if (!tool.schema.empty()) {
        w_.member("parameters", tool.schema);
      } else if (!same_dialect_) {
        w_.member_raw("parameters", R"({"type":"object","properties":{}})");
      }
      // Left out it means strict where the schema fits, unlike elsewhere.
      if (tool.strict || !same_dialect_) {
        w_.member("strict", tool.strict.value_or(false));
      }
    }
    write_tool_fields(tool, path);
    w_.end_object();
  }

  /// Chat Completions nests the grammar, here it is flat.
  static RawJson format_of(const ToolDefinition& tool) {
    json::Document document;
    const auto root = document.parse(tool.schema.text());
    if (!root || !(*root)["grammar"].is_object()) {
      return tool.schema;
    }
    std::string out;
    Writer w(out);
    w.begin_object();
    w.member("type", "grammar");
    for (const json::Value member : (*root)["grammar"].children()) {
      w.member_raw(member.key(), member.raw());
    }
    w.end_object();
    return json::Trusted::json(std::move(out));
  }

  void write_tool_fields(const ToolDefinition& tool, const std::string& path) {
    if (!same_dialect_) {
      if (tool.cache) {
        lose(path_of(*tool.cache, path),
             "OpenAI caches prompts by itself; the marker is not needed");
      }
      return lose_extensions(tool.extensions, path, "OpenAI Responses",
                             losses_);
    }
    if (tool.cache) {
      w_.key("prompt_cache_breakpoint");
      w_.begin_object();
      w_.member("mode", "explicit");
      w_.member_if("ttl", tool.cache->ttl);
      w_.end_object();
    }
    for (const Extension& extension : tool.extensions) {
      if (extension.name.starts_with(kNamespacePrefix)) continue;
      w_.member(extension.name, extension.value);
    }
  }

  Result<void> write_tool_choice(const std::vector<std::size_t>& kept) {
    if (!request_.tool_choice) return {};
    const ToolChoice& choice = *request_.tool_choice;
    if (!same_dialect_) {
      LLMPROXY_TRY(check_named_choice(request_, kept, "OpenAI Responses"));
      if (kept.empty()) return {};
    }
    w_.key("tool_choice");
    if (!choice.allowed.empty()) {
      w_.begin_object();
      w_.member("type", "allowed_tools");
      w_.member("mode", to_wire(kToolChoices, choice.mode));
      w_.key("tools");
      w_.begin_array();
      for (const std::string& name : choice.allowed) write_named(name);
      w_.end_array();
      w_.end_object();
    } else if (choice.mode == ToolChoiceMode::named) {
      write_named(choice.name);
    } else {
      w_.string(to_wire(kToolChoices, choice.mode));
    }
    return {};
  }

  /// The first of that name; a list of allowed tools asks for each.
  const ToolDefinition* find_tool(std::string_view name) {
    if (tools_.empty()) {
      for (const ToolDefinition& tool : request_.tools) {
        tools_.emplace(tool.name, &tool);
      }
    }
    const auto found = tools_.find(name);
    return found == tools_.end() ? nullptr : found->second;
  }

  void write_named(std::string_view name) {
    const ToolDefinition* tool = find_tool(name);
    const bool custom = tool != nullptr && tool->kind == ToolKind::custom;
    w_.begin_object();
    w_.member("type", custom ? "custom" : "function");
    if (same_dialect_ && tool != nullptr && !tool->name_space.empty()) {
      w_.member("namespace", tool->name_space);
      name.remove_prefix(tool->name_space.size() + 2);
    }
    w_.member("name", name);
    w_.end_object();
  }

  // --- the rest -------------------------------------------------------------

  void write_text() {
    const bool has_format = request_.response_format.has_value();
    if (!has_format && !has_nested(kTextPrefix)) return;
    w_.key("text");
    w_.begin_object();
    if (has_format) write_format(*request_.response_format);
    write_nested(kTextPrefix);
    w_.end_object();
  }

  void write_format(const ResponseFormat& format) {
    w_.key("format");
    w_.begin_object();
    w_.member("type", to_wire(kFormats, format.kind));
    if (format.kind == FormatKind::json_schema) {
      // Required here; other dialects have no name for it.
      w_.member("name", format.name.empty() ? "response" : format.name);
      w_.member_if("description", format.description);
      w_.member_raw("schema",
                    format.schema.empty() ? "{}" : format.schema.text());
      if (format.strict || !same_dialect_) {
        w_.member("strict", format.strict.value_or(false));
      }
    }
    w_.end_object();
  }

  void write_reasoning() {
    const Reasoning& asked = request_.reasoning;
    std::optional<Effort> effort = asked.effort;
    const bool off = asked.mode == ReasoningMode::off || effort == Effort::none;
    const bool on = !off && (asked.mode || effort || asked.budget_tokens);
    if (traits_.thinking == ThinkingStyle::none && !same_dialect_) {
      if (on) lose("/thinking", "this model does not think");
      return;
    }
    if (off && !effort && !same_dialect_) {
      lose("/thinking",
           "OpenAI cannot switch thinking off for every model; the model "
           "decides");
      return;
    }
    if (!effort && asked.budget_tokens) {
      effort = effort_of_budget(*asked.budget_tokens);
      lose("/thinking/budget_tokens",
           fmt::format("the budget became reasoning effort {}",
                       to_wire(kEfforts, *effort)),
           LossKind::approximated);
    }
    if (on && !effort && asked.mode == ReasoningMode::adaptive &&
        !same_dialect_) {
      lose("/thinking", "OpenAI's models decide by themselves",
           LossKind::approximated);
    }
    const bool shows =
        asked.display == "summarized" ||
        (on && !same_dialect_ && asked.mode && asked.display.empty());
    if (!asked.display.empty() && asked.display != "summarized") {
      lose("/thinking/display", "OpenAI shows a summary or nothing");
    }
    if (!effort && !shows && !has_nested(kReasoningPrefix)) return;
    w_.key("reasoning");
    w_.begin_object();
    if (effort) w_.member("effort", to_wire(kEfforts, *effort));
    if (shows && !has_own_summary()) w_.member("summary", "auto");
    write_nested(kReasoningPrefix);
    w_.end_object();
  }

  /// docs/dialects.md, "Effort and budgets".
  static Effort effort_of_budget(std::int64_t tokens) {
    if (tokens < 4096) return Effort::low;
    if (tokens < 16384) return Effort::medium;
    return Effort::high;
  }

  bool has_own_summary() const {
    return same_dialect_ &&
           std::any_of(request_.extensions.begin(), request_.extensions.end(),
                       [](const Extension& extension) {
                         return extension.name == "reasoning/summary";
                       });
  }

  void write_identity() {
    if (request_.user_id.size() > kMaxUserId && !same_dialect_) {
      lose("/user",
           fmt::format("OpenAI takes at most {} characters", kMaxUserId));
    } else {
      w_.member_if("safety_identifier", request_.user_id);
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

  /// Clients of other APIs send the whole conversation each time and expect
  /// nothing to be kept; reasoning then travels encrypted through them.
  void write_state() {
    if (same_dialect_) return;
    w_.member("store", false);
    w_.member_raw("include", R"(["reasoning.encrypted_content"])");
  }

  bool has_nested(std::string_view prefix) const {
    return same_dialect_ &&
           std::any_of(request_.extensions.begin(), request_.extensions.end(),
                       [&](const Extension& extension) {
                         return extension.name.starts_with(prefix);
                       });
  }
  void write_nested(std::string_view prefix) {
    if (!same_dialect_) return;
    for (const Extension& extension : request_.extensions) {
      if (!extension.name.starts_with(prefix)) continue;
      w_.member(extension.name.substr(prefix.size()), extension.value);
    }
  }

  void write_extensions() {
    if (!same_dialect_) {
      return lose_extensions(request_.extensions, "", "OpenAI Responses",
                             losses_);
    }
    for (const Extension& extension : request_.extensions) {
      if (extension.name.starts_with(kTextPrefix) ||
          extension.name.starts_with(kReasoningPrefix)) {
        continue;
      }
      w_.member(extension.name, extension.value);
    }
  }

  const ChatRequest& request_;
  const EncodeOptions& options_;
  const TargetTraits& traits_;
  Writer w_;
  Losses& losses_;
  const bool same_dialect_;
  std::map<std::string_view, const ToolDefinition*> tools_;  // once asked for
};

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options, RequestContext&,
                            std::string& out, Losses& losses) {
  return RequestWriter(request, options, out, losses).write();
}

}  // namespace llmproxy::openai_responses
