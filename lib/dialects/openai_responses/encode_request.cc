// OpenAI Responses: a fitted request to what an upstream gets.
#include "base/text.h"
#include "chat/extensions.h"
#include "dialects/openai_family/body.h"
#include "dialects/openai_responses/messages.h"

namespace llmproxy::openai_responses {
namespace {

/// Chat Completions nests the grammar of a custom tool, here it is flat.
RawJson format_of(const ToolDefinition& tool) {
  json::Document document;
  const auto root = document.parse(tool.schema.text());
  if (!root || !(*root)["grammar"].is_object()) return tool.schema;
  std::string out;
  json::Writer w(out);
  w.begin_typed("grammar");
  for (const json::Value member : (*root)["grammar"].children()) {
    w.member_raw(member.key(), member.raw());
  }
  w.end_object();
  return json::Trusted::json(std::move(out));
}

/// Writes one request. Members of a class only to share what every step
/// needs: the request, the writer and the losses.
class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, std::string& out, Losses& losses)
      : request_(request), w_(out), losses_(losses), tools_(request.tools) {}

  Result<void> write() {
    w_.begin_object();
    write_model();
    LLMPROXY_TRY(write_messages());
    write_limits();
    write_sampling();
    write_tools();
    write_tool_choice();
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
    return openai_responses::write_messages(request_, tools_, w_, losses_);
  }

  void write_limits() {
    w_.member("max_output_tokens", request_.max_output_tokens);
  }

  void write_sampling() {
    json::write_fields<ChatRequest>(kScalars, w_, request_);
  }

  // --- tools ----------------------------------------------------------------

  void write_tools() {
    const auto& tools = request_.tools;
    if (tools.empty()) return;
    w_.begin_array("tools");
    for (std::size_t i = 0; i < tools.size();) {
      if (tools[i].name_space.empty()) {
        write_tool(tools[i++]);
      } else {
        i = write_namespace(i);
      }
    }
    w_.end_array();
  }

  /// The tools from `i` on that are of one namespace; where the next begin.
  std::size_t write_namespace(std::size_t i) {
    const ToolDefinition& first = request_.tools[i];
    w_.begin_typed("namespace");
    w_.member("name", first.name_space);
    write_nested(first.extensions, kNamespacePrefix, w_);
    w_.begin_array("tools");
    while (i < request_.tools.size() &&
           request_.tools[i].name_space == first.name_space) {
      write_tool(request_.tools[i++]);
    }
    w_.end_array();
    w_.end_object();
    return i;
  }

  void write_tool(const ToolDefinition& tool) {
    if (tool.kind == ToolKind::hosted) return w_.raw(tool.schema);
    const bool custom = tool.kind == ToolKind::custom;
    w_.begin_typed(openai_family::type_of(custom));
    w_.member("name", name_within(tool));
    w_.member_if("description", tool.description);
    if (custom) {
      if (!tool.schema.empty()) w_.member("format", format_of(tool));
    } else {
      if (!tool.schema.empty()) w_.member("parameters", tool.schema);
      w_.member("strict", tool.strict);
    }
    if (tool.cache) openai_family::write_breakpoint(*tool.cache, w_);
    write_others(tool.extensions, kNamespacePrefix, w_);
    w_.end_object();
  }

  void write_tool_choice() {
    if (request_.tool_choice) {
      const ToolChoice& choice = *request_.tool_choice;
      w_.key("tool_choice");
      openai_family::write_tool_choice(
          choice, to_wire(kToolChoices, choice.mode), /*nested=*/false, w_,
          [&](std::string_view name) { write_named(name); });
    }
    w_.member("parallel_tool_calls", request_.parallel_tool_calls);
  }

  void write_named(std::string_view name) {
    w_.begin_typed(tools_.type(name));
    write_tool_name(name, tools_, w_);
    w_.end_object();
  }

  // --- the rest -------------------------------------------------------------

  void write_format() {
    const bool has_format = request_.response_format.has_value();
    if (!has_format && !has_nested(request_.extensions, kTextPrefix)) return;
    w_.begin_object("text");
    if (has_format) write_format(*request_.response_format);
    write_nested(request_.extensions, kTextPrefix, w_);
    w_.end_object();
  }

  void write_format(const ResponseFormat& format) {
    w_.begin_typed("format", to_wire(kFormats, format.kind));
    if (format.kind == FormatKind::json_schema) {
      openai_family::write_schema(format, "{}", w_);
    }
    w_.end_object();
  }

  void write_thinking() {
    const Reasoning& asked = request_.reasoning;
    std::string_view summary;
    if (asked.display == "summarized") summary = kSummary;
    if (listed(kSummaryLengths, asked.display)) summary = asked.display;
    // One that nobody knows.
    if (has_field(request_.extensions, "reasoning/summary")) summary = {};
    if (!asked.effort && summary.empty() &&
        !has_nested(request_.extensions, kReasoningPrefix))
      return;
    w_.begin_object("reasoning");
    if (asked.effort) w_.member("effort", to_wire(kEfforts, *asked.effort));
    w_.member_if("summary", summary);
    write_nested(request_.extensions, kReasoningPrefix, w_);
    w_.end_object();
  }

  void write_identity() {
    w_.member_if("safety_identifier", request_.user_id);
    w_.member_if("service_tier", request_.service_tier);
  }

  void write_stream() {
    if (request_.stream) w_.member("stream", true);
  }

  void write_extensions() {
    for (const Extension& extension : request_.extensions) {
      const std::string_view name = extension.name;
      if (name.starts_with(kTextPrefix) || name.starts_with(kReasoningPrefix)) {
        continue;
      }
      w_.member(name, extension.value);
    }
  }

  const ChatRequest& request_;
  json::Writer w_;
  Losses& losses_;
  openai_family::ToolIndex tools_;
};

}  // namespace

Result<void> encode_request(const ChatRequest& request, const EncodeOptions&,
                            RequestContext&, std::string& out, Losses& losses) {
  return RequestWriter(request, out, losses).write();
}

}  // namespace llmproxy::openai_responses
