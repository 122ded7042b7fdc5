// Anthropic Messages: a client's request to the canonical one.
#include "chat/read_parts.h"
#include "chat/request_reader.h"
#include "chat/thinking_budget.h"
#include "chat/tier_words.h"
#include "dialects/claude/messages.h"

namespace llmproxy::claude {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

/// Thinking of newer models for which no other dialect has a word.
constexpr std::string_view kBetweenTools = "between_tools";

class RequestReader : RequestReaderBase {
 public:
  using RequestReaderBase::RequestReaderBase;

  /// What every host of the body has alike.
  Result<void> read_body() {
    LLMPROXY_TRY(read_limits());
    LLMPROXY_TRY(read_stop_sequences());
    LLMPROXY_TRY(read_sampling(kScalars));
    LLMPROXY_TRY(read_system(reader_, request_));
    LLMPROXY_TRY(read_messages(reader_, request_));
    LLMPROXY_TRY(read_tools());
    LLMPROXY_TRY(read_tool_choice());
    LLMPROXY_TRY(read_thinking());
    LLMPROXY_TRY(read_output_config());
    LLMPROXY_TRY(read_identity());
    request_.include_usage = true;
    read_extensions();
    return {};
  }

  /// The whole, at Anthropic itself.
  Result<void> read() {
    LLMPROXY_TRY(read_model());
    LLMPROXY_TRY(read_stream());
    return read_body();
  }

 private:
  Result<void> read_limits() {
    LLMPROXY_ASSIGN(const Value limit,
                    reader_.required("max_tokens", Type::number));
    LLMPROXY_ASSIGN(request_.max_output_tokens,
                    json::read_at_least(limit, 0, "max_tokens", "/max_tokens"));
    return {};
  }

  Result<void> read_stop_sequences() {
    LLMPROXY_ASSIGN(const Value stops,
                    reader_.optional("stop_sequences", Type::array));
    return json::read_strings(stops,
                              "stop_sequences must be an array of strings",
                              "/stop_sequences", request_.stop_sequences);
  }

  Result<void> read_tools() {
    LLMPROXY_ASSIGN(const Value tools, reader_.optional("tools", Type::array));
    return json::read_into(request_.tools, tools, "/tools", read_tool);
  }

  static Result<ToolDefinition> read_tool(const Value& value,
                                          const std::string& path) {
    if (!value.is_object()) {
      return invalid_request("a tool must be an object", path);
    }
    ObjectReader reader(value, path);
    LLMPROXY_ASSIGN(const std::string type, reader.optional_string("type"));
    ToolDefinition tool;
    if (!type.empty() && type != "custom") {
      tool = hosted_tool(type, value["name"].string(), value);
    }
    tool.source.text = path;
    if (tool.kind == ToolKind::hosted) return tool;
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

  Result<void> read_tool_choice() {
    LLMPROXY_ASSIGN(const Value value,
                    reader_.optional("tool_choice", Type::object));
    if (!value) return {};
    ToolChoice choice;
    LLMPROXY_ASSIGN(choice.mode,
                    json::read_word(kToolChoices, value["type"].string(),
                                    "tool_choice.type", "/tool_choice/type"));
    choice.name = value["name"].string();
    if (choice.mode == ToolChoiceMode::named && choice.name.empty()) {
      return invalid_request("tool_choice of type tool needs a name",
                             "/tool_choice/name");
    }
    request_.tool_choice = std::move(choice);
    if (const auto one = value["disable_parallel_tool_use"].boolean()) {
      request_.parallel_tool_calls = !*one;
    }
    return {};
  }

  Result<void> read_output_config() {
    LLMPROXY_ASSIGN(const Value value,
                    reader_.optional("output_config", Type::object));
    // The deprecated spelling of output_config.format.
    LLMPROXY_ASSIGN(const Value old_format,
                    reader_.optional("output_format", Type::object));
    LLMPROXY_TRY(read_format(old_format, "/output_format"));
    if (!value) return {};
    ObjectReader config(value, "/output_config");
    LLMPROXY_TRY(read_effort(config, "effort", kEfforts, "output_config.effort",
                             request_.reasoning));
    LLMPROXY_TRY(read_format(config.take("format"), config.path_of("format")));
    json::keep_rest(config, kOutputConfig, request_.extensions);
    return {};
  }

  Result<void> read_format(const Value& format, std::string path) {
    if (!format.is_object()) return {};
    if (format["type"].string() != "json_schema" ||
        !format["schema"].is_object()) {
      return invalid_request(
          "the format must be {\"type\":\"json_schema\",\"schema\":{...}}",
          std::move(path));
    }
    request_.response_format.emplace();
    request_.response_format->kind = FormatKind::json_schema;
    request_.response_format->schema = format["schema"].raw_json();
    return {};
  }

  Result<void> read_thinking() {
    LLMPROXY_ASSIGN(const Value thinking,
                    reader_.optional("thinking", Type::object));
    if (!thinking) return {};
    Reasoning& reasoning = request_.reasoning;
    const std::string_view type = thinking["type"].string();
    if (type == kBetweenTools) {
      request_.extensions.push_back({"thinking", thinking.raw_json()});
      return {};
    }
    LLMPROXY_ASSIGN(reasoning.mode,
                    json::read_word(kThinkingTypes, type, "thinking.type",
                                    "/thinking/type"));
    reasoning.display = thinking["display"].string();
    const Value budget = thinking["budget_tokens"];
    if (!budget) return {};
    LLMPROXY_ASSIGN(reasoning.budget_tokens,
                    json::read_at_least(budget, kMinThinkingBudget,
                                        "thinking.budget_tokens",
                                        "/thinking/budget_tokens"));
    return {};
  }

  Result<void> read_identity() {
    LLMPROXY_ASSIGN(const Value metadata,
                    reader_.optional("metadata", Type::object));
    request_.user_id = metadata["user_id"].string();
    LLMPROXY_ASSIGN(const std::string tier,
                    reader_.optional_string("service_tier"));
    request_.service_tier = canonical_tier(kTierWords, tier);
    return {};
  }

  Result<void> read_stream() {
    LLMPROXY_ASSIGN(request_.stream, reader_.optional_flag("stream"));
    return {};
  }

  void read_extensions() {
    for (Extension& extension : reader_.rest()) {
      // A conversation kept at Anthropic: without it most turns are missing.
      extension.essential = extension.name == "thread";
      request_.extensions.push_back(std::move(extension));
    }
  }
};

}  // namespace

Result<void> read_body(ObjectReader& reader, ChatRequest& request) {
  return RequestReader(reader, request).read_body();
}

Result<ChatRequest> decode_request(const Value& body, const RequestHead&) {
  ObjectReader reader(body, "");
  ChatRequest request;
  request.dialect = kName;
  LLMPROXY_TRY(RequestReader(reader, request).read());
  return request;
}

}  // namespace llmproxy::claude
