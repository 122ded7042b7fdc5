// OpenAI Responses: a client's request to the canonical one.
#include <fmt/format.h>

#include <algorithm>

#include "dialects/openai_responses/messages.h"
#include "json/text.h"

namespace llmproxy::openai_responses {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

Result<void> read_function(ObjectReader& reader, ToolDefinition& tool) {
  LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
  LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
  LLMPROXY_ASSIGN(const Value schema,
                  reader.optional("parameters", Type::object));
  if (schema) tool.schema = schema.raw_json();
  LLMPROXY_ASSIGN(tool.strict, reader.optional_bool("strict"));
  return {};
}

/// The grammar as Chat Completions has it, which is the canonical form.
RawJson nested_format(const Value& format) {
  if (format["type"].string() == "text") return {};  // says nothing
  if (format["type"].string() != "grammar") return format.raw_json();
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.member("type", "grammar");
  w.key("grammar");
  w.begin_object();
  for (const Value member : format.children()) {
    if (member.key() != "type") w.member_raw(member.key(), member.raw());
  }
  w.end_object();
  w.end_object();
  return json::Trusted::json(std::move(out));
}

Result<void> read_custom(ObjectReader& reader, ToolDefinition& tool) {
  tool.kind = ToolKind::custom;
  LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
  LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
  tool.schema = nested_format(reader.take("format"));
  return {};
}

Result<ToolDefinition> read_one_tool(const Value& value,
                                     const std::string& path) {
  if (!value.is_object()) {
    return invalid_request("a tool must be an object", path);
  }
  ObjectReader reader(value, path);
  LLMPROXY_ASSIGN(const std::string type, reader.required_string("type"));
  ToolDefinition tool;
  tool.source.text = path;
  if (type == "function") {
    LLMPROXY_TRY(read_function(reader, tool));
  } else if (type == "custom") {
    LLMPROXY_TRY(read_custom(reader, tool));
  } else {
    tool.kind = ToolKind::hosted;
    tool.hosted_type = type;
    tool.name = std::string(value["name"].string());
    tool.schema = value.raw_json();
    return tool;
  }
  tool.cache = read_breakpoint(reader);
  tool.extensions = reader.rest();
  return tool;
}

Result<void> read_namespace(const Value& value, const std::string& path,
                            ChatRequest& request) {
  ObjectReader reader(value, path);
  reader.take("type");
  LLMPROXY_ASSIGN(const std::string name, reader.required_string("name"));
  LLMPROXY_ASSIGN(const Value tools, reader.required("tools", Type::array));
  std::size_t index = 0;
  for (const Value inner : tools.children()) {
    LLMPROXY_ASSIGN(
        ToolDefinition tool,
        read_one_tool(inner, json::pointer(path + "/tools", index)));
    tool.name_space = name;
    tool.name = full_tool_name(name, tool.name);
    if (index++ == 0) {
      for (Extension& extension : reader.rest()) {
        extension.name = std::string(kNamespacePrefix) + extension.name;
        tool.extensions.push_back(std::move(extension));
      }
    }
    request.tools.push_back(std::move(tool));
  }
  return {};
}

Result<void> read_tools(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value tools, reader.optional("tools", Type::array));
  std::size_t index = 0;
  for (const Value tool : tools.children()) {
    LLMPROXY_TRY(read_tool(tool, json::pointer("/tools", index++), request));
  }
  return {};
}

std::string named_tool(const Value& value) {
  return full_tool_name(value["namespace"].string(), value["name"].string());
}

Result<void> read_tool_choice(ObjectReader& reader, ChatRequest& request) {
  const Value value = reader.take("tool_choice");
  if (value.absent()) return {};
  ToolChoice choice;
  const std::string_view word =
      value.is_string() ? value.string() : value["mode"].string();
  const std::string_view type = value["type"].string();
  if (value.is_string() || type == "allowed_tools") {
    const auto mode = from_wire(kToolChoices, word);
    if (!mode) {
      return invalid_request(fmt::format("tool_choice must be {} or an object",
                                         spellings(kToolChoices)),
                             "/tool_choice");
    }
    choice.mode = *mode;
    for (const Value tool : value["tools"].children()) {
      choice.allowed.push_back(named_tool(tool));
    }
  } else if (type == "function" || type == "custom") {
    choice.mode = ToolChoiceMode::named;
    choice.name = named_tool(value);
    if (choice.name.empty()) {
      return invalid_request("tool_choice.name is required",
                             "/tool_choice/name");
    }
  } else {
    return unsupported(
        fmt::format("the tool {} runs at OpenAI and cannot be forced on "
                    "another provider",
                    type),
        "/tool_choice");
  }
  request.tool_choice = std::move(choice);
  return {};
}

void keep_nested(const ObjectReader& reader, std::string_view prefix,
                 ChatRequest& request) {
  for (Extension& extension : reader.rest()) {
    extension.name = std::string(prefix) + extension.name;
    request.extensions.push_back(std::move(extension));
  }
}

Result<void> read_text(ObjectReader& outer, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value text, outer.optional("text", Type::object));
  if (!text) return {};
  ObjectReader reader(text, "/text");
  LLMPROXY_ASSIGN(const Value value, reader.optional("format", Type::object));
  // The default of every model.
  if (reader.object()["verbosity"].string() == "medium") {
    reader.take("verbosity");
  }
  keep_nested(reader, kTextPrefix, request);
  if (!value) return {};
  ObjectReader inner(value, "/text/format");
  LLMPROXY_ASSIGN(const std::string type, inner.required_string("type"));
  const auto kind = from_wire(kFormats, type);
  if (!kind) {
    return invalid_request(
        fmt::format("text.format.type must be {}", spellings(kFormats)),
        "/text/format/type");
  }
  ResponseFormat format;
  format.kind = *kind;
  if (*kind == FormatKind::json_schema) {
    LLMPROXY_ASSIGN(format.name, inner.optional_string("name"));
    LLMPROXY_ASSIGN(format.description, inner.optional_string("description"));
    LLMPROXY_ASSIGN(format.strict, inner.optional_bool("strict"));
    LLMPROXY_ASSIGN(const Value schema, inner.required("schema", Type::object));
    format.schema = schema.raw_json();
  }
  request.response_format = std::move(format);
  return {};
}

Result<void> read_reasoning(ObjectReader& outer, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value, outer.optional("reasoning", Type::object));
  if (!value) return {};
  ObjectReader reader(value, "/reasoning");
  LLMPROXY_ASSIGN(const Value effort, reader.optional("effort", Type::string));
  if (effort) {
    request.reasoning.effort = from_wire(kEfforts, effort.string());
    if (!request.reasoning.effort) {
      return invalid_request(
          fmt::format("reasoning.effort must be {}", spellings(kEfforts)),
          "/reasoning/effort");
    }
  }
  const std::string_view summary = reader.object()["summary"].string();
  if (!summary.empty()) request.reasoning.display = "summarized";
  // The others ask for a certain length, which nobody else can be told.
  if (summary == "auto") reader.take("summary");
  keep_nested(reader, kReasoningPrefix, request);
  return {};
}

Result<void> read_limits(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value limit,
                  reader.optional("max_output_tokens", Type::number));
  if (!limit) return {};
  request.max_output_tokens = limit.integer();
  if (!request.max_output_tokens || *request.max_output_tokens < 1) {
    return invalid_request("max_output_tokens must be an integer of at least 1",
                           "/max_output_tokens");
  }
  return {};
}

Result<void> read_user(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(request.user_id, reader.optional_string("safety_identifier"));
  if (!request.user_id.empty()) return {};  // `user` stays an extension
  LLMPROXY_ASSIGN(request.user_id, reader.optional_string("user"));
  return {};
}

template <std::size_t N>
bool has(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool says_nothing(const Extension& extension) {
  if (has(kNeutral, extension.name)) return true;
  const std::string value = json::without_whitespace(extension.value.text());
  return std::any_of(kDefaults.begin(), kDefaults.end(),
                     [&](const Default& row) {
                       return row.name == extension.name && row.json == value;
                     });
}

}  // namespace

Result<void> read_tool(const Value& value, const std::string& path,
                       ChatRequest& request) {
  if (value["type"].string() == "namespace") {
    return read_namespace(value, path, request);
  }
  LLMPROXY_ASSIGN(ToolDefinition tool, read_one_tool(value, path));
  request.tools.push_back(std::move(tool));
  return {};
}

Result<ChatRequest> decode_request(const Value& body, const RequestHead&) {
  ObjectReader reader(body, "");
  ChatRequest request;
  request.dialect = std::string(kName);
  request.include_usage = true;
  LLMPROXY_ASSIGN(request.model, reader.required_string("model"));
  LLMPROXY_ASSIGN(const auto stream, reader.optional_bool("stream"));
  request.stream = stream.value_or(false);
  if (body["background"].is_true()) {
    return unsupported("answers in the background need OpenAI's own server",
                       "/background");
  }
  LLMPROXY_TRY(read_instructions(reader, request));
  LLMPROXY_TRY(read_tools(reader, request));
  LLMPROXY_TRY(read_input(reader, request));
  if (request.messages.empty()) {
    return invalid_request("input must hold something to answer", "/input");
  }
  LLMPROXY_TRY(read_limits(reader, request));
  LLMPROXY_TRY(json::read_fields<ChatRequest>(kScalars, reader, request));
  LLMPROXY_TRY(read_tool_choice(reader, request));
  LLMPROXY_ASSIGN(request.parallel_tool_calls,
                  reader.optional_bool("parallel_tool_calls"));
  LLMPROXY_TRY(read_text(reader, request));
  LLMPROXY_TRY(read_reasoning(reader, request));
  LLMPROXY_TRY(read_user(reader, request));
  LLMPROXY_ASSIGN(request.service_tier, reader.optional_string("service_tier"));
  for (Extension& extension : reader.rest()) {
    if (says_nothing(extension)) continue;
    extension.essential = has(kEssential, extension.name);
    request.extensions.push_back(std::move(extension));
  }
  return request;
}

}  // namespace llmproxy::openai_responses
