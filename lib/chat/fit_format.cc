// fit: structured output natively, by a private tool, or in words.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "chat/fit_steps.h"
#include "chat/schema.h"
#include "chat/turns.h"
#include "json/json.h"
#include "json/text.h"

namespace llmproxy {
namespace {

constexpr std::string_view kPath = "/response_format";
constexpr std::string_view kSchemaPath = "/response_format/json_schema/schema";
constexpr std::string_view kToldInWords = "the model is told in words";

/// Behind all else that the leading system turns say.
void tell_model(ChatRequest& request, std::string text) {
  std::vector<Message>& messages = request.messages;
  Message told = system_message(std::move(text));
  const auto end =
      std::find_if_not(messages.begin(), messages.end(), is_system);
  if (end == messages.begin()) {
    messages.insert(end, std::move(told));
  } else {
    std::prev(end)->content.push_back(std::move(told.content.front()));
  }
}

std::string json_words(const RawJson& schema) {
  std::string words =
      "Respond with a single valid JSON object and nothing else.";
  if (schema.empty()) return words;
  words += " It must be valid against this JSON Schema: ";
  return words + schema.text();
}

bool says_json(std::string_view text) {
  constexpr std::string_view kWord = "json";
  const auto same = [](char a, char b) { return lower(a) == b; };
  return std::search(text.begin(), text.end(), kWord.begin(), kWord.end(),
                     same) != text.end();
}

bool says_json(const ChatRequest& request) {
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.content) {
      const auto* text = part.as<TextPart>();
      if (text != nullptr && says_json(text->text)) return true;
    }
  }
  return false;
}

// --- what cannot be asked for -----------------------------------------------

/// Whose limit keeps a format from being asked for, and which.
struct Obstacle {
  std::string who = {};
  std::string_view thing = {};  ///< empty = there is none
};

bool has_schema(const ResponseFormat& format) {
  return format.kind == FormatKind::json_schema && !format.schema.empty();
}

Obstacle obstacle_to(const FitStep& step, const ResponseFormat& format) {
  const ChatRequest& request = step.request;
  const DialectLimits& limits = step.limits();
  if (!has_schema(format) && !limits.json_object) {
    return {std::string(limits.target), "a JSON mode"};
  }
  if (!step.takes_traits()) return {};
  if (!limits.format_beside_forced && step.forces_call()) {
    return {std::string(limits.target), "a JSON format beside forced calls"};
  }
  if (!request.tools.empty() && !step.traits().tools_with_format) {
    return {step.model(), "a JSON format beside tools"};
  }
  if (format.kind == FormatKind::json_schema &&
      !step.traits().structured_output) {
    return {step.model(), "a JSON schema"};
  }
  return {};
}

// --- what stands in ---------------------------------------------------------

void use_words(FitStep& step, const Obstacle& why) {
  step.change(std::string(kPath), why.who, why.thing, kToldInWords);
  tell_model(step.request, json_words(step.request.response_format->schema));
  step.request.response_format.reset();
}

/// Any JSON object natively, the schema in words.
void use_json_mode(FitStep& step, const Obstacle& why) {
  use_words(step, why);
  step.request.response_format.emplace();
  step.request.response_format->kind = FormatKind::json_object;
}

std::string free_tool_name(const ChatRequest& request, std::string name) {
  const auto taken = [&](const ToolDefinition& tool) {
    return tool.name == name;
  };
  while (std::any_of(request.tools.begin(), request.tools.end(), taken)) {
    name += '_';
  }
  return name;
}

bool forbids_calls(const ChatRequest& request) {
  return request.tool_choice &&
         request.tool_choice->mode == ToolChoiceMode::none;
}

/// Forcing the private tool would make the client's own tools unreachable,
/// and is refused while the model thinks.
bool can_force(const ChatRequest& request) {
  const auto& mode = request.reasoning.mode;
  const bool thinks = mode && *mode != ReasoningMode::off;
  return !thinks && (request.tools.empty() || forbids_calls(request));
}

/// Neither forced nor forbidden with the client's own tools.
bool can_call(const ChatRequest& request) {
  return can_force(request) || !forbids_calls(request);
}

void use_tool(FitStep& step, const Obstacle& why) {
  ChatRequest& request = step.request;
  step.change(std::string(kPath), why.who, why.thing,
              "a private tool stands in");
  const ResponseFormat& format = *request.response_format;
  ToolDefinition tool;
  tool.name = free_tool_name(request, "json_response");
  tool.description = format.description.empty() ? "Gives the final answer."
                                                : format.description;
  tool.schema = tool_schema(step, format.schema, std::string(kSchemaPath));
  step.context.json_tool = tool.name;
  if (can_force(request)) {
    request.tool_choice = ToolChoice{ToolChoiceMode::named, tool.name, {}};
    // Two calls would be two answers.
    if (step.limits().parallel_calls) request.parallel_tool_calls = false;
  } else {
    tell_model(request, fmt::format("Give your final answer by calling the "
                                    "tool {} exactly once.",
                                    tool.name));
  }
  request.tools.push_back(std::move(tool));
  request.response_format.reset();
}

void use_fallback(FitStep& step, const Obstacle& why) {
  const bool schema = has_schema(*step.request.response_format);
  ResponseFormat any_object;
  any_object.kind = FormatKind::json_object;
  switch (step.limits().format_fallback) {
    case FormatFallback::tool:
      if (schema && can_call(step.request)) return use_tool(step, why);
      break;
    case FormatFallback::json_mode:
      if (obstacle_to(step, any_object).thing.empty()) {
        return use_json_mode(step, why);
      }
      break;
    case FormatFallback::words:
      break;
  }
  use_words(step, why);
}

// --- what can be asked for --------------------------------------------------

/// A JSON mode that no message speaks of is refused.
void fit_json_mode(FitStep& step) {
  if (!step.limits().json_by_word || says_json(step.request)) return;
  step.change(std::string(kPath), step.limits().target,
              "a JSON mode that no message speaks of", kToldInWords);
  tell_model(step.request, json_words({}));
}

/// The members beside the schema, and its shape.
void fit_schema(FitStep& step, ResponseFormat& format) {
  const DialectLimits& limits = step.limits();
  if (!limits.format_description && !format.description.empty()) {
    step.drop("/response_format/json_schema/description", limits.target,
              "a description of the format");
    format.description.clear();
  }
  if (!limits.strict_format && format.strict == true) {
    step.change("/response_format/json_schema/strict", limits.target,
                "`strict` beside a schema", "the schema is sent without it");
  }
  if (!limits.strict_format) format.strict.reset();
  // Others do not mean "strict" when they say nothing.
  if (limits.strict_unless_said && format.kind == FormatKind::json_schema &&
      !format.strict) {
    format.strict = false;
  }
  if (limits.closed_schemas && has_schema(format)) {
    format.schema = json::Trusted::json(json::without_whitespace(
        closed_schema(format.schema, kSchemaPath, limits.target, step.losses)));
  }
}

}  // namespace

void fit_format(FitStep& step) {
  std::optional<ResponseFormat>& format = step.request.response_format;
  const DialectLimits& limits = step.limits();
  const bool own = step.target.wording == Wording::own;
  if (!format) return;
  if (format->kind == FormatKind::text) {
    if (!own && !limits.text_format) format.reset();
    return;
  }
  const Obstacle obstacle = obstacle_to(step, *format);
  if (!obstacle.thing.empty()) {
    use_fallback(step, obstacle);
  } else if (step.target.wording == Wording::foreign ||
             step.target.wording == Wording::hand) {
    if (format->kind == FormatKind::json_object) return fit_json_mode(step);
    fit_schema(step, *format);
  }
}

}  // namespace llmproxy
