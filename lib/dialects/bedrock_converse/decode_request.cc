// Amazon Bedrock Converse: a client's request to the canonical one.
#include <fmt/format.h>

#include "chat/model_plan.h"
#include "dialects/bedrock_converse/messages.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

void keep_rest(const ObjectReader& reader, std::string_view prefix,
               Extensions& extensions) {
  for (Extension& extension : reader.rest()) {
    extension.name.insert(0, prefix);
    extensions.push_back(std::move(extension));
  }
}

Result<ToolDefinition> read_tool_spec(Value element, const std::string& path) {
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
  tool.source.text = path;
  LLMPROXY_ASSIGN(tool.strict, reader.optional_bool("strict"));
  tool.extensions = whole.rest();
  keep_rest(reader, kToolSpec, tool.extensions);
  return tool;
}

Result<void> read_tool(Value element, const std::string& path,
                       ChatRequest& request) {
  if (!element.is_object()) {
    return invalid_request("a tool must be an object", path);
  }
  if (element["cachePoint"].is_object()) {
    if (request.tools.empty()) {
      return invalid_request("a cachePoint must follow a tool", path);
    }
    request.tools.back().cache = read_cache_point(element["cachePoint"]);
    return {};
  }
  const Value system_tool = element["systemTool"];
  if (!system_tool.is_object()) {
    LLMPROXY_ASSIGN(ToolDefinition tool, read_tool_spec(element, path));
    request.tools.push_back(std::move(tool));
    return {};
  }
  ToolDefinition tool;
  tool.kind = ToolKind::hosted;
  tool.hosted_type = "systemTool";
  tool.name = std::string(system_tool["name"].string());
  tool.schema = element.raw_json();
  tool.source.text = path;
  request.tools.push_back(std::move(tool));
  return {};
}

Result<void> read_tool_choice(Value choice, ChatRequest& request) {
  constexpr std::string_view kPath = "/toolConfig/toolChoice";
  for (const auto& row : kToolChoices) {
    const Value member = choice[row.wire];
    if (member.absent()) continue;
    request.tool_choice = ToolChoice{row.value, {}, {}};
    if (row.value != ToolChoiceMode::named) return {};
    request.tool_choice->name = std::string(member["name"].string());
    if (!request.tool_choice->name.empty()) return {};
    return invalid_request("toolChoice.tool needs a name",
                           json::pointer(kPath, "tool"));
  }
  return invalid_request(
      fmt::format("toolChoice must be {}", spellings(kToolChoices)),
      std::string(kPath));
}

Result<void> read_tool_config(ObjectReader& body, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value, body.optional("toolConfig", Type::object));
  if (!value) return {};
  ObjectReader config(value, "/toolConfig");
  LLMPROXY_ASSIGN(const Value tools, config.required("tools", Type::array));
  std::size_t index = 0;
  for (const Value element : tools.children()) {
    LLMPROXY_TRY(read_tool(element, json::pointer("/toolConfig/tools", index++),
                           request));
  }
  LLMPROXY_ASSIGN(const Value choice,
                  config.optional("toolChoice", Type::object));
  if (choice) LLMPROXY_TRY(read_tool_choice(choice, request));
  keep_rest(config, kToolConfig, request.extensions);
  return {};
}

Result<void> read_inference(ObjectReader& body, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value,
                  body.optional("inferenceConfig", Type::object));
  if (!value) return {};
  ObjectReader config(value, "/inferenceConfig");
  LLMPROXY_ASSIGN(const Value stops,
                  config.optional("stopSequences", Type::array));
  for (const Value stop : stops.children()) {
    if (!stop.is_string()) {
      return invalid_request("stopSequences must be an array of strings",
                             config.path_of("stopSequences"));
    }
    request.stop_sequences.emplace_back(stop.string());
  }
  LLMPROXY_TRY(json::read_fields<ChatRequest>(kScalars, config, request));
  keep_rest(config, kInference, request.extensions);
  return {};
}

/// As Anthropic writes it; what has no canonical form stays where it is.
Result<void> read_thinking(ObjectReader& fields, ChatRequest& request) {
  const Value thinking = fields.object()["thinking"];
  const auto mode = from_wire(kThinkingTypes, thinking["type"].string());
  if (!mode) return {};
  fields.take("thinking");
  request.reasoning.mode = mode;
  request.reasoning.display = std::string(thinking["display"].string());
  const Value budget = thinking["budget_tokens"];
  if (budget.absent()) return {};
  request.reasoning.budget_tokens = budget.integer();
  if (request.reasoning.budget_tokens &&
      *request.reasoning.budget_tokens >= kMinThinkingBudget) {
    return {};
  }
  return invalid_request(
      fmt::format("thinking.budget_tokens must be an integer of at least {}",
                  kMinThinkingBudget),
      fields.path_of("thinking") + "/budget_tokens");
}

/// Passed to the model as they are: names are those of its own API.
Result<void> read_model_fields(ObjectReader& body, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value,
                  body.optional("additionalModelRequestFields", Type::object));
  if (!value) return {};
  ObjectReader fields(value, "/additionalModelRequestFields");
  LLMPROXY_TRY(json::read_fields<ChatRequest>(kModelScalars, fields, request));
  LLMPROXY_TRY(read_thinking(fields, request));
  const Value metadata = value["metadata"];
  if (metadata["user_id"].is_string() && metadata.size() == 1) {
    fields.take("metadata");
    request.user_id = std::string(metadata["user_id"].string());
  }
  keep_rest(fields, kModelFields, request.extensions);
  return {};
}

Result<void> read_text_format(Value format, ChatRequest& request) {
  const std::string path = "/outputConfig/textFormat";
  const Value schema = format["structure"]["jsonSchema"];
  if (format["type"].string() != "json_schema" ||
      !json::is_json_object(schema["schema"].string())) {
    return invalid_request(
        "textFormat must be of type json_schema with a schema, itself written "
        "as a text",
        path);
  }
  ResponseFormat out;
  out.kind = FormatKind::json_schema;
  out.name = std::string(schema["name"].string());
  out.description = std::string(schema["description"].string());
  out.schema = json::Trusted::json(std::string(schema["schema"].string()));
  request.response_format = std::move(out);
  return {};
}

Result<void> read_output_config(ObjectReader& body, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value,
                  body.optional("outputConfig", Type::object));
  if (!value) return {};
  ObjectReader config(value, "/outputConfig");
  LLMPROXY_ASSIGN(const Value effort, config.optional("effort", Type::string));
  if (effort) {
    request.reasoning.effort = from_wire(kEfforts, effort.string());
    if (!request.reasoning.effort) {
      return invalid_request(
          fmt::format("outputConfig.effort must be {}", spellings(kEfforts)),
          config.path_of("effort"));
    }
  }
  LLMPROXY_ASSIGN(const Value format,
                  config.optional("textFormat", Type::object));
  if (format) LLMPROXY_TRY(read_text_format(format, request));
  keep_rest(config, kOutputConfig, request.extensions);
  return {};
}

}  // namespace

Result<ChatRequest> decode_request(const Value& body, const RequestHead& head) {
  ObjectReader reader(body, "");
  ChatRequest request;
  request.dialect = std::string(kName);
  request.model = std::string(head.model);
  request.stream = head.stream;
  request.include_usage = true;
  LLMPROXY_TRY(read_system(reader, request));
  LLMPROXY_TRY(read_messages(reader, request));
  LLMPROXY_TRY(read_inference(reader, request));
  LLMPROXY_TRY(read_tool_config(reader, request));
  LLMPROXY_TRY(read_model_fields(reader, request));
  LLMPROXY_TRY(read_output_config(reader, request));
  LLMPROXY_ASSIGN(const Value tier,
                  reader.optional("serviceTier", Type::object));
  request.service_tier = std::string(tier["type"].string());
  for (Extension& extension : reader.rest()) {
    // Of a prompt that is kept at the provider.
    extension.essential = extension.name == "promptVariables";
    request.extensions.push_back(std::move(extension));
  }
  return request;
}

}  // namespace llmproxy::bedrock_converse
