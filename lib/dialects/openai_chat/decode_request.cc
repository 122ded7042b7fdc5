// OpenAI Chat Completions: a client's request to the canonical one.
#include <fmt/format.h>

#include <algorithm>

#include "dialects/openai_chat/messages.h"
#include "json/text.h"

namespace llmproxy::openai_chat {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

Result<ToolDefinition> read_function(ObjectReader& reader) {
  ToolDefinition tool;
  LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
  LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
  LLMPROXY_ASSIGN(const Value schema,
                  reader.optional("parameters", Type::object));
  if (schema) tool.schema = schema.raw_json();
  LLMPROXY_ASSIGN(tool.strict, reader.optional_bool("strict"));
  tool.extensions = reader.rest();
  return tool;
}

/// Unknown fields beside `function`; those inside of it are marked.
void keep_outer_fields(const ObjectReader& outer, ToolDefinition& tool) {
  for (Extension& extension : tool.extensions) {
    extension.name = std::string(kInner).append(extension.name);
  }
  for (Extension& extension : outer.rest()) {
    tool.extensions.push_back(std::move(extension));
  }
}

Result<ToolDefinition> read_tool(Value value, const std::string& path) {
  if (!value.is_object()) {
    return invalid_request("a tool must be an object", path);
  }
  ObjectReader outer(value, path);
  LLMPROXY_ASSIGN(const std::string type, outer.required_string("type"));
  if (type == "function") {
    LLMPROXY_ASSIGN(const Value function,
                    outer.required("function", Type::object));
    ObjectReader reader(function, outer.path_of("function"));
    LLMPROXY_ASSIGN(ToolDefinition tool, read_function(reader));
    tool.cache = read_breakpoint(outer);
    keep_outer_fields(outer, tool);
    return tool;
  }
  if (type == "custom") {
    LLMPROXY_ASSIGN(const Value custom, outer.required("custom", Type::object));
    ObjectReader reader(custom, outer.path_of("custom"));
    ToolDefinition tool;
    tool.kind = ToolKind::custom;
    LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
    LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
    tool.schema = reader.take("format").raw_json();
    tool.extensions = reader.rest();
    keep_outer_fields(outer, tool);
    return tool;
  }
  ToolDefinition tool;
  tool.kind = ToolKind::hosted;
  tool.hosted_type = type;
  tool.name = std::string(value["name"].string());
  tool.schema = value.raw_json();
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
  LLMPROXY_ASSIGN(const Value functions,
                  reader.optional("functions", Type::array));
  index = 0;
  for (const Value value : functions.children()) {
    const std::string path = json::pointer("/functions", index++);
    ObjectReader function(value, path);
    LLMPROXY_ASSIGN(ToolDefinition tool, read_function(function));
    tool.source.text = path;
    request.tools.push_back(std::move(tool));
    request.legacy_functions = true;
  }
  // Web search here is an option, elsewhere a hosted tool.
  LLMPROXY_ASSIGN(const Value search,
                  reader.optional("web_search_options", Type::object));
  if (search) {
    ToolDefinition tool;
    tool.kind = ToolKind::hosted;
    tool.hosted_type = "web_search_options";
    tool.name = "web_search";
    tool.schema = search.raw_json();
    request.tools.push_back(std::move(tool));
  }
  return {};
}

/// The name in {"type":"function","function":{"name"}} or its custom twin.
std::string named_tool(Value value) {
  const Value body = value["custom"] ? value["custom"] : value["function"];
  const Value name = body ? body["name"] : value["name"];
  return std::string(name.string());
}

Result<void> read_tool_choice(ObjectReader& reader, ChatRequest& request) {
  Value value = reader.take("tool_choice");
  std::string path = "/tool_choice";
  const Value legacy = reader.take("function_call");
  if (value.absent() && !legacy.absent()) {
    value = legacy;
    path = "/function_call";
  }
  if (value.absent()) return {};
  ToolChoice choice;
  const std::string_view word =
      value.is_string() ? value.string() : value["type"].string();
  const Value allowed = value["allowed_tools"];
  if (allowed.is_object()) {
    choice.mode = from_wire(kToolChoices, allowed["mode"].string())
                      .value_or(ToolChoiceMode::automatic);
    for (const Value tool : allowed["tools"].children()) {
      choice.allowed.push_back(named_tool(tool));
    }
  } else if (const auto mode = from_wire(kToolChoices, word)) {
    choice.mode = *mode;
  } else {
    choice.mode = ToolChoiceMode::named;
    choice.name = named_tool(value);
    if (choice.name.empty()) {
      return invalid_request(
          fmt::format("expected {}, or an object naming a function",
                      spellings(kToolChoices)),
          path);
    }
  }
  request.tool_choice = std::move(choice);
  return {};
}

Result<void> read_format(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value,
                  reader.optional("response_format", Type::object));
  if (!value) return {};
  const auto kind = from_wire(kFormats, value["type"].string());
  if (!kind) {
    return invalid_request(
        fmt::format("response_format.type must be {}", spellings(kFormats)),
        "/response_format/type");
  }
  ResponseFormat format;
  format.kind = *kind;
  if (*kind == FormatKind::json_schema) {
    const Value schema = value["json_schema"];
    if (!schema.is_object()) {
      return invalid_request("response_format.json_schema is required",
                             "/response_format/json_schema");
    }
    ObjectReader inner(schema, "/response_format/json_schema");
    LLMPROXY_ASSIGN(format.name, inner.optional_string("name"));
    LLMPROXY_ASSIGN(format.description, inner.optional_string("description"));
    LLMPROXY_ASSIGN(format.strict, inner.optional_bool("strict"));
    LLMPROXY_ASSIGN(const Value own, inner.optional("schema", Type::object));
    if (own) format.schema = own.raw_json();
  }
  request.response_format = std::move(format);
  return {};
}

Result<void> read_stop(ObjectReader& reader, ChatRequest& request) {
  const Value stop = reader.take("stop");
  if (stop.absent()) return {};
  if (stop.is_string()) {
    request.stop_sequences.emplace_back(stop.string());
    return {};
  }
  const auto wrong = [] {
    return invalid_request("stop must be a string or an array of strings",
                           "/stop");
  };
  if (!stop.is_array()) return wrong();
  for (const Value item : stop.children()) {
    if (!item.is_string()) return wrong();
    request.stop_sequences.emplace_back(item.string());
  }
  return {};
}

Result<void> read_limits(ObjectReader& reader, ChatRequest& request) {
  // Both given: the newer field counts.
  for (const std::string_view name : {"max_tokens", "max_completion_tokens"}) {
    LLMPROXY_ASSIGN(const Value value, reader.optional(name, Type::number));
    if (!value) continue;
    request.max_output_tokens = value.integer();
    if (!request.max_output_tokens || *request.max_output_tokens < 1) {
      return invalid_request(
          fmt::format("{} must be an integer of at least 1", name),
          reader.path_of(name));
    }
  }
  const Value n = reader.object()["n"];
  if (!n.absent() && n.integer() != 1) {
    return unsupported(
        "n must be 1: other APIs give one answer per request; send the "
        "request several times instead",
        "/n");
  }
  return {};
}

Result<void> read_reasoning_effort(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value,
                  reader.optional("reasoning_effort", Type::string));
  if (!value) return {};
  request.reasoning.effort = from_wire(kEfforts, value.string());
  if (!request.reasoning.effort) {
    return invalid_request(
        fmt::format("reasoning_effort must be {}", spellings(kEfforts)),
        "/reasoning_effort");
  }
  return {};
}

Result<void> read_user(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(request.user_id, reader.optional_string("safety_identifier"));
  if (!request.user_id.empty()) return {};  // `user` stays an extension
  LLMPROXY_ASSIGN(request.user_id, reader.optional_string("user"));
  return {};
}

bool is_default(const Extension& extension) {
  const std::string value = json::without_whitespace(extension.value.text());
  return std::any_of(kDefaults.begin(), kDefaults.end(),
                     [&](const Default& row) {
                       return row.name == extension.name && row.json == value;
                     });
}

}  // namespace

Result<ChatRequest> decode_request(const json::Value& body,
                                   const RequestHead&) {
  ObjectReader reader(body, "");
  ChatRequest request;
  request.dialect = std::string(kName);
  LLMPROXY_ASSIGN(request.model, reader.required_string("model"));
  LLMPROXY_ASSIGN(const Value messages,
                  reader.required("messages", Type::array));
  if (messages.size() == 0) {
    return invalid_request("messages must hold at least one message",
                           "/messages");
  }
  LLMPROXY_ASSIGN(request.messages, read_messages(messages));
  LLMPROXY_ASSIGN(const auto stream, reader.optional_bool("stream"));
  request.stream = stream.value_or(false);
  LLMPROXY_ASSIGN(const Value stream_options,
                  reader.optional("stream_options", Type::object));
  request.include_usage = stream_options["include_usage"].is_true();
  LLMPROXY_TRY(read_limits(reader, request));
  reader.take("n");
  LLMPROXY_TRY(json::read_fields<ChatRequest>(kScalars, reader, request));
  LLMPROXY_TRY(read_stop(reader, request));
  LLMPROXY_TRY(read_tools(reader, request));
  LLMPROXY_TRY(read_tool_choice(reader, request));
  LLMPROXY_ASSIGN(request.parallel_tool_calls,
                  reader.optional_bool("parallel_tool_calls"));
  LLMPROXY_TRY(read_format(reader, request));
  LLMPROXY_TRY(read_reasoning_effort(reader, request));
  LLMPROXY_TRY(read_user(reader, request));
  LLMPROXY_ASSIGN(request.service_tier, reader.optional_string("service_tier"));
  for (Extension& extension : reader.rest()) {
    if (!is_default(extension)) {
      request.extensions.push_back(std::move(extension));
    }
  }
  return request;
}

}  // namespace llmproxy::openai_chat
