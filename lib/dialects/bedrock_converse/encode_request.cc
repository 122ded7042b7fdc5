// Amazon Bedrock Converse: a fitted request to what an upstream gets.
#include "chat/extensions.h"
#include "dialects/anthropic_family/body.h"
#include "dialects/bedrock_converse/messages.h"
#include "json/text.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::Writer;

class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const EncodeOptions& options,
                std::string& out, Losses& losses)
      : request_(request),
        w_(out),
        builder_(request, options,
                 {.target = kTitle, .unsigned_thinking = true}, losses) {}

  Result<void> write() {
    w_.begin_object();
    // Tools first: cache markers are counted in the order of the prompt.
    write_tools();
    LLMPROXY_TRY(write_messages());
    write_object(kInference, [this](Writer& config) {
      write_limits(config);
      write_sampling(config);
      write_stop_sequences(config);
    });
    // What the model itself takes, in the words of its own API.
    write_object(kModelFields, [this](Writer& fields) {
      json::write_fields<ChatRequest>(kModelScalars, fields, request_);
      anthropic_family::write_user(request_.user_id, fields);
      write_thinking(fields);
    });
    write_object(kOutputConfig, [this](Writer& config) {
      write_effort(config);
      write_format(config);
    });
    write_identity();
    write_extensions();
    w_.end_object();
    return {};
  }

 private:
  /// The object that holds what `members` writes and the extensions below
  /// `prefix`; nothing, where that is nothing.
  template <class Members>
  void write_object(std::string_view prefix, Members members) {
    llmproxy::write_object(prefix.substr(0, prefix.size() - 1), w_,
                           [&](Writer& object) {
                             members(object);
                             write_nested(request_.extensions, prefix, object);
                           });
  }

  Result<void> write_messages() {
    return bedrock_converse::write_messages(builder_, w_);
  }

  void write_limits(Writer& config) {
    json::write_fields<ChatRequest>(kLimitScalars, config, request_);
  }

  void write_sampling(Writer& config) {
    json::write_fields<ChatRequest>(kScalars, config, request_);
  }

  void write_stop_sequences(Writer& config) {
    config.member_if("stopSequences", request_.stop_sequences);
  }

  void write_tools() {
    if (request_.tools.empty()) return;
    w_.begin_object("toolConfig");
    w_.begin_array("tools");
    for (const ToolDefinition& tool : request_.tools) write_tool(tool);
    w_.end_array();
    write_tool_choice();
    write_nested(request_.extensions, kToolConfig, w_);
    w_.end_object();
  }

  void write_tool(const ToolDefinition& tool) {
    if (tool.kind == ToolKind::hosted) {
      w_.raw(tool.schema);
    } else {
      w_.begin_object();
      write_tool_spec(tool);
      write_plain(tool.extensions, w_);
      w_.end_object();
    }
    write_cache(builder_, tool.cache, tool.source.text, w_);
  }

  void write_tool_spec(const ToolDefinition& tool) {
    w_.begin_object("toolSpec");
    w_.member("name", tool.name);
    w_.member_if("description", tool.description);
    w_.object("inputSchema", "json", tool.schema);
    w_.member("strict", tool.strict);
    write_nested(tool.extensions, kToolSpec, w_);
    w_.end_object();
  }

  void write_tool_choice() {
    if (!request_.tool_choice) return;
    const ToolChoice& choice = *request_.tool_choice;
    w_.begin_object("toolChoice");
    w_.begin_object(to_wire(kToolChoices, choice.mode));
    if (choice.mode == ToolChoiceMode::named) w_.member("name", choice.name);
    w_.end_object();
    w_.end_object();
  }

  void write_effort(Writer& config) {
    const std::optional<Effort> effort = request_.reasoning.effort;
    if (effort) config.member("effort", to_wire(kEfforts, *effort));
  }

  /// The schema is a text here.
  void write_format(Writer& config) {
    if (!request_.response_format) return;
    const ResponseFormat& format = *request_.response_format;
    config.begin_object("textFormat");
    config.member("type", "json_schema");
    config.begin_object("structure");
    config.begin_object("jsonSchema");
    config.member("schema", json::without_whitespace(format.schema.text()));
    config.member_if("name", format.name);
    config.member_if("description", format.description);
    config.end_object();
    config.end_object();
    config.end_object();
  }

  void write_thinking(Writer& fields) {
    anthropic_family::write_thinking(request_.reasoning, fields);
  }

  void write_identity() {
    if (request_.service_tier.empty()) return;
    w_.object("serviceTier", "type", request_.service_tier);
  }

  void write_extensions() { write_plain(request_.extensions, w_); }

  const ChatRequest& request_;
  Writer w_;
  anthropic_family::TurnBuilder builder_;
};

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options, RequestContext&,
                            std::string& out, Losses& losses) {
  return RequestWriter(request, options, out, losses).write();
}

}  // namespace llmproxy::bedrock_converse
