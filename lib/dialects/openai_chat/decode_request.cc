// OpenAI Chat Completions: a client's request to the canonical one.
#include <fmt/format.h>

#include "chat/read_parts.h"
#include "chat/request_reader.h"
#include "dialects/openai_chat/messages.h"
#include "dialects/openai_family/request.h"

namespace llmproxy::openai_chat {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

class RequestReader : RequestReaderBase {
 public:
  using RequestReaderBase::RequestReaderBase;

  Result<void> read() {
    LLMPROXY_TRY(read_model());
    LLMPROXY_TRY(read_messages(reader_, request_));
    LLMPROXY_TRY(read_stream());
    LLMPROXY_TRY(read_limits());
    LLMPROXY_TRY(read_sampling(kScalars));
    LLMPROXY_TRY(read_stop_sequences());
    LLMPROXY_TRY(read_tools());
    LLMPROXY_TRY(read_tool_choice());
    LLMPROXY_TRY(read_format());
    LLMPROXY_TRY(read_thinking());
    LLMPROXY_TRY(read_identity());
    read_extensions();
    return {};
  }

 private:
  Result<void> read_limits() {
    // Both given: the newer field counts.
    for (const std::string_view name :
         {"max_tokens", "max_completion_tokens"}) {
      LLMPROXY_ASSIGN(const auto limit, reader_.optional_at_least(name, 1));
      if (limit) request_.max_output_tokens = limit;
    }
    const Value n = reader_.take("n");
    if (n.absent() || n.integer() == 1) return {};
    return unsupported(
        "n must be 1: other APIs give one answer per request; send the "
        "request several times instead",
        "/n");
  }

  Result<void> read_stop_sequences() {
    const Value stop = reader_.take("stop");
    if (stop.is_string()) {
      request_.stop_sequences.emplace_back(stop.string());
      return {};
    }
    return json::read_strings(stop,
                              "stop must be a string or an array of strings",
                              "/stop", request_.stop_sequences);
  }

  Result<void> read_tools() {
    LLMPROXY_ASSIGN(const Value tools, reader_.optional("tools", Type::array));
    LLMPROXY_TRY(json::read_into(request_.tools, tools, "/tools", read_tool));
    LLMPROXY_ASSIGN(const Value functions,
                    reader_.optional("functions", Type::array));
    request_.legacy_functions = functions.size() > 0;
    LLMPROXY_TRY(json::read_into(request_.tools, functions, "/functions",
                                 read_legacy_function));
    // Web search here is an option, elsewhere a hosted tool.
    LLMPROXY_ASSIGN(const Value search,
                    reader_.optional("web_search_options", Type::object));
    if (search) {
      request_.tools.push_back(
          hosted_tool("web_search_options", "web_search", search));
      request_.tools.back().source.text = "/web_search_options";
    }
    return {};
  }

  static Result<ToolDefinition> read_tool(const Value& value,
                                          const std::string& path) {
    if (!value.is_object()) {
      return invalid_request("a tool must be an object", path);
    }
    ObjectReader outer(value, path);
    LLMPROXY_ASSIGN(const std::string type, outer.required_string("type"));
    const bool custom = type == "custom";
    if (!custom && type != "function") {
      return hosted_tool(type, value["name"].string(), value);
    }
    LLMPROXY_ASSIGN(const Value body, outer.required(type, Type::object));
    ObjectReader reader(body, outer.path_of(type));
    ToolDefinition tool;
    if (custom) {
      LLMPROXY_TRY(openai_family::read_custom(reader, tool));
      tool.schema = reader.take("format").raw_json();
    } else {
      LLMPROXY_TRY(openai_family::read_function(reader, tool));
      tool.cache = read_cache(outer);
    }
    // Unknown fields beside it keep their names; those inside are marked.
    json::keep_rest(reader, kInner, tool.extensions);
    json::keep_rest(outer, "", tool.extensions);
    return tool;
  }

  static Result<ToolDefinition> read_legacy_function(const Value& value,
                                                     const std::string& path) {
    ObjectReader reader(value, path);
    ToolDefinition tool;
    LLMPROXY_TRY(openai_family::read_function(reader, tool));
    tool.extensions = reader.rest();
    tool.source.text = path;
    return tool;
  }

  Result<void> read_tool_choice() {
    for (const std::string_view name : {"tool_choice", "function_call"}) {
      const Value value = reader_.take(name);
      if (value.absent() || request_.tool_choice) continue;
      LLMPROXY_ASSIGN(request_.tool_choice,
                      tool_choice_of(value, reader_.path_of(name)));
    }
    LLMPROXY_ASSIGN(request_.parallel_tool_calls,
                    reader_.optional_bool("parallel_tool_calls"));
    return {};
  }

  static Result<ToolChoice> tool_choice_of(const Value& value,
                                           const std::string& path) {
    ToolChoice choice;
    const Value allowed = value["allowed_tools"];
    for (const Value tool : allowed["tools"].children()) {
      choice.allowed.push_back(named_tool(tool));
    }
    const Value word = allowed.is_object() ? allowed["mode"]
                       : value.is_string() ? value
                                           : value["type"];
    const auto mode = from_wire(kToolChoices, word.string());
    if (mode || allowed.is_object()) {
      choice.mode = mode.value_or(ToolChoiceMode::automatic);
      return choice;
    }
    choice.mode = ToolChoiceMode::named;
    choice.name = named_tool(value);
    if (!choice.name.empty()) return choice;
    return invalid_request(
        fmt::format("expected {}, or an object naming a function",
                    spellings(kToolChoices)),
        path);
  }

  /// The name in {"type":"function","function":{"name"}} or its custom twin.
  static std::string named_tool(const Value& value) {
    const Value body = value["custom"] ? value["custom"] : value["function"];
    const Value name = body ? body["name"] : value["name"];
    return std::string(name.string());
  }

  Result<void> read_format() {
    LLMPROXY_ASSIGN(const Value value,
                    reader_.optional("response_format", Type::object));
    if (!value) return {};
    ResponseFormat format;
    LLMPROXY_ASSIGN(
        format.kind,
        json::read_word(kFormats, value["type"].string(),
                        "response_format.type", "/response_format/type"));
    if (format.kind == FormatKind::json_schema) {
      const std::string path = "/response_format/json_schema";
      const Value schema = value["json_schema"];
      if (!schema.is_object()) {
        return invalid_request("response_format.json_schema is required", path);
      }
      ObjectReader inner(schema, path);
      LLMPROXY_TRY(openai_family::read_schema_names(inner, format));
      LLMPROXY_ASSIGN(const Value own, inner.optional("schema", Type::object));
      format.schema = own.raw_json();
    }
    request_.response_format = std::move(format);
    return {};
  }

  Result<void> read_thinking() {
    return read_effort(reader_, "reasoning_effort", kEfforts,
                       "reasoning_effort", request_.reasoning);
  }

  Result<void> read_identity() {
    return openai_family::read_identity(reader_, request_);
  }

  Result<void> read_stream() {
    LLMPROXY_ASSIGN(request_.stream, reader_.optional_flag("stream"));
    LLMPROXY_ASSIGN(const Value options,
                    reader_.optional("stream_options", Type::object));
    request_.include_usage = options["include_usage"].is_true();
    return {};
  }

  void read_extensions() {
    for (Extension& extension : reader_.rest()) {
      if (openai_family::is_default(kDefaults, extension)) continue;
      request_.extensions.push_back(std::move(extension));
    }
  }
};

}  // namespace

Result<ChatRequest> decode_request(const Value& body, const RequestHead&) {
  ObjectReader reader(body, "");
  ChatRequest request;
  request.dialect = kName;
  LLMPROXY_TRY(RequestReader(reader, request).read());
  return request;
}

}  // namespace llmproxy::openai_chat
