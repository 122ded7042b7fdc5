// OpenAI Responses: a client's request to the canonical one.
#include <fmt/format.h>

#include "base/text.h"
#include "chat/read_parts.h"
#include "dialects/openai_family/request.h"
#include "dialects/openai_responses/messages.h"

namespace llmproxy::openai_responses {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

/// The grammar as Chat Completions has it, which is the canonical form.
RawJson nested_format(const Value& format) {
  if (format["type"].string() == "text") return {};  // says nothing
  if (format["type"].string() != "grammar") return format.raw_json();
  std::string out;
  json::Writer w(out);
  w.begin_typed("grammar");
  w.begin_object("grammar");
  for (const Value member : format.children()) {
    if (member.key() != "type") w.member_raw(member.key(), member.raw());
  }
  w.end_object();
  w.end_object();
  return json::Trusted::json(std::move(out));
}

Result<void> read_namespace(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const std::string name, reader.required_string("name"));
  LLMPROXY_ASSIGN(const Value tools, reader.required("tools", Type::array));
  const std::size_t first = request.tools.size();
  LLMPROXY_TRY(json::read_each(tools, reader.path_of("tools"),
                               [&](Value inner, const std::string& place) {
                                 return read_tool(inner, place, request, name);
                               }));
  if (tools.size() == 0) return {};
  json::keep_rest(reader, kNamespacePrefix, request.tools[first].extensions);
  return {};
}

class RequestReader {
 public:
  explicit RequestReader(const Value& body) : reader_(body, "") {}

  Result<ChatRequest> read() {
    request_.dialect = kName;
    LLMPROXY_TRY(read_model());
    LLMPROXY_TRY(read_stream());
    LLMPROXY_TRY(read_system(reader_, request_));
    LLMPROXY_TRY(read_tools());
    LLMPROXY_TRY(read_messages(reader_, request_));
    if (request_.messages.empty()) {
      return invalid_request("input must hold something to answer", "/input");
    }
    LLMPROXY_TRY(read_limits());
    LLMPROXY_TRY(read_sampling());
    LLMPROXY_TRY(read_tool_choice());
    LLMPROXY_TRY(read_text());
    LLMPROXY_TRY(read_thinking());
    LLMPROXY_TRY(read_identity());
    read_extensions();
    return std::move(request_);
  }

 private:
  Result<void> read_model() {
    LLMPROXY_ASSIGN(request_.model, reader_.required_string("model"));
    return {};
  }

  Result<void> read_limits() {
    LLMPROXY_ASSIGN(request_.max_output_tokens,
                    reader_.optional_at_least("max_output_tokens", 1));
    return {};
  }

  Result<void> read_sampling() {
    return json::read_fields<ChatRequest>(kScalars, reader_, request_);
  }

  Result<void> read_tools() {
    LLMPROXY_ASSIGN(const Value tools, reader_.optional("tools", Type::array));
    return json::read_each(tools, "/tools",
                           [&](Value tool, const std::string& path) {
                             return read_tool(tool, path, request_);
                           });
  }

  Result<void> read_tool_choice() {
    const Value value = reader_.take("tool_choice");
    if (!value.absent()) {
      LLMPROXY_ASSIGN(request_.tool_choice, tool_choice_of(value));
    }
    LLMPROXY_ASSIGN(request_.parallel_tool_calls,
                    reader_.optional_bool("parallel_tool_calls"));
    return {};
  }

  static Result<ToolChoice> tool_choice_of(const Value& value) {
    ToolChoice choice;
    const std::string_view type = value["type"].string();
    if (value.is_string() || type == "allowed_tools") {
      const auto mode =
          from_wire(kToolChoices, value.is_string() ? value.string()
                                                    : value["mode"].string());
      if (!mode) {
        return invalid_request(
            fmt::format("tool_choice must be {} or an object",
                        spellings(kToolChoices)),
            "/tool_choice");
      }
      choice.mode = *mode;
      if (*mode == ToolChoiceMode::none) return choice;  // whatever is listed
      for (const Value tool : value["tools"].children()) {
        choice.allowed.push_back(named_tool(tool));
      }
      return choice;
    }
    if (type != "function" && type != "custom") {
      return unsupported(
          fmt::format("the tool {} runs at OpenAI and cannot be forced on "
                      "another provider",
                      type),
          "/tool_choice");
    }
    choice.mode = ToolChoiceMode::named;
    choice.name = named_tool(value);
    if (!choice.name.empty()) return choice;
    return invalid_request("tool_choice.name is required", "/tool_choice/name");
  }

  static std::string named_tool(const Value& value) {
    return full_tool_name(value["namespace"].string(), value["name"].string());
  }

  Result<void> read_text() {
    LLMPROXY_ASSIGN(const Value text, reader_.optional("text", Type::object));
    if (!text) return {};
    ObjectReader reader(text, "/text");
    LLMPROXY_ASSIGN(const Value format,
                    reader.optional("format", Type::object));
    // The default of every model.
    if (text["verbosity"].string() == "medium") reader.take("verbosity");
    json::keep_rest(reader, kTextPrefix, request_.extensions);
    return format ? read_format(format) : Result<void>();
  }

  Result<void> read_format(const Value& value) {
    ObjectReader inner(value, "/text/format");
    LLMPROXY_ASSIGN(const std::string type, inner.required_string("type"));
    ResponseFormat format;
    LLMPROXY_ASSIGN(format.kind,
                    json::read_word(kFormats, type, "text.format.type",
                                    "/text/format/type"));
    if (format.kind == FormatKind::json_schema) {
      LLMPROXY_TRY(openai_family::read_schema_names(inner, format));
      LLMPROXY_ASSIGN(const Value schema,
                      inner.required("schema", Type::object));
      format.schema = schema.raw_json();
    }
    request_.response_format = std::move(format);
    return {};
  }

  Result<void> read_thinking() {
    LLMPROXY_ASSIGN(const Value value,
                    reader_.optional("reasoning", Type::object));
    if (!value) return {};
    ObjectReader reader(value, "/reasoning");
    LLMPROXY_TRY(read_effort(reader, "effort", kEfforts, "reasoning.effort",
                             request_.reasoning));
    const std::string_view summary = value["summary"].string();
    const bool length = listed(kSummaryLengths, summary);
    if (!summary.empty()) {
      request_.reasoning.display = length ? summary : "summarized";
    }
    if (length || summary == kSummary) reader.take("summary");
    json::keep_rest(reader, kReasoningPrefix, request_.extensions);
    return {};
  }

  Result<void> read_identity() {
    return openai_family::read_identity(reader_, request_);
  }

  Result<void> read_stream() {
    LLMPROXY_ASSIGN(request_.stream, reader_.optional_flag("stream"));
    request_.include_usage = true;
    if (!reader_.object()["background"].is_true()) return {};
    return unsupported("answers in the background need OpenAI's own server",
                       "/background");
  }

  void read_extensions() {
    for (Extension& extension : reader_.rest()) {
      if (listed(kNeutral, extension.name) ||
          openai_family::is_default(kDefaults, extension)) {
        continue;
      }
      extension.essential = listed(kEssential, extension.name);
      request_.extensions.push_back(std::move(extension));
    }
  }

  ObjectReader reader_;
  ChatRequest request_;
};

}  // namespace

Result<void> read_tool(const Value& value, const std::string& path,
                       ChatRequest& request, std::string_view name_space) {
  if (!value.is_object()) {
    return invalid_request("a tool must be an object", path);
  }
  ObjectReader reader(value, path);
  LLMPROXY_ASSIGN(const std::string type, reader.required_string("type"));
  if (type == "namespace" && name_space.empty()) {
    return read_namespace(reader, request);
  }
  ToolDefinition tool;
  if (type == "function") {
    LLMPROXY_TRY(openai_family::read_function(reader, tool));
  } else if (type == "custom") {
    LLMPROXY_TRY(openai_family::read_custom(reader, tool));
    tool.schema = nested_format(reader.take("format"));
  } else {
    tool = hosted_tool(type, value["name"].string(), value);
  }
  if (tool.kind != ToolKind::hosted) {
    tool.cache = read_cache(reader);
    tool.extensions = reader.rest();
  }
  tool.source.text = path;
  tool.name_space = name_space;
  tool.name = full_tool_name(name_space, tool.name);
  request.tools.push_back(std::move(tool));
  return {};
}

Result<ChatRequest> decode_request(const Value& body, const RequestHead&) {
  return RequestReader(body).read();
}

}  // namespace llmproxy::openai_responses
