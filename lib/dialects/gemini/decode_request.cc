// Gemini generateContent: a client's request to the canonical one.
#include <fmt/format.h>

#include "dialects/gemini/messages.h"
#include "json/text.h"

namespace llmproxy::gemini {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

Result<ToolDefinition> read_function(const Value& value,
                                     const std::string& path) {
  if (!value.is_object()) {
    return invalid_request("a function declaration must be an object", path);
  }
  ObjectReader reader(value, path);
  ToolDefinition tool;
  tool.source.text = path;
  LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
  LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
  LLMPROXY_ASSIGN(const Value own, reader.optional("parameters", Type::object));
  const Value schema = take(reader, "parametersJsonSchema");
  if (schema.is_object()) {
    tool.schema = schema.raw_json();
  } else if (own) {
    tool.schema = json_schema_of(own);
  }
  tool.extensions = reader.rest();
  return tool;
}

/// A member, alone in an object.
RawJson object_of(const Value& member) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.member_raw(member.key(), member.raw());
  w.end_object();
  return json::Trusted::json(std::move(out));
}

/// Google takes one thing for a list of one, here as in `tools`.
Result<void> read_functions(const Value& functions, const std::string& path,
                            ChatRequest& request) {
  if (functions.is_object()) {
    LLMPROXY_ASSIGN(ToolDefinition tool, read_function(functions, path));
    request.tools.push_back(std::move(tool));
    return {};
  }
  if (!functions.absent() && !functions.is_array()) {
    return invalid_request(fmt::format("functionDeclarations must be an array, "
                                       "not {}",
                                       to_string(functions.type())),
                           path);
  }
  std::size_t index = 0;
  for (const Value function : functions.children()) {
    LLMPROXY_ASSIGN(ToolDefinition tool,
                    read_function(function, json::pointer(path, index++)));
    request.tools.push_back(std::move(tool));
  }
  return {};
}

Result<void> read_tool(const Value& value, const std::string& path,
                       ChatRequest& request) {
  if (!value.is_object()) {
    return invalid_request("a tool must be an object", path);
  }
  for (const Value member : value.children()) {
    const std::string_view name = member.key();
    const std::string place = json::pointer(path, name);
    if (name == "functionDeclarations" || name == "function_declarations") {
      LLMPROXY_TRY(read_functions(member, place, request));
    } else if (!member.is_null()) {
      ToolDefinition tool;
      tool.kind = ToolKind::hosted;
      tool.hosted_type = name;
      tool.source.text = place;
      tool.schema = object_of(member);
      request.tools.push_back(std::move(tool));
    }
  }
  return {};
}

Result<void> read_tools(ObjectReader& reader, ChatRequest& request) {
  const Value tools = reader.take("tools");
  if (tools.absent()) return {};
  if (tools.is_object()) return read_tool(tools, "/tools", request);
  if (!tools.is_array()) {
    return invalid_request("tools must be an array", "/tools");
  }
  std::size_t index = 0;
  for (const Value tool : tools.children()) {
    LLMPROXY_TRY(read_tool(tool, json::pointer("/tools", index++), request));
  }
  return {};
}

Result<void> read_tool_config(ObjectReader& outer, ChatRequest& request) {
  const Value config = take(outer, "toolConfig");
  if (!config.is_object()) return {};
  // As the client spells it: either way is taken.
  ObjectReader reader(config, outer.path_of(config.key()));
  const Value calling = take(reader, "functionCallingConfig");
  for (Extension& extension : reader.rest()) {
    extension.name = "toolConfig/" + extension.name;
    request.extensions.push_back(std::move(extension));
  }
  if (!calling.is_object()) return {};
  const std::string mode = lower(calling["mode"].string());
  ToolChoice choice;
  for (const Value name : get(calling, "allowedFunctionNames").children()) {
    choice.allowed.emplace_back(name.string());
  }
  if (mode == "any" && choice.allowed.size() == 1) {
    choice.mode = ToolChoiceMode::named;
    choice.name = std::move(choice.allowed.front());
    choice.allowed.clear();
  } else if (mode == "any") {
    choice.mode = ToolChoiceMode::required;
  } else if (mode == "none") {
    choice.mode = ToolChoiceMode::none;
  } else if (!mode.empty() && mode != "auto" && mode != "validated" &&
             mode != "mode_unspecified") {
    return invalid_request("mode must be AUTO, ANY, NONE or VALIDATED",
                           reader.path_of(calling.key()) + "/mode");
  }
  if (mode == "validated") {
    request.extensions.push_back({"toolConfig/functionCallingConfig/mode",
                                  json::Trusted::json(R"("VALIDATED")")});
  }
  request.tool_choice = std::move(choice);
  return {};
}

struct RealRow {
  std::string_view name;
  std::optional<double> ChatRequest::*member;
  double min;
  double max;
};
constexpr RealRow kReals[] = {
    {"temperature", &ChatRequest::temperature, 0, 2},
    {"topP", &ChatRequest::top_p, 0, 1},
    {"presencePenalty", &ChatRequest::presence_penalty, -2, 2},
    {"frequencyPenalty", &ChatRequest::frequency_penalty, -2, 2},
};
struct IntegerRow {
  std::string_view name;
  std::optional<std::int64_t> ChatRequest::*member;
  std::int64_t min;
  std::int64_t max;
};
constexpr IntegerRow kIntegers[] = {
    {"topK", &ChatRequest::top_k, 0, INT32_MAX},
    {"maxOutputTokens", &ChatRequest::max_output_tokens, 1, INT32_MAX},
    {"seed", &ChatRequest::seed, INT64_MIN, INT64_MAX},
};

Result<void> read_numbers(ObjectReader& reader, ChatRequest& request) {
  for (const RealRow& row : kReals) {
    const Value value = take(reader, row.name);
    if (value.absent()) continue;
    request.*row.member = value.number();
    const auto& number = request.*row.member;
    if (!number || *number < row.min || *number > row.max) {
      return invalid_request(fmt::format("{} must be between {} and {}",
                                         row.name, row.min, row.max),
                             reader.path_of(value.key()));
    }
  }
  for (const IntegerRow& row : kIntegers) {
    const Value value = take(reader, row.name);
    if (value.absent()) continue;
    request.*row.member = value.integer();
    const auto& number = request.*row.member;
    if (!number || *number < row.min || *number > row.max) {
      return invalid_request(fmt::format("{} must be an integer{}", row.name,
                                         row.min > 0 ? " of at least 1" : ""),
                             reader.path_of(value.key()));
    }
  }
  return {};
}

Result<void> read_format(ObjectReader& reader, ChatRequest& request) {
  const std::string_view type = take(reader, "responseMimeType").string();
  const Value own = take(reader, "responseSchema");
  const Value schema = take(reader, "responseJsonSchema");
  for (const Value given : {own, schema}) {
    if (given.absent() || given.is_object()) continue;
    return invalid_request(fmt::format("{} must be an object, not {}",
                                       given.key(), to_string(given.type())),
                           reader.path_of(given.key()));
  }
  if (type.empty() || type == "text/plain") return {};
  if (type != kJson) {
    return unsupported(fmt::format("answers of type {} are Google's own", type),
                       reader.path_of("responseMimeType"));
  }
  ResponseFormat format;
  format.kind = FormatKind::json_object;
  if (schema.is_object()) {
    format.kind = FormatKind::json_schema;
    format.schema = schema.raw_json();
    format.source.text = reader.path_of(schema.key());
  } else if (own.is_object()) {
    format.kind = FormatKind::json_schema;
    format.schema = json_schema_of(own);
    format.source.text = reader.path_of(own.key());
  }
  request.response_format = std::move(format);
  return {};
}

Result<void> read_thinking(ObjectReader& outer, ChatRequest& request) {
  const Value value = take(outer, "thinkingConfig");
  if (!value.is_object()) return {};
  Reasoning& reasoning = request.reasoning;
  const std::string path = outer.path_of(value.key());
  if (get(value, "includeThoughts").is_true()) reasoning.display = "summarized";
  const Value level = get(value, "thinkingLevel");
  if (level.is_string()) {
    reasoning.effort = from_wire(kLevels, lower(level.string()));
    if (!reasoning.effort) {
      return invalid_request(
          fmt::format("thinkingLevel must be {}", spellings(kLevels)),
          json::pointer(path, level.key()));
    }
  }
  const Value budget = get(value, "thinkingBudget");
  if (budget.absent()) return {};
  const auto tokens = budget.integer();
  if (!tokens || *tokens < -1) {
    return invalid_request("thinkingBudget must be an integer of at least -1",
                           json::pointer(path, budget.key()));
  }
  if (*tokens == 0) {
    reasoning.mode = ReasoningMode::off;
  } else if (*tokens < 0) {
    reasoning.mode = ReasoningMode::adaptive;
  } else {
    reasoning.mode = ReasoningMode::budget;
    reasoning.budget_tokens = tokens;
  }
  return {};
}

Result<void> read_config(ObjectReader& outer, ChatRequest& request) {
  const Value value = take(outer, "generationConfig");
  if (value.absent()) return {};
  const std::string path = json::pointer("", value.key());
  if (!value.is_object()) {
    return invalid_request("generationConfig must be an object", path);
  }
  ObjectReader reader(value, path);
  LLMPROXY_TRY(read_numbers(reader, request));
  const Value count = take(reader, "candidateCount");
  if (!count.absent() && count.integer() != 1) {
    return unsupported(
        "candidateCount must be 1: other APIs give one answer per request",
        reader.path_of(count.key()));
  }
  const Value stops = take(reader, "stopSequences");
  if (!stops.absent() && !stops.is_array()) {
    return invalid_request("stopSequences must be an array",
                           reader.path_of(stops.key()));
  }
  for (const Value stop : stops.children()) {
    if (!stop.is_string()) {
      return invalid_request("stopSequences must hold strings",
                             reader.path_of(stops.key()));
    }
    request.stop_sequences.emplace_back(stop.string());
  }
  LLMPROXY_TRY(read_format(reader, request));
  LLMPROXY_TRY(read_thinking(reader, request));
  for (Extension& extension : reader.rest()) {
    // Text is what everybody answers with.
    if (extension.name == "responseModalities" &&
        json::without_whitespace(extension.value.text()) == R"(["TEXT"])") {
      continue;
    }
    extension.name = fmt::format("{}/{}", path.substr(1), extension.name);
    request.extensions.push_back(std::move(extension));
  }
  return {};
}

void read_tier(ObjectReader& reader, ChatRequest& request) {
  const std::string tier = lower(take(reader, "serviceTier").string());
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
  constexpr std::string_view kPrefix = "models/";
  if (request.model.starts_with(kPrefix)) {
    request.model.erase(0, kPrefix.size());
  }
  request.stream = head.stream;
  request.include_usage = true;
  reader.take("model");  // tolerated by the API; the path counts
  LLMPROXY_TRY(read_system(reader, request));
  LLMPROXY_TRY(read_messages(reader, request));
  LLMPROXY_TRY(read_tools(reader, request));
  LLMPROXY_TRY(read_tool_config(reader, request));
  LLMPROXY_TRY(read_config(reader, request));
  read_tier(reader, request);
  reader.take("store");  // how Google keeps the answer; no loss
  for (Extension& extension : reader.rest()) {
    extension.essential =
        extension.name == "cachedContent" || extension.name == "cached_content";
    request.extensions.push_back(std::move(extension));
  }
  return request;
}

}  // namespace llmproxy::gemini
