// Gemini generateContent: a fitted request (lib/chat/fit.h) to what an
// upstream gets. The model and the choice to stream are in the path, not here.
#include <algorithm>
#include <span>

#include "chat/extensions.h"
#include "dialects/gemini/messages.h"

namespace llmproxy::gemini {
namespace {

using json::Writer;

constexpr auto kModes = enum_table<ToolChoiceMode>({
    {ToolChoiceMode::automatic, "AUTO"},
    {ToolChoiceMode::required, "ANY"},
    {ToolChoiceMode::named, "ANY"},
    {ToolChoiceMode::none, "NONE"},
});

class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const TargetTraits& traits,
                std::string& out, Losses& losses)
      : request_(request), traits_(traits), w_(out), losses_(losses) {}

  Result<void> write() {
    w_.begin_object();
    LLMPROXY_TRY(write_messages());
    write_tools();
    write_tool_config();
    write_generation_config();
    write_identity();
    write_extensions("", w_);
    w_.end_object();
    return {};
  }

 private:
  Result<void> write_messages() {
    return gemini::write_messages(request_, traits_, w_, losses_);
  }

  /// What is asked of the answer, in an object of its own where there is any.
  void write_generation_config() {
    write_object("generationConfig", w_, [this](Writer& w) {
      write_limits(w);
      write_sampling(w);
      write_stop_sequences(w);
      write_format(w);
      write_thinking(w);
      write_extensions(kConfigPrefix, w);
      write_extensions(kSnakeConfigPrefix, w);
    });
  }

  void write_limits(Writer& w) const {
    json::write_fields<ChatRequest>(kLimitScalars, w, request_);
  }

  void write_sampling(Writer& w) const {
    json::write_fields<ChatRequest>(kScalars, w, request_);
  }

  void write_stop_sequences(Writer& w) const {
    w.member_if("stopSequences", request_.stop_sequences);
  }

  /// Functions share one element; hosted tools are elements of their own.
  void write_tools() {
    const auto is_hosted = [](const ToolDefinition& tool) {
      return tool.kind == ToolKind::hosted;
    };
    const auto& tools = request_.tools;
    if (tools.empty()) return;
    w_.begin_array("tools");
    if (!std::all_of(tools.begin(), tools.end(), is_hosted)) {
      w_.begin_object();
      w_.begin_array("functionDeclarations");
      for (const ToolDefinition& tool : tools) {
        if (!is_hosted(tool)) write_tool(tool);
      }
      w_.end_array();
      w_.end_object();
    }
    for (const ToolDefinition& tool : tools) {
      if (is_hosted(tool)) w_.raw(tool.schema);
    }
    w_.end_array();
  }

  void write_tool(const ToolDefinition& tool) {
    w_.begin_object();
    w_.member("name", tool.name);
    w_.member_if("description", tool.description);
    // A function without arguments has no schema here: an object without
    // properties is refused.
    if (has_properties(tool.schema)) {
      w_.member("parametersJsonSchema", tool.schema);
    }
    w_.extensions(tool.extensions);
    w_.end_object();
  }

  static bool has_properties(const RawJson& schema) {
    if (schema.empty()) return false;
    json::Document document;
    const auto root = document.parse_view(schema.text());
    if (!root || !root->is_object()) return false;
    // Anything but {"type":"object","properties":{}} and its like says
    // something about the arguments.
    for (const json::Value member : root->children()) {
      const std::string_view name = member.key();
      const bool empty =
          (name == "properties" || name == "required") && member.size() == 0;
      const bool open_or_closed =
          name == "additionalProperties" && member.boolean().has_value();
      if (name != "type" && name != "$schema" && !open_or_closed && !empty) {
        return true;
      }
    }
    return false;
  }

  void write_tool_config() {
    const bool chosen = request_.tool_choice && !request_.tools.empty();
    if (!chosen && !has_nested(request_.extensions, kToolConfigPrefix)) return;
    w_.begin_object("toolConfig");
    if (chosen) write_tool_choice(*request_.tool_choice);
    write_extensions(kToolConfigPrefix, w_);
    w_.end_object();
  }

  void write_tool_choice(const ToolChoice& choice) {
    w_.begin_object("functionCallingConfig");
    w_.member("mode", mode_of(choice));
    w_.member_if("allowedFunctionNames", choice.mode == ToolChoiceMode::named
                                             ? std::span(&choice.name, 1)
                                             : std::span(choice.allowed));
    w_.end_object();
  }

  /// Names are taken beside a mode that checks what is called only.
  std::string_view mode_of(const ToolChoice& choice) const {
    const bool checked =
        !choice.allowed.empty() || has_nested(request_.extensions, kModeField);
    if (checked && choice.mode == ToolChoiceMode::automatic) return "VALIDATED";
    return to_wire(kModes, choice.mode);
  }

  void write_format(Writer& w) const {
    const auto& format = request_.response_format;
    if (!format || format->kind == FormatKind::text) return;
    w.member("responseMimeType", kJson);
    if (!format->schema.empty()) w.member("responseJsonSchema", format->schema);
  }

  void write_thinking(Writer& w) const {
    const Reasoning& asked = request_.reasoning;
    if (asked == Reasoning()) return;
    w.begin_object("thinkingConfig");
    if (asked.display == "summarized") w.member("includeThoughts", true);
    if (asked.effort) {
      w.member("thinkingLevel", to_wire(kLevels, *asked.effort));
    }
    std::optional<std::int64_t> budget = asked.budget_tokens;
    if (asked.mode == ReasoningMode::off) budget = 0;
    if (asked.mode == ReasoningMode::adaptive) budget = -1;
    w.member("thinkingBudget", budget);
    w.end_object();
  }

  void write_identity() { w_.member_if("serviceTier", request_.service_tier); }

  /// Those of the object that `prefix` names, not of what is nested in it;
  /// those of the body where it is empty.
  void write_extensions(std::string_view prefix, Writer& w) const {
    for (const Extension& extension : request_.extensions) {
      std::string_view name = extension.name;
      if (!name.starts_with(prefix)) continue;
      name.remove_prefix(prefix.size());
      if (name.find('/') != std::string_view::npos) continue;
      w.member(name, extension.value);
    }
  }

  const ChatRequest& request_;
  const TargetTraits& traits_;
  Writer w_;
  Losses& losses_;
};

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options, RequestContext&,
                            std::string& out, Losses& losses) {
  return RequestWriter(request, options.traits, out, losses).write();
}

}  // namespace llmproxy::gemini
