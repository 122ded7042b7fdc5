// Anthropic Messages: a client's request to the canonical one.
#include <fmt/format.h>

#include "dialects/claude/messages.h"

namespace llmproxy::claude {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

Result<ToolDefinition> read_tool(Value value, const std::string& path) {
  if (!value.is_object()) {
    return invalid_request("a tool must be an object", path);
  }
  ObjectReader reader(value, path);
  LLMPROXY_ASSIGN(const std::string type, reader.optional_string("type"));
  ToolDefinition tool;
  tool.source.text = path;
  if (!type.empty() && type != "custom") {
    tool.kind = ToolKind::hosted;
    tool.hosted_type = type;
    tool.name = std::string(value["name"].string());
    tool.schema = value.raw_json();
    return tool;
  }
  LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
  LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
  LLMPROXY_ASSIGN(const Value schema,
                  reader.required("input_schema", Type::object));
  tool.schema = schema.raw_json();
  LLMPROXY_ASSIGN(tool.strict, reader.optional_bool("strict"));
  tool.cache = read_cache(reader);
  tool.extensions = reader.rest();
  return tool;
}

Result<void> read_tools(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value tools, reader.optional("tools", Type::array));
  std::size_t index = 0;
  for (const Value value : tools.children()) {
    LLMPROXY_ASSIGN(ToolDefinition tool,
                    read_tool(value, json::pointer("/tools", index++)));
    request.tools.push_back(std::move(tool));
  }
  LLMPROXY_ASSIGN(const Value choice,
                  reader.optional("tool_choice", Type::object));
  if (!choice) return {};
  const auto mode = from_wire(kToolChoices, choice["type"].string());
  if (!mode) {
    return invalid_request(
        fmt::format("tool_choice.type must be {}", spellings(kToolChoices)),
        "/tool_choice/type");
  }
  request.tool_choice = ToolChoice{*mode, {}, {}};
  request.tool_choice->name = std::string(choice["name"].string());
  if (*mode == ToolChoiceMode::named && request.tool_choice->name.empty()) {
    return invalid_request("tool_choice of type tool needs a name",
                           "/tool_choice/name");
  }
  if (const auto no_parallel = choice["disable_parallel_tool_use"].boolean()) {
    request.parallel_tool_calls = !*no_parallel;
  }
  return {};
}

/// Thinking of newer models for which no other dialect has a word.
constexpr std::string_view kBetweenTools = "between_tools";

Result<void> read_thinking_config(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value thinking,
                  reader.optional("thinking", Type::object));
  if (!thinking) return {};
  if (thinking["type"].string() == kBetweenTools) {
    request.extensions.push_back({"thinking", thinking.raw_json()});
    return {};
  }
  request.reasoning.mode = from_wire(kThinkingTypes, thinking["type"].string());
  if (!request.reasoning.mode) {
    return invalid_request(
        fmt::format("thinking.type must be {}", spellings(kThinkingTypes)),
        "/thinking/type");
  }
  request.reasoning.display = std::string(thinking["display"].string());
  const Value budget = thinking["budget_tokens"];
  if (budget) {
    request.reasoning.budget_tokens = budget.integer();
    if (!request.reasoning.budget_tokens ||
        *request.reasoning.budget_tokens < kMinBudget) {
      return invalid_request(
          fmt::format("thinking.budget_tokens must be an integer of at least "
                      "{}",
                      kMinBudget),
          "/thinking/budget_tokens");
    }
  }
  return {};
}

Result<void> read_format(Value format, std::string_view path,
                         ChatRequest& request) {
  if (!format.is_object()) return {};
  if (format["type"].string() != "json_schema" ||
      !format["schema"].is_object()) {
    return invalid_request(
        "the format must be {\"type\":\"json_schema\",\"schema\":{...}}",
        std::string(path));
  }
  ResponseFormat out;
  out.kind = FormatKind::json_schema;
  out.schema = format["schema"].raw_json();
  request.response_format = std::move(out);
  return {};
}

Result<void> read_output_config(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value,
                  reader.optional("output_config", Type::object));
  // The deprecated spelling of output_config.format.
  LLMPROXY_ASSIGN(const Value old_format,
                  reader.optional("output_format", Type::object));
  LLMPROXY_TRY(read_format(old_format, "/output_format", request));
  if (!value) return {};
  ObjectReader config(value, "/output_config");
  LLMPROXY_ASSIGN(const Value effort, config.optional("effort", Type::string));
  if (effort) {
    request.reasoning.effort = from_wire(kEfforts, effort.string());
    if (!request.reasoning.effort) {
      return invalid_request(
          fmt::format("output_config.effort must be {}", spellings(kEfforts)),
          "/output_config/effort");
    }
  }
  LLMPROXY_TRY(
      read_format(config.take("format"), "/output_config/format", request));
  for (Extension& extension : config.rest()) {
    extension.name = "output_config/" + extension.name;
    request.extensions.push_back(std::move(extension));
  }
  return {};
}

Result<void> read_limits(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value limit,
                  reader.required("max_tokens", Type::number));
  request.max_output_tokens = limit.integer();
  if (!request.max_output_tokens || *request.max_output_tokens < 0) {
    return invalid_request("max_tokens must be an integer of at least 0",
                           "/max_tokens");
  }
  LLMPROXY_ASSIGN(const Value stops,
                  reader.optional("stop_sequences", Type::array));
  for (const Value stop : stops.children()) {
    if (!stop.is_string()) {
      return invalid_request("stop_sequences must be an array of strings",
                             "/stop_sequences");
    }
    request.stop_sequences.emplace_back(stop.string());
  }
  return json::read_fields<ChatRequest>(kScalars, reader, request);
}

Result<void> read_identity(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value metadata,
                  reader.optional("metadata", Type::object));
  request.user_id = std::string(metadata["user_id"].string());
  LLMPROXY_ASSIGN(const std::string tier,
                  reader.optional_string("service_tier"));
  request.service_tier = tier;
  for (const ServiceTier& row : kServiceTiers) {
    if (row.wire == tier) request.service_tier = std::string(row.canonical);
  }
  return {};
}

}  // namespace

Result<void> read_body(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_TRY(read_limits(reader, request));
  LLMPROXY_TRY(read_system(reader, request));
  LLMPROXY_TRY(read_messages(reader, request));
  request.include_usage = true;
  LLMPROXY_TRY(read_tools(reader, request));
  LLMPROXY_TRY(read_thinking_config(reader, request));
  LLMPROXY_TRY(read_output_config(reader, request));
  LLMPROXY_TRY(read_identity(reader, request));
  for (Extension& extension : reader.rest()) {
    // A conversation kept at Anthropic: without it most turns are missing.
    extension.essential = extension.name == "thread";
    request.extensions.push_back(std::move(extension));
  }
  return {};
}

Result<ChatRequest> decode_request(const json::Value& body,
                                   const RequestHead&) {
  ObjectReader reader(body, "");
  ChatRequest request;
  request.dialect = std::string(kName);
  LLMPROXY_ASSIGN(request.model, reader.required_string("model"));
  LLMPROXY_ASSIGN(const auto stream, reader.optional_bool("stream"));
  request.stream = stream.value_or(false);
  LLMPROXY_TRY(read_body(reader, request));
  return request;
}

}  // namespace llmproxy::claude
