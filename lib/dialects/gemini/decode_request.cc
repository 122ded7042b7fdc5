// Gemini generateContent: a client's request to the canonical one.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>
#include <string>

#include "base/text.h"
#include "chat/read_parts.h"
#include "chat/tier_words.h"
#include "dialects/gemini/messages.h"
#include "json/text.h"

namespace llmproxy::gemini {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

/// A number that a row does not take.
Error misfit(const Scalar& row, const std::string& path) {
  using Real = std::optional<double> ChatRequest::*;
  if (std::holds_alternative<Real>(row.member)) {
    return json::out_of_range(row, path);
  }
  return invalid_request(fmt::format("{} must be an integer{}", row.name,
                                     row.min > 0 ? " of at least 1" : ""),
                         path);
}

constexpr std::string_view kFunctions = "functionDeclarations";

/// In lower case; any is taken.
constexpr auto kModes = enum_table<ToolChoiceMode>({
    {ToolChoiceMode::automatic, ""},
    {ToolChoiceMode::automatic, "mode_unspecified"},
    {ToolChoiceMode::automatic, "auto"},
    {ToolChoiceMode::automatic, "validated"},
    {ToolChoiceMode::required, "any"},
    {ToolChoiceMode::none, "none"},
});

/// "THINKING_LEVEL_UNSPECIFIED", "unspecified": the zero value of an enum of
/// Google's, which says nothing (proto3 JSON mapping).
bool is_unspecified(std::string_view word) {
  const std::string text = lower(word);
  return text == "unspecified" || text.ends_with("_unspecified");
}

/// Flags that are off where nothing is said; others may be on by themselves.
constexpr std::string_view kOffAnyway[] = {"responseLogprobs", "audioTimestamp",
                                           "enableEnhancedCivicAnswers"};

/// What leaving it out means.
bool is_zero_value(const Extension& extension) {
  const std::string_view value = extension.value.text();
  std::string_view name = extension.name;
  name.remove_prefix(name.rfind('/') + 1);
  if (value == "false") {
    return std::any_of(
        std::begin(kOffAnyway), std::end(kOffAnyway),
        [&](std::string_view off) { return is_named(name, off); });
  }
  return value.size() > 2 && value.starts_with('"') &&
         is_unspecified(value.substr(1, value.size() - 2));
}

/// JSON Schema as it is, or a schema in Google's own form.
RawJson read_schema(const Value& schema, const Value& own) {
  if (schema.is_object()) return schema.raw_json();
  return own.is_object() ? json_schema_of(own) : RawJson();
}

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
    LLMPROXY_TRY(read_tools());
    LLMPROXY_TRY(read_tool_config());
    LLMPROXY_TRY(read_generation_config());
    read_identity();
    read_extensions();
    return std::move(request_);
  }

 private:
  void read_model() {
    constexpr std::string_view kPrefix = "models/";
    std::string_view model = head_.model;
    if (model.starts_with(kPrefix)) model.remove_prefix(kPrefix.size());
    request_.model = model;
    reader_.take("model");  // tolerated by the API; the path counts
  }

  Result<void> read_generation_config() {
    const Value value = take(reader_, "generationConfig");
    if (value.absent()) return {};
    const std::string path = reader_.path_of(value.key());
    if (!value.is_object()) {
      return invalid_request("generationConfig must be an object", path);
    }
    ObjectReader config(value, path);
    LLMPROXY_TRY(read_sampling(config));
    LLMPROXY_TRY(read_limits(config));
    LLMPROXY_TRY(read_stop_sequences(config));
    LLMPROXY_TRY(read_format(config));
    LLMPROXY_TRY(read_thinking(config));
    // Text is what everybody answers with.
    constexpr std::string_view kModalities = "responseModalities";
    if (json::without_whitespace(value[kModalities].raw()) == R"(["TEXT"])") {
      config.take(kModalities);
    }
    // As the client spells it: losses name what it wrote.
    json::keep_rest(config, fmt::format("{}/", value.key()),
                    request_.extensions);
    return {};
  }

  Result<void> read_limits(ObjectReader& config) {
    LLMPROXY_TRY(read_scalars(kLimitScalars, config));
    const Value count = take(config, "candidateCount");
    if (count.absent() || count.integer() == 1) return {};
    return unsupported(
        "candidateCount must be 1: other APIs give one answer per request",
        config.path_of(count.key()));
  }

  Result<void> read_sampling(ObjectReader& config) {
    return read_scalars(kScalars, config);
  }

  Result<void> read_scalars(std::span<const Scalar> rows,
                            ObjectReader& config) {
    for (const Scalar& row : rows) {
      const Value value = take(config, row.name);
      if (value.absent() || json::set_field(row, value, request_)) continue;
      return misfit(row, config.path_of(value.key()));
    }
    return {};
  }

  Result<void> read_stop_sequences(ObjectReader& config) {
    const Value stops = take(config, "stopSequences");
    if (stops.absent()) return {};
    const std::string path = config.path_of(stops.key());
    if (!stops.is_array()) {
      return invalid_request("stopSequences must be an array", path);
    }
    return json::read_strings(stops, "stopSequences must hold strings", path,
                              request_.stop_sequences);
  }

  Result<void> read_tools() {
    const Value tools = reader_.take("tools");
    if (tools.absent()) return {};
    if (tools.is_object()) return read_tool(tools, "/tools");
    if (!tools.is_array()) {
      return invalid_request("tools must be an array", "/tools");
    }
    return json::read_each(tools, "/tools",
                           std::bind_front(&RequestReader::read_tool, this));
  }

  Result<void> read_tool(const Value& value, const std::string& path) {
    if (!value.is_object()) {
      return invalid_request("a tool must be an object", path);
    }
    for (const Value member : value.children()) {
      const std::string_view name = member.key();
      const std::string place = json::pointer(path, name);
      if (is_named(name, kFunctions)) {
        LLMPROXY_TRY(
            read_list(member, kFunctions, place,
                      std::bind_front(&RequestReader::read_function, this)));
      } else if (!member.is_null()) {
        ToolDefinition tool = hosted_tool(name, {}, member);
        tool.source.text = place;
        tool.schema = object_of(member);
        request_.tools.push_back(std::move(tool));
      }
    }
    return {};
  }

  /// A member, alone in an object.
  static RawJson object_of(const Value& member) {
    std::string out;
    json::Writer w(out);
    w.object(member.key(), member.raw_json());
    return json::Trusted::json(std::move(out));
  }

  Result<void> read_function(const Value& value, const std::string& path) {
    if (!value.is_object()) {
      return invalid_request("a function declaration must be an object", path);
    }
    ObjectReader reader(value, path);
    ToolDefinition tool;
    tool.source.text = path;
    LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
    LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
    LLMPROXY_ASSIGN(const Value own,
                    reader.optional("parameters", Type::object));
    const Value schema = take(reader, "parametersJsonSchema");
    tool.schema = read_schema(schema, own);
    tool.extensions = reader.rest();
    request_.tools.push_back(std::move(tool));
    return {};
  }

  Result<void> read_tool_config() {
    const Value value = take(reader_, "toolConfig");
    if (!value.is_object()) return {};
    // As the client spells it: either way is taken.
    ObjectReader config(value, reader_.path_of(value.key()));
    const Value calling = take(config, "functionCallingConfig");
    json::keep_rest(config, kToolConfigPrefix, request_.extensions);
    if (!calling.is_object()) return {};
    return read_tool_choice(calling, config.path_of(calling.key()));
  }

  Result<void> read_tool_choice(const Value& calling, const std::string& path) {
    const std::string word = lower(calling["mode"].string());
    const auto mode = from_wire(kModes, word);
    if (!mode) {
      return invalid_request("mode must be AUTO, ANY, NONE or VALIDATED",
                             path + "/mode");
    }
    ToolChoice choice;
    choice.mode = *mode;
    for (const Value name : get(calling, "allowedFunctionNames").children()) {
      choice.allowed.emplace_back(name.string());
    }
    if (choice.mode == ToolChoiceMode::required && choice.allowed.size() == 1) {
      choice.mode = ToolChoiceMode::named;
      choice.name = std::move(choice.allowed.front());
      choice.allowed.clear();
    }
    if (word == "validated") {
      request_.extensions.push_back(
          {std::string(kModeField), json::Trusted::json(R"("VALIDATED")")});
    }
    request_.tool_choice = std::move(choice);
    return {};
  }

  Result<void> read_format(ObjectReader& config) {
    const std::string_view type = take(config, "responseMimeType").string();
    const Value own = take(config, "responseSchema");
    const Value schema = take(config, "responseJsonSchema");
    for (const Value given : {own, schema}) {
      if (given.absent() || given.is_object()) continue;
      return json::not_an_object(given.key(), given,
                                 config.path_of(given.key()));
    }
    if (type.empty() || type == "text/plain") return {};
    if (type != kJson) {
      return unsupported(
          fmt::format("answers of type {} are Google's own", type),
          config.path_of("responseMimeType"));
    }
    ResponseFormat format;
    format.kind = FormatKind::json_object;
    const Value given = schema.is_object() ? schema : own;
    if (given.is_object()) {
      format.kind = FormatKind::json_schema;
      format.schema = read_schema(schema, own);
      format.source.text = config.path_of(given.key());
    }
    request_.response_format = std::move(format);
    return {};
  }

  Result<void> read_thinking(ObjectReader& config) {
    const Value value = take(config, "thinkingConfig");
    if (!value.is_object()) return {};
    Reasoning& reasoning = request_.reasoning;
    const std::string path = config.path_of(value.key());
    if (get(value, "includeThoughts").is_true()) {
      reasoning.display = "summarized";
    }
    const Value level = get(value, "thinkingLevel");
    if (level.is_string() && !is_unspecified(level.string())) {
      LLMPROXY_ASSIGN(
          reasoning.effort,
          json::read_word(kLevels, lower(level.string()), "thinkingLevel",
                          json::pointer(path, level.key())));
    }
    const Value budget = get(value, "thinkingBudget");
    if (budget.absent()) return {};
    LLMPROXY_ASSIGN(const std::int64_t tokens,
                    json::read_at_least(budget, -1, "thinkingBudget",
                                        json::pointer(path, budget.key())));
    reasoning.mode = tokens == 0  ? ReasoningMode::off
                     : tokens < 0 ? ReasoningMode::adaptive
                                  : ReasoningMode::budget;
    if (tokens > 0) reasoning.budget_tokens = tokens;
    return {};
  }

  void read_identity() {
    const std::string_view tier = take(reader_, "serviceTier").string();
    if (is_unspecified(tier)) return;
    request_.service_tier = canonical_tier(kTiers, lower(tier));
  }

  void read_stream() {
    request_.stream = head_.stream;
    request_.include_usage = true;
  }

  void read_extensions() {
    reader_.take("store");  // how Google keeps the answer; no loss
    for (Extension& extension : reader_.rest()) {
      extension.essential = is_named(extension.name, "cachedContent");
      request_.extensions.push_back(std::move(extension));
    }
    std::erase_if(request_.extensions, is_zero_value);
  }

  ObjectReader reader_;
  const RequestHead& head_;
  ChatRequest request_;
};

}  // namespace

Result<ChatRequest> decode_request(const Value& body, const RequestHead& head) {
  return RequestReader(body, head).read();
}

}  // namespace llmproxy::gemini
