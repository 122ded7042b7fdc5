// Amazon Bedrock Converse: a client's request to the canonical one.
#include <fmt/format.h>

#include "chat/read_parts.h"
#include "chat/thinking_budget.h"
#include "dialects/bedrock_converse/messages.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

class RequestReader {
 public:
  RequestReader(const Value& body, const RequestHead& head)
      : reader_(body, ""), head_(head) {}

  Result<ChatRequest> read() {
    request_.dialect = kName;
    read_model();
    read_stream();
    LLMPROXY_TRY(read_system(reader_, request_));
    LLMPROXY_TRY(read_messages(reader_, request_));
    LLMPROXY_TRY(read_inference());
    LLMPROXY_TRY(read_tools());
    LLMPROXY_TRY(read_model_fields());
    LLMPROXY_TRY(read_output_config());
    LLMPROXY_TRY(read_tier());
    read_extensions();
    return std::move(request_);
  }

 private:
  void read_model() { request_.model = std::string(head_.model); }

  Result<void> read_inference() {
    LLMPROXY_ASSIGN(const Value value,
                    reader_.optional("inferenceConfig", Type::object));
    if (!value) return {};
    ObjectReader config(value, "/inferenceConfig");
    LLMPROXY_TRY(read_stop_sequences(config));
    LLMPROXY_TRY(read_limits(config));
    LLMPROXY_TRY(read_sampling(config));
    json::keep_rest(config, kInference, request_.extensions);
    return {};
  }

  Result<void> read_limits(ObjectReader& config) {
    return json::read_fields<ChatRequest>(kLimitScalars, config, request_);
  }

  Result<void> read_sampling(ObjectReader& config) {
    return json::read_fields<ChatRequest>(kScalars, config, request_);
  }

  Result<void> read_stop_sequences(ObjectReader& config) {
    LLMPROXY_ASSIGN(const Value stops,
                    config.optional("stopSequences", Type::array));
    return json::read_strings(
        stops, "stopSequences must be an array of strings",
        config.path_of("stopSequences"), request_.stop_sequences);
  }

  Result<void> read_tools() {
    LLMPROXY_ASSIGN(const Value value,
                    reader_.optional("toolConfig", Type::object));
    if (!value) return {};
    ObjectReader config(value, "/toolConfig");
    LLMPROXY_ASSIGN(const Value tools, config.required("tools", Type::array));
    LLMPROXY_TRY(json::read_each(tools, config.path_of("tools"),
                                 [&](Value tool, const std::string& path) {
                                   return read_tool(tool, path);
                                 }));
    LLMPROXY_TRY(read_tool_choice(config));
    json::keep_rest(config, kToolConfig, request_.extensions);
    return {};
  }

  Result<void> read_tool(const Value& element, const std::string& path) {
    if (!element.is_object()) {
      return invalid_request("a tool must be an object", path);
    }
    auto& tools = request_.tools;
    const Value point = element["cachePoint"];
    if (point.is_object()) {
      if (tools.empty()) {
        return invalid_request("a cachePoint must follow a tool", path);
      }
      tools.back().cache = read_cache(point, path);
      return {};
    }
    const Value system_tool = element["systemTool"];
    if (system_tool.is_object()) {
      tools.push_back(
          hosted_tool("systemTool", system_tool["name"].string(), element));
    } else {
      LLMPROXY_ASSIGN(ToolDefinition tool, read_tool_spec(element, path));
      tools.push_back(std::move(tool));
    }
    tools.back().source.text = path;
    return {};
  }

  static Result<ToolDefinition> read_tool_spec(const Value& element,
                                               const std::string& path) {
    ObjectReader whole(element, path);
    LLMPROXY_ASSIGN(const Value spec, whole.required("toolSpec", Type::object));
    ObjectReader reader(spec, whole.path_of("toolSpec"));
    ToolDefinition tool;
    LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
    LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
    LLMPROXY_ASSIGN(const Value schema,
                    reader.required("inputSchema", Type::object));
    if (!schema["json"].is_object()) {
      return invalid_request("inputSchema must be {\"json\":{...}}",
                             reader.path_of("inputSchema"));
    }
    tool.schema = schema["json"].raw_json();
    LLMPROXY_ASSIGN(tool.strict, reader.optional_bool("strict"));
    tool.extensions = whole.rest();
    json::keep_rest(reader, kToolSpec, tool.extensions);
    return tool;
  }

  Result<void> read_tool_choice(ObjectReader& config) {
    LLMPROXY_ASSIGN(const Value choice,
                    config.optional("toolChoice", Type::object));
    if (!choice) return {};
    const std::string path = config.path_of("toolChoice");
    for (const auto& row : kToolChoices) {
      const Value member = choice[row.wire];
      if (member.absent()) continue;
      request_.tool_choice = ToolChoice{row.value, {}, {}};
      if (row.value != ToolChoiceMode::named) return {};
      request_.tool_choice->name = member["name"].string();
      if (!request_.tool_choice->name.empty()) return {};
      return invalid_request("toolChoice.tool needs a name", path + "/tool");
    }
    return invalid_request(
        fmt::format("toolChoice must be {}", spellings(kToolChoices)), path);
  }

  /// Passed to the model as they are: names are those of its own API.
  Result<void> read_model_fields() {
    LLMPROXY_ASSIGN(
        const Value value,
        reader_.optional("additionalModelRequestFields", Type::object));
    if (!value) return {};
    ObjectReader fields(value, "/additionalModelRequestFields");
    LLMPROXY_TRY(
        json::read_fields<ChatRequest>(kModelScalars, fields, request_));
    LLMPROXY_TRY(read_thinking(fields));
    read_identity(fields);
    json::keep_rest(fields, kModelFields, request_.extensions);
    return {};
  }

  Result<void> read_output_config() {
    LLMPROXY_ASSIGN(const Value value,
                    reader_.optional("outputConfig", Type::object));
    if (!value) return {};
    ObjectReader config(value, "/outputConfig");
    LLMPROXY_TRY(read_effort(config, "effort", kEfforts, "outputConfig.effort",
                             request_.reasoning));
    LLMPROXY_TRY(read_format(config));
    json::keep_rest(config, kOutputConfig, request_.extensions);
    return {};
  }

  Result<void> read_format(ObjectReader& config) {
    LLMPROXY_ASSIGN(const Value format,
                    config.optional("textFormat", Type::object));
    if (!format) return {};
    const Value schema = format["structure"]["jsonSchema"];
    if (format["type"].string() != "json_schema" ||
        !json::is_json_object(schema["schema"].string())) {
      return invalid_request(
          "textFormat must be of type json_schema with a schema, itself "
          "written as a text",
          config.path_of("textFormat"));
    }
    ResponseFormat out;
    out.kind = FormatKind::json_schema;
    out.name = schema["name"].string();
    out.description = schema["description"].string();
    out.schema = json::Trusted::json(std::string(schema["schema"].string()));
    request_.response_format = std::move(out);
    return {};
  }

  /// As Anthropic writes it; what has no canonical form stays where it is.
  Result<void> read_thinking(ObjectReader& fields) {
    const Value thinking = fields.object()["thinking"];
    const auto mode = from_wire(kThinkingTypes, thinking["type"].string());
    if (!mode) return {};
    fields.take("thinking");
    request_.reasoning.mode = mode;
    request_.reasoning.display = thinking["display"].string();
    const Value budget = thinking["budget_tokens"];
    if (budget.absent()) return {};
    LLMPROXY_ASSIGN(request_.reasoning.budget_tokens,
                    json::read_at_least(
                        budget, kMinThinkingBudget, "thinking.budget_tokens",
                        fields.path_of("thinking") + "/budget_tokens"));
    return {};
  }

  void read_identity(ObjectReader& fields) {
    const Value metadata = fields.object()["metadata"];
    if (!metadata["user_id"].is_string() || metadata.size() != 1) return;
    fields.take("metadata");
    request_.user_id = metadata["user_id"].string();
  }

  Result<void> read_tier() {
    LLMPROXY_ASSIGN(const Value tier,
                    reader_.optional("serviceTier", Type::object));
    request_.service_tier = tier["type"].string();
    return {};
  }

  void read_stream() {
    request_.stream = head_.stream;
    request_.include_usage = true;
  }

  void read_extensions() {
    for (Extension& extension : reader_.rest()) {
      // Of a prompt that is kept at the provider.
      extension.essential = extension.name == "promptVariables";
      request_.extensions.push_back(std::move(extension));
    }
  }

  ObjectReader reader_;
  const RequestHead& head_;
  ChatRequest request_;
};

}  // namespace

Result<ChatRequest> decode_request(const Value& body, const RequestHead& head) {
  return RequestReader(body, head).read();
}

}  // namespace llmproxy::bedrock_converse
