// Anthropic Messages: the canonical request to what an upstream gets.
#include <fmt/format.h>

#include <algorithm>

#include "base/bounded.h"
#include "chat/model_plan.h"
#include "chat/schema.h"
#include "chat/tool_plan.h"
#include "chat/turns.h"
#include "dialects/claude/messages.h"

namespace llmproxy::claude {
namespace {

using json::Writer;

constexpr std::string_view kVersion = "anthropic_version";
constexpr std::string_view kConfigPrefix = "output_config/";

/// Fields without a canonical form that every host of the body takes:
/// thinking of newer models, citations of a document.
constexpr std::array<std::string_view, 2> kSharedFields = {"thinking",
                                                           "citations"};

/// Dialects whose body this is. Bedrock's wraps it.
constexpr std::array<std::string_view, 2> kFamily = {kName, "bedrock"};

class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const EncodeOptions& options,
                const Host& host, RequestContext& context, std::string& out,
                Losses& losses)
      : request_(request),
        options_(options),
        host_(host),
        traits_(options.traits),
        context_(context),
        w_(out),
        messages_(request, options, host, w_, losses),
        losses_(losses),
        kin_(kinship(request.dialect, host)),
        max_tokens_(
            request.max_output_tokens.value_or(traits_.default_max_tokens)) {}

  Result<void> write() {
    choose_thinking();
    format_ = plan_format(request_, traits_, thinking_.thinks(), host_.title,
                          context_, losses_);
    w_.begin_object();
    write_version();
    w_.member("max_tokens", max_tokens_);
    // Tools first: cache markers are counted in the order of the prompt.
    LLMPROXY_TRY(write_tools());
    LLMPROXY_TRY(messages_.write(format_.words));
    LLMPROXY_TRY(write_sampling());
    write_stop_sequences();
    write_thinking();
    write_output_config();
    write_identity();
    if (in_body() && request_.stream) w_.member("stream", true);
    write_extensions();
    w_.end_object();
    return {};
  }

 private:
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    add_loss(losses_, {std::move(path), std::move(what), kind});
  }

  bool own() const { return kin_ == Kinship::own; }
  bool in_body() const { return host_.version.empty(); }

  void write_version() {
    if (in_body()) return w_.member("model", request_.model);
    const auto given =
        std::find_if(request_.extensions.begin(), request_.extensions.end(),
                     [](const Extension& e) { return e.name == kVersion; });
    if (!own() || given == request_.extensions.end()) {
      w_.member(kVersion, host_.version);
    }
  }

  // --- thinking ---------------------------------------------------------

  void choose_thinking() {
    const bool as_asked = kin_ != Kinship::foreign && !request_.dialect.empty();
    if (!as_asked) {
      thinking_ = plan_thinking(request_, traits_, max_tokens_, losses_);
      return;
    }
    const Reasoning& asked = request_.reasoning;
    thinking_ = {asked.mode, asked.budget_tokens, asked.effort};
  }

  void lose_display() {
    if (request_.reasoning.display.empty() || own()) return;
    lose("/thinking/display", "nothing is shown where nothing is thought");
  }

  void write_thinking() {
    if (!thinking_.mode) return lose_display();
    w_.key("thinking");
    w_.begin_object();
    w_.member("type", to_wire(kThinkingTypes, *thinking_.mode));
    if (thinking_.mode == ReasoningMode::budget) {
      w_.member("budget_tokens", thinking_.budget);
    }
    w_.member_if("display", request_.reasoning.display);
    w_.end_object();
  }

  // --- structured output --------------------------------------------------

  void write_output_config() {
    std::vector<const Extension*> others = config_extensions();
    if (!thinking_.effort && !format_.native && others.empty()) return;
    w_.key("output_config");
    w_.begin_object();
    if (thinking_.effort) {
      w_.member("effort", to_wire(kEfforts, *thinking_.effort));
    }
    if (format_.native) write_schema(request_.response_format->schema);
    for (const Extension* extension : others) {
      w_.member(extension->name.substr(kConfigPrefix.size()), extension->value);
    }
    w_.end_object();
  }

  void write_schema(const RawJson& schema) {
    w_.key("format");
    w_.begin_object();
    w_.member("type", "json_schema");
    w_.key("schema");
    w_.raw(kin_ != Kinship::foreign
               ? schema.text()
               : closed_schema(schema, "/response_format/json_schema/schema",
                               losses_));
    w_.end_object();
  }

  std::vector<const Extension*> config_extensions() const {
    std::vector<const Extension*> out;
    if (!own()) return out;
    for (const Extension& extension : request_.extensions) {
      if (extension.name.starts_with(kConfigPrefix)) out.push_back(&extension);
    }
    return out;
  }

  // --- tools ----------------------------------------------------------------

  /// Tools that Anthropic defines; some of them run at the client.
  bool takes_hosted(const ToolDefinition& tool) const {
    if (host_.complete && kin_ == Kinship::family) return true;
    return kin_ == Kinship::family &&
           std::any_of(host_.tools.begin(), host_.tools.end(),
                       [&](std::string_view beginning) {
                         return tool.hosted_type.starts_with(beginning);
                       });
  }

  Result<void> write_tools() {
    LLMPROXY_ASSIGN(const std::vector<std::size_t> kept,
                    plan_tools(request_, options_,
                               {.provider = host_.title,
                                .own = own(),
                                .offers_allowed_only = true,
                                .takes_hosted =
                                    [this](const ToolDefinition& tool) {
                                      return takes_hosted(tool);
                                    }},
                               losses_));
    if (kept.empty() && context_.json_tool.empty()) {
      if (request_.tools.empty()) return {};
      return check_named_choice(request_, kept, host_.title);
    }
    w_.key("tools");
    w_.begin_array();
    for (const std::size_t i : kept) write_tool(i);
    if (!context_.json_tool.empty()) write_json_tool();
    w_.end_array();
    if (!own()) LLMPROXY_TRY(check_named_choice(request_, kept, host_.title));
    write_tool_choice();
    return {};
  }

  void write_tool(std::size_t index) {
    const ToolDefinition& tool = request_.tools[index];
    const std::string path = json::pointer("/tools", index);
    if (tool.kind == ToolKind::hosted) return w_.raw(tool.schema.text());
    w_.begin_object();
    w_.member("name", tool.name);
    w_.member_if("description", tool.description);
    w_.member_raw("input_schema",
                  kin_ != Kinship::foreign && !tool.schema.empty()
                      ? tool.schema.text()
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
    if (format_.force_tool) {
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
    if (!own()) {
      // What thinking allows beside it, the family knows itself.
      const bool thinks = thinking_.thinks() && kin_ == Kinship::foreign;
      LLMPROXY_TRY(fit_sampling(sampling, options_, thinks, losses_));
    }
    json::write_fields<ChatRequest>(kScalars, w_, sampling);
    lose_if("/frequency_penalty", request_.frequency_penalty.has_value());
    lose_if("/presence_penalty", request_.presence_penalty.has_value());
    lose_if("/seed", request_.seed.has_value());
    return {};
  }

  void lose_if(std::string_view path, bool given) {
    if (!given) return;
    lose(std::string(path),
         fmt::format("{} has no {}", host_.title, path.substr(1)));
  }

  void write_stop_sequences() {
    std::vector<std::string_view> kept;
    for (const std::string& stop : request_.stop_sequences) {
      if (!blank(stop)) {
        kept.push_back(stop);
      } else {
        lose("/stop", fmt::format("{} takes no stop sequence of white space",
                                  host_.title));
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
    if (!request_.service_tier.empty()) write_service_tier();
  }

  void write_service_tier() {
    if (!host_.complete && !own()) {
      return lose("/service_tier",
                  fmt::format("{} has no such field", host_.title));
    }
    for (const ServiceTier& row : kServiceTiers) {
      if (row.canonical == request_.service_tier) {
        return w_.member("service_tier", row.wire);
      }
    }
    if (own()) return w_.member("service_tier", request_.service_tier);
    lose("/service_tier", fmt::format("{} has no such tier", host_.title));
  }

  void write_extensions() {
    Extensions rest;
    for (const Extension& extension : request_.extensions) {
      if (own() && extension.name.starts_with(kConfigPrefix)) continue;
      rest.push_back(extension);
    }
    write_fields_of(rest, "", kin_, host_, w_, losses_);
  }

  const ChatRequest& request_;
  const EncodeOptions& options_;
  const Host& host_;
  const TargetTraits& traits_;
  RequestContext& context_;
  Writer w_;
  MessagesWriter messages_;
  Losses& losses_;
  const Kinship kin_;
  const std::int64_t max_tokens_;
  ThinkingPlan thinking_;
  FormatPlan format_;
};

}  // namespace

Kinship kinship(std::string_view dialect, const Host& host) {
  if (dialect.empty() || dialect == host.dialect) return Kinship::own;
  const bool related =
      std::find(kFamily.begin(), kFamily.end(), dialect) != kFamily.end();
  return related ? Kinship::family : Kinship::foreign;
}

bool is_shared_field(std::string_view name) {
  return std::find(kSharedFields.begin(), kSharedFields.end(), name) !=
         kSharedFields.end();
}

void write_fields_of(const Extensions& extensions, const std::string& path,
                     Kinship kin, const Host& host, Writer& writer,
                     Losses& losses) {
  Extensions lost;
  for (const Extension& extension : extensions) {
    if (kin == Kinship::own ||
        (kin == Kinship::family && is_shared_field(extension.name))) {
      writer.member(extension.name, extension.value);
    } else {
      lost.push_back(extension);
    }
  }
  lose_extensions(lost, path, host.title, losses);
}

Result<void> write_body(const ChatRequest& request,
                        const EncodeOptions& options, const Host& host,
                        RequestContext& context, std::string& out,
                        Losses& losses) {
  return RequestWriter(request, options, host, context, out, losses).write();
}

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options,
                            RequestContext& context, std::string& out,
                            Losses& losses) {
  return write_body(request, options, kAnthropic, context, out, losses);
}

}  // namespace llmproxy::claude
