// Requests, and the parts of which messages are made, as terse text. See
// dump.h.
#include "support/dump.h"

#include <variant>

#include "support/dump_line.h"

namespace llmproxy::testing {
namespace {

// Names of enumerators, in their order; not the wire spellings.
constexpr std::string_view kRoles[] = {"system", "developer", "user",
                                       "assistant"};
constexpr std::string_view kMediaKinds[] = {"base64", "url", "file_id", "text"};
constexpr std::string_view kToolKinds[] = {"function", "custom", "hosted"};
constexpr std::string_view kToolChoiceModes[] = {"auto", "none", "required",
                                                 "named"};
constexpr std::string_view kReasoningModes[] = {"off", "budget", "adaptive"};
constexpr std::string_view kEfforts[] = {"none", "minimal", "low", "medium",
                                         "high", "xhigh",   "max"};
constexpr std::string_view kFormatKinds[] = {"text", "json_object",
                                             "json_schema"};

Line& source(Line& line, const MediaSource& source) {
  return line.word(name_of(kMediaKinds, source.kind))
      .string(source.data)
      .given("type", source.media_type);
}

// One overload a kind of part: its line, and what stands below it.
struct PartLine {
  Line line;
  std::string below;
};

PartLine part_line(const TextPart& part) {
  PartLine out{Line("text").string(part.text), {}};
  for (const RawJson& citation : part.citations) {
    out.below += json_line("citation", citation);
  }
  return out;
}

PartLine part_line(const ImagePart& part) {
  Line line("image");
  source(line, part.source).given("detail", part.detail);
  return {line, {}};
}

PartLine part_line(const DocumentPart& part) {
  Line line("document");
  source(line, part.source)
      .given("title", part.title)
      .given("context", part.context);
  return {line, {}};
}

PartLine part_line(const AudioPart& part) {
  Line line("audio");
  source(line, part.source).given("format", part.format);
  return {line, {}};
}

// The usual one is left out.
std::string foreign_issuer(ReasoningIssuer issuer) {
  constexpr std::string_view kNames[] = {"", "", "openai", "google"};
  return std::string(kNames[static_cast<std::size_t>(issuer)]);
}

PartLine part_line(const ThinkingPart& part) {
  if (!part.redacted_data.empty()) {
    return {Line("redacted_thinking")
                .string(part.redacted_data)
                .given("issuer", foreign_issuer(part.issuer))
                .given("id", part.id),
            {}};
  }
  return {Line("thinking")
              .string(part.text)
              .given("signature", part.signature)
              .given("issuer", foreign_issuer(part.issuer))
              .given("id", part.id),
          {}};
}

PartLine part_line(const ToolCallPart& part) {
  return {Line(part.custom ? "custom_tool_call" : "tool_call")
              .string(part.id)
              .word(part.name)
              .string(part.arguments),
          {}};
}

PartLine part_line(const ToolResultPart& part) {
  return {Line("tool_result")
              .string(part.call_id)
              .word_if(part.is_error, "is_error"),
          dump_parts(part.content)};
}

PartLine part_line(const RefusalPart& part) {
  return {Line("refusal").string(part.text), {}};
}

PartLine part_line(const OpaquePart& part) {
  return {Line("opaque")
              .word(part.dialect)
              .word(part.type)
              .word(compact_json(part.json.text())),
          {}};
}

std::string tool_choice_line(const ToolChoice& choice) {
  return Line("tool_choice")
      .word(name_of(kToolChoiceModes, choice.mode))
      .given("name", choice.name)
      .given("allowed", choice.allowed)
      .text();
}

std::string format_lines(const ResponseFormat& format) {
  return Line("response_format")
      .word(name_of(kFormatKinds, format.kind))
      .given("name", format.name)
      .given("description", format.description)
      .given("strict", format.strict)
      .text(json_line("schema", format.schema));
}

std::string reasoning_line(const Reasoning& reasoning) {
  if (reasoning == Reasoning{}) return {};
  Line line("reasoning");
  if (reasoning.mode) line.word(name_of(kReasoningModes, *reasoning.mode));
  if (reasoning.effort)
    line.plain("effort", name_of(kEfforts, *reasoning.effort));
  return line.given("budget", reasoning.budget_tokens)
      .given("display", reasoning.display)
      .text();
}

std::string request_line(const ChatRequest& request) {
  return Line("request")
      .attribute("model", request.model)
      .word_if(request.stream, "stream")
      .word_if(request.include_usage, "include_usage")
      .given("max_output_tokens", request.max_output_tokens)
      .given("temperature", request.temperature)
      .given("top_p", request.top_p)
      .given("top_k", request.top_k)
      .given("frequency_penalty", request.frequency_penalty)
      .given("presence_penalty", request.presence_penalty)
      .given("seed", request.seed)
      .given("stop", request.stop_sequences)
      .given("user", request.user_id)
      .given("service_tier", request.service_tier)
      .text();
}

}  // namespace

std::string json_line(std::string_view head, const RawJson& json) {
  return json.empty() ? std::string()
                      : Line(head).word(compact_json(json.text())).text();
}

std::string dump_extensions(const Extensions& extensions) {
  std::string out;
  for (const Extension& extension : extensions) {
    out += Line("extension")
               .word(extension.name)
               .word(compact_json(extension.value.text()))
               .text();
  }
  return out;
}

std::string dump_parts(const std::vector<ContentPart>& parts) {
  std::string out;
  for (const ContentPart& part : parts) out += dump(part);
  return out;
}

std::string dump(const ContentPart& part) {
  PartLine out = std::visit([](const auto& value) { return part_line(value); },
                            part.value);
  return out.line.cache(part.cache)
      .text(out.below + dump_extensions(part.extensions));
}

std::string dump(const Message& message) {
  return Line(name_of(kRoles, message.role))
      .given("name", message.name)
      .text(dump_parts(message.content) + dump_extensions(message.extensions));
}

std::string dump(const ToolDefinition& tool) {
  return Line("tool")
      .word(name_of(kToolKinds, tool.kind))
      .given("type", tool.hosted_type)
      .word(tool.name.empty() ? "-" : tool.name)
      .given("description", tool.description)
      .given("strict", tool.strict)
      .cache(tool.cache)
      .text(json_line("schema", tool.schema) +
            dump_extensions(tool.extensions));
}

std::string dump(const ChatRequest& request) {
  std::string out = request_line(request);
  out += reasoning_line(request.reasoning);
  if (request.response_format) out += format_lines(*request.response_format);
  for (const Message& message : request.messages) out += dump(message);
  for (const ToolDefinition& tool : request.tools) out += dump(tool);
  if (request.tool_choice) out += tool_choice_line(*request.tool_choice);
  if (request.parallel_tool_calls) {
    out += Line("parallel_tool_calls")
               .word(*request.parallel_tool_calls ? "true" : "false")
               .text();
  }
  if (request.legacy_functions) out += "legacy_functions\n";
  return out + dump_extensions(request.extensions);
}

}  // namespace llmproxy::testing
