// OpenAI Chat Completions: a fitted request to what an upstream gets.
#include <algorithm>
#include <span>

#include "chat/extensions.h"
#include "chat/losses.h"
#include "chat/turns.h"
#include "dialects/openai_chat/messages.h"
#include "dialects/openai_family/body.h"

namespace llmproxy::openai_chat {
namespace {

/// All but the last, `seed`, which some call otherwise.
constexpr std::span kSampling = std::span(kScalars).first<4>();
static_assert(kScalars.size() == 5 && kScalars.back().name == "seed");

/// Web search is an option here, elsewhere a hosted tool.
bool is_web_search(const ToolDefinition& tool) {
  return tool.hosted_type == "web_search_options";
}

/// Writes one request. Members of a class only to share what every step
/// needs: the request, the traits, the writer and the losses.
class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const TargetTraits& traits,
                std::string& out, Losses& losses)
      : request_(request),
        traits_(traits),
        w_(out),
        losses_(losses),
        tools_(request.tools) {}

  Result<void> write() {
    w_.begin_object();
    write_model();
    LLMPROXY_TRY(write_messages());
    write_limits();
    write_sampling();
    write_stop_sequences();
    write_tools();
    write_format();
    write_thinking();
    write_identity();
    write_stream();
    write_extensions();
    w_.end_object();
    return {};
  }

 private:
  void write_model() { w_.member("model", request_.model); }

  Result<void> write_messages() {
    w_.key("messages");
    return openai_chat::write_messages(request_, traits_, w_, losses_);
  }

  void write_limits() {
    w_.member(
        traits_.max_completion_tokens ? "max_completion_tokens" : "max_tokens",
        request_.max_output_tokens);
  }

  void write_sampling() {
    if (traits_.random_seed) w_.member("random_seed", request_.seed);
    json::write_fields<ChatRequest>(kSampling, w_, request_);
    if (!traits_.random_seed) w_.member("seed", request_.seed);
  }

  void write_stop_sequences() { w_.member_if("stop", request_.stop_sequences); }

  // --- tools ----------------------------------------------------------------

  void write_tools() {
    const auto& tools = request_.tools;
    const auto search = std::find_if(tools.begin(), tools.end(), is_web_search);
    if (search != tools.end()) w_.member("web_search_options", search->schema);
    // A choice without tools is refused.
    if (std::all_of(tools.begin(), tools.end(), is_web_search)) return;
    w_.begin_array(request_.legacy_functions ? "functions" : "tools");
    for (const ToolDefinition& tool : tools) {
      if (!is_web_search(tool)) write_tool(tool);
    }
    w_.end_array();
    write_tool_choice();
    if (request_.legacy_functions) return;
    w_.member("parallel_tool_calls", request_.parallel_tool_calls);
  }

  void write_tool(const ToolDefinition& tool) {
    if (tool.cache) {
      lose(losses_, path_of(*tool.cache, tool.source.text), kTarget,
           "cache markers on tools");
    }
    if (tool.kind == ToolKind::hosted) return w_.raw(tool.schema);
    if (request_.legacy_functions) return write_function(tool);
    const std::string_view type =
        openai_family::type_of(tool.kind == ToolKind::custom);
    w_.begin_typed(type);
    w_.key(type);
    write_function(tool);
    write_others(tool.extensions, kInner, w_);
    w_.end_object();
  }

  /// The object inside; all there is of the old form.
  void write_function(const ToolDefinition& tool) {
    w_.begin_object();
    w_.member("name", tool.name);
    w_.member_if("description", tool.description);
    if (!tool.schema.empty()) {
      w_.member(tool.kind == ToolKind::custom ? "format" : "parameters",
                tool.schema);
    }
    w_.member("strict", tool.strict);
    write_nested(tool.extensions, kInner, w_);
    w_.end_object();
  }

  void write_tool_choice() {
    if (!request_.tool_choice) return;
    const ToolChoice& choice = *request_.tool_choice;
    w_.key(request_.legacy_functions ? "function_call" : "tool_choice");
    openai_family::write_tool_choice(
        choice, to_wire(kToolChoices, choice.mode), /*nested=*/true, w_,
        [&](std::string_view name) {
          const bool bare = request_.legacy_functions && choice.allowed.empty();
          bare ? write_name(name) : write_named(name);
        });
  }

  void write_named(std::string_view name) {
    const std::string_view type = tools_.type(name);
    w_.begin_typed(type);
    w_.key(type);
    write_name(name);
    w_.end_object();
  }

  void write_name(std::string_view name) { w_.object("name", name); }

  // --- the rest -------------------------------------------------------------

  void write_format() {
    if (!request_.response_format) return;
    const ResponseFormat& format = *request_.response_format;
    w_.begin_typed("response_format", to_wire(kFormats, format.kind));
    if (format.kind == FormatKind::json_schema) {
      w_.begin_object("json_schema");
      openai_family::write_schema(format, "", w_);
      w_.end_object();
    }
    w_.end_object();
  }

  void write_thinking() {
    const auto& effort = request_.reasoning.effort;
    if (effort) w_.member("reasoning_effort", to_wire(kEfforts, *effort));
  }

  void write_identity() {
    w_.member_if(traits_.max_completion_tokens ? "safety_identifier" : "user",
                 request_.user_id);
    w_.member_if("service_tier", request_.service_tier);
  }

  void write_stream() {
    if (!request_.stream) return;
    w_.member("stream", true);
    // Asked for even when the client did not: the proxy's own accounting
    // and clients of other dialects need it.
    if (!traits_.stream_usage) return;
    w_.object("stream_options", "include_usage", true);
  }

  void write_extensions() { w_.extensions(request_.extensions); }

  const ChatRequest& request_;
  const TargetTraits& traits_;
  json::Writer w_;
  Losses& losses_;
  openai_family::ToolIndex tools_;
};

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options, RequestContext&,
                            std::string& out, Losses& losses) {
  return RequestWriter(request, options.traits, out, losses).write();
}

}  // namespace llmproxy::openai_chat
