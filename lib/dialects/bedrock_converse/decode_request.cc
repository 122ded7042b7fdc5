// Bedrock Converse: a client's request to the canonical one.
#include <fmt/format.h>

#include <algorithm>

#include "dialects/bedrock_converse/messages.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

Result<void> read_tool(const Value& value, const std::string& path,
                       ChatRequest& request) {
  if (!value.is_object()) {
    return invalid_request("a tool must be an object", path);
  }
  if (const Value point = value["cachePoint"]; point.is_object()) {
    if (!request.tools.empty()) {
      request.tools.back().cache =
          CacheMarker{std::string(point["ttl"].string()), {}};
    }
    return {};
  }
  ToolDefinition tool;
  tool.source.text = path;
  const Value spec = value["toolSpec"];
  if (!spec.is_object()) {
    tool.kind = ToolKind::hosted;
    for (const Value member : value.children()) tool.hosted_type = member.key();
    tool.schema = value.raw_json();
    if (tool.hosted_type.empty()) {
      return invalid_request("a tool needs a toolSpec", path);
    }
    request.tools.push_back(std::move(tool));
    return {};
  }
  ObjectReader reader(spec, path + "/toolSpec");
  tool.source.text = reader.path();
  LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
  LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
  LLMPROXY_ASSIGN(tool.strict, reader.optional_bool("strict"));
  const Value schema = reader.take("inputSchema")["json"];
  if (schema.is_object()) tool.schema = schema.raw_json();
  tool.extensions = reader.rest();
  request.tools.push_back(std::move(tool));
  return {};
}

Result<void> read_tool_config(ObjectReader& outer, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value config,
                  outer.optional("toolConfig", Type::object));
  if (!config) return {};
  std::size_t index = 0;
  for (const Value tool : config["tools"].children()) {
    LLMPROXY_TRY(
        read_tool(tool, json::pointer("/toolConfig/tools", index++), request));
  }
  const Value choice = config["toolChoice"];
  if (!choice.is_object()) return {};
  ToolChoice out;
  if (choice["any"]) {
    out.mode = ToolChoiceMode::required;
  } else if (choice["tool"].is_object()) {
    out.mode = ToolChoiceMode::named;
    out.name = choice["tool"]["name"].string();
  } else if (!choice["auto"]) {
    return invalid_request("toolChoice must be auto, any or tool",
                           "/toolConfig/toolChoice");
  }
  request.tool_choice = std::move(out);
  return {};
}

void keep_nested(const ObjectReader& reader, std::string_view prefix,
                 ChatRequest& request) {
  for (Extension& extension : reader.rest()) {
    extension.name = std::string(prefix) + extension.name;
    request.extensions.push_back(std::move(extension));
  }
}

Result<void> read_inference(ObjectReader& outer, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value config,
                  outer.optional("inferenceConfig", Type::object));
  if (!config) return {};
  ObjectReader reader(config, "/inferenceConfig");
  LLMPROXY_TRY(json::read_fields<ChatRequest>(kScalars, reader, request));
  LLMPROXY_ASSIGN(const Value limit,
                  reader.optional("maxTokens", Type::number));
  if (limit) {
    request.max_output_tokens = limit.integer();
    if (!request.max_output_tokens || *request.max_output_tokens < 1) {
      return invalid_request("maxTokens must be an integer of at least 1",
                             "/inferenceConfig/maxTokens");
    }
  }
  LLMPROXY_ASSIGN(const Value stops,
                  reader.optional("stopSequences", Type::array));
  for (const Value stop : stops.children()) {
    if (!stop.is_string()) {
      return invalid_request("stopSequences must hold strings",
                             "/inferenceConfig/stopSequences");
    }
    request.stop_sequences.emplace_back(stop.string());
  }
  keep_nested(reader, kInferencePrefix, request);
  return {};
}

/// The model's own fields, of which Anthropic's are known.
Result<void> read_model_fields(ObjectReader& outer, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value fields,
                  outer.optional("additionalModelRequestFields", Type::object));
  if (!fields) return {};
  ObjectReader reader(fields, "/additionalModelRequestFields");
  if (const auto top_k = reader.take("top_k").integer()) request.top_k = top_k;
  const Value thinking = reader.take("thinking");
  const std::string_view type = thinking["type"].string();
  if (type == "disabled") request.reasoning.mode = ReasoningMode::off;
  if (type == "adaptive") request.reasoning.mode = ReasoningMode::adaptive;
  if (type == "enabled") {
    request.reasoning.mode = ReasoningMode::budget;
    request.reasoning.budget_tokens = thinking["budget_tokens"].integer();
  }
  request.reasoning.display = thinking["display"].string();
  keep_nested(reader, kModelPrefix, request);
  return {};
}

Result<void> read_output(ObjectReader& outer, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value config,
                  outer.optional("outputConfig", Type::object));
  if (!config) return {};
  const Value effort = config["effort"];
  if (effort.is_string()) {
    request.reasoning.effort = from_wire(kEfforts, effort.string());
    if (!request.reasoning.effort) {
      return invalid_request(
          fmt::format("effort must be {}", spellings(kEfforts)),
          "/outputConfig/effort");
    }
  }
  const Value schema = config["textFormat"]["structure"]["jsonSchema"];
  if (!schema.is_object()) return {};
  ResponseFormat format;
  format.kind = FormatKind::json_schema;
  format.name = schema["name"].string();
  format.description = schema["description"].string();
  // The schema is JSON inside a text here.
  format.schema = {std::string(schema["schema"].string())};
  if (!json::is_json_object(format.schema.text)) {
    return invalid_request(
        "schema must be a text with a JSON object",
        "/outputConfig/textFormat/structure/jsonSchema/schema");
  }
  request.response_format = std::move(format);
  return {};
}

void read_tier(ObjectReader& reader, ChatRequest& request) {
  const std::string_view tier = reader.take("serviceTier")["type"].string();
  request.service_tier = tier;
  for (const ServiceTier& row : kServiceTiers) {
    if (row.wire == tier) request.service_tier = row.canonical;
  }
}

}  // namespace

Result<ChatRequest> decode_request(const Value& body, const RequestHead& head) {
  ObjectReader reader(body, "");
  ChatRequest request;
  request.dialect = std::string(kName);
  request.model = head.model;
  request.stream = head.stream;
  request.include_usage = true;
  LLMPROXY_TRY(read_system(reader, request));
  LLMPROXY_TRY(read_messages(reader, request));
  LLMPROXY_TRY(read_tool_config(reader, request));
  LLMPROXY_TRY(read_inference(reader, request));
  LLMPROXY_TRY(read_model_fields(reader, request));
  LLMPROXY_TRY(read_output(reader, request));
  read_tier(reader, request);
  reader.take("modelId");  // of hosts that copy the SDK's input
  for (Extension& extension : reader.rest()) {
    extension.essential = extension.name == "promptVariables";
    request.extensions.push_back(std::move(extension));
  }
  return request;
}

}  // namespace llmproxy::bedrock_converse
