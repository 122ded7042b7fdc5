// Anthropic Messages: a fitted request to what an upstream gets.
#include "chat/extensions.h"
#include "chat/tier_words.h"
#include "dialects/anthropic_family/body.h"
#include "dialects/claude/messages.h"

namespace llmproxy::claude {
namespace {

using json::Writer;

constexpr std::string_view kVersion = "anthropic_version";

class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const EncodeOptions& options,
                const Host& host, std::string& out, Losses& losses)
      : request_(request),
        host_(host),
        w_(out),
        builder_(request, options, {.target = host.title}, losses) {}

  Result<void> write() {
    w_.begin_object();
    write_model();
    write_limits();
    // Tools first: cache markers are counted in the order of the prompt.
    write_tools();
    write_tool_choice();
    LLMPROXY_TRY(write_messages());
    write_sampling();
    write_stop_sequences();
    write_thinking();
    write_format();
    write_identity();
    write_stream();
    write_extensions();
    w_.end_object();
    return {};
  }

 private:
  bool in_body() const { return host_.version.empty(); }

  /// Where the path says the model, the body says the API's version.
  void write_model() {
    if (in_body()) return w_.member("model", request_.model);
    if (!has_field(request_.extensions, kVersion)) {
      w_.member(kVersion, host_.version);
    }
  }

  Result<void> write_messages() {
    return claude::write_messages(builder_, host_.title, w_);
  }

  void write_limits() { w_.member("max_tokens", request_.max_output_tokens); }

  void write_sampling() {
    json::write_fields<ChatRequest>(kScalars, w_, request_);
  }

  void write_stop_sequences() {
    w_.member_if("stop_sequences", request_.stop_sequences);
  }

  void write_tools() {
    if (request_.tools.empty()) return;
    w_.begin_array("tools");
    for (const ToolDefinition& tool : request_.tools) write_tool(tool);
    w_.end_array();
  }

  void write_tool(const ToolDefinition& tool) {
    if (tool.kind == ToolKind::hosted) return w_.raw(tool.schema);
    w_.begin_object();
    w_.member("name", tool.name);
    w_.member_if("description", tool.description);
    w_.member("input_schema", tool.schema);
    w_.member("strict", tool.strict);
    write_cache(builder_, tool.cache, tool.source.text, w_);
    w_.extensions(tool.extensions);
    w_.end_object();
  }

  /// Refused without tools. To forbid calls says all about their number.
  void write_tool_choice() {
    if (request_.tools.empty()) return;
    const std::optional<ToolChoice>& choice = request_.tool_choice;
    const auto mode = choice ? choice->mode : ToolChoiceMode::automatic;
    const bool one_at_a_time =
        request_.parallel_tool_calls == false && mode != ToolChoiceMode::none;
    if (!choice && !one_at_a_time) return;
    w_.begin_typed("tool_choice", to_wire(kToolChoices, mode));
    if (mode == ToolChoiceMode::named) w_.member("name", choice->name);
    if (one_at_a_time) w_.member("disable_parallel_tool_use", true);
    w_.end_object();
  }

  /// output_config, where the effort stands beside the format.
  void write_format() {
    const std::optional<Effort> effort = request_.reasoning.effort;
    const std::optional<ResponseFormat>& format = request_.response_format;
    const Extensions& others = request_.extensions;
    if (!effort && !format && !has_nested(others, kOutputConfig)) return;
    w_.begin_object("output_config");
    if (effort) w_.member("effort", to_wire(kEfforts, *effort));
    if (format) write_schema(format->schema);
    write_nested(others, kOutputConfig, w_);
    w_.end_object();
  }

  void write_schema(const RawJson& schema) {
    w_.begin_typed("format", "json_schema");
    w_.member("schema", schema);
    w_.end_object();
  }

  void write_thinking() {
    anthropic_family::write_thinking(request_.reasoning, w_);
  }

  void write_identity() {
    anthropic_family::write_user(request_.user_id, w_);
    // A tier that has been fitted is this API's word already.
    w_.member_if("service_tier", own_tier(kTierWords, request_.service_tier));
  }

  void write_stream() {
    if (in_body() && request_.stream) w_.member("stream", true);
  }

  void write_extensions() {
    write_others(request_.extensions, kOutputConfig, w_);
  }

  const ChatRequest& request_;
  const Host& host_;
  Writer w_;
  anthropic_family::TurnBuilder builder_;
};

}  // namespace

Result<void> write_body(const ChatRequest& request,
                        const EncodeOptions& options, const Host& host,
                        std::string& out, Losses& losses) {
  return RequestWriter(request, options, host, out, losses).write();
}

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options, RequestContext&,
                            std::string& out, Losses& losses) {
  return write_body(request, options, kAnthropic, out, losses);
}

}  // namespace llmproxy::claude
