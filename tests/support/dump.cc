// Canonical values as terse text. See dump.h.
#include "support/dump.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "support/json_text.h"

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
constexpr std::string_view kStopReasons[] = {
    "end_turn", "max_tokens", "stop_sequence",  "tool_use",
    "refusal",  "pause",      "context_window", "other"};
constexpr std::string_view kPartKinds[] = {
    "text",    "thinking", "redacted_thinking", "tool_call", "custom_tool_call",
    "refusal", "opaque"};

template <std::size_t kSize, class E>
std::string_view name_of(const std::string_view (&names)[kSize], E value) {
  const auto index = static_cast<std::size_t>(value);
  return index < kSize ? names[index] : "?";
}

// Builds one line and the lines below it.
class Line {
 public:
  explicit Line(std::string_view head) : text_(head) {}

  Line& word(std::string_view value) {
    text_ += ' ';
    text_ += value;
    return *this;
  }
  Line& word_if(bool condition, std::string_view value) {
    return condition ? word(value) : *this;
  }
  Line& string(std::string_view value) { return word(quoted(value)); }
  Line& attribute(std::string_view name, std::string_view value) {
    return word(std::string(name) + "=" + quoted(value));
  }
  Line& given(std::string_view name, std::string_view value) {
    return value.empty() ? *this : attribute(name, value);
  }
  Line& plain(std::string_view name, std::string_view value) {
    return word(std::string(name) + "=" + std::string(value));
  }
  Line& given(std::string_view name, const std::optional<std::int64_t>& value) {
    return value ? plain(name, std::to_string(*value)) : *this;
  }
  Line& given(std::string_view name, const std::optional<bool>& value) {
    return value ? plain(name, *value ? "true" : "false") : *this;
  }
  Line& given(std::string_view name, const std::optional<double>& value) {
    if (!value) return *this;
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, *value);
    return plain(name, std::string_view(digits, end.ptr));
  }
  Line& given(std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return *this;
    std::string list = "[";
    for (const std::string& value : values) {
      if (list.size() > 1) list += ',';
      list += quoted(value);
    }
    return plain(name, list + "]");
  }
  Line& cache(const std::optional<CacheMarker>& marker) {
    if (!marker) return *this;
    return marker->ttl.empty() ? word("cache")
                               : attribute("cache", marker->ttl);
  }

  /// The line and `below`, two spaces in.
  std::string text(std::string_view below = {}) const {
    std::string out = text_ + "\n";
    while (!below.empty()) {
      const std::size_t end = below.find('\n') + 1;
      out += "  ";
      out += below.substr(0, end);
      below.remove_prefix(end);
    }
    return out;
  }

 private:
  std::string text_;
};

std::string json_line(std::string_view head, const RawJson& json) {
  return json.empty() ? std::string()
                      : Line(head).word(compact_json(json.text)).text();
}

std::string dump_extensions(const Extensions& extensions) {
  std::string out;
  for (const Extension& extension : extensions) {
    out += Line("extension")
               .word(extension.name)
               .word(compact_json(extension.value.text))
               .text();
  }
  return out;
}

std::string dump_parts(const std::vector<ContentPart>& parts) {
  std::string out;
  for (const ContentPart& part : parts) out += dump(part);
  return out;
}

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

PartLine part_line(const ThinkingPart& part) {
  if (!part.redacted_data.empty()) {
    return {Line("redacted_thinking").string(part.redacted_data), {}};
  }
  return {Line("thinking").string(part.text).given("signature", part.signature),
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
              .word(compact_json(part.json.text)),
          {}};
}

Line& usage_words(Line& line, const Usage& usage) {
  return line.given("input", usage.input_tokens)
      .given("cached", usage.cached_input_tokens)
      .given("cache_write", usage.cache_write_tokens)
      .given("output", usage.output_tokens)
      .given("reasoning", usage.reasoning_tokens)
      .given("input_audio", usage.input_audio_tokens)
      .given("output_audio", usage.output_audio_tokens);
}

std::string usage_line(const Usage& usage) {
  if (usage == Usage{}) return {};
  Line line("usage");
  return usage_words(line, usage).text();
}

std::string stop_line(std::string_view head, const ChatResponse& response) {
  return Line(head)
      .word(name_of(kStopReasons, response.stop_reason))
      .given("text", response.stop_reason_text)
      .given("stop_sequence", response.stop_sequence)
      .given("explanation", response.refusal_explanation)
      .given("service_tier", response.service_tier)
      .text();
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

std::string part_event(const StreamEvent& event, std::string_view what) {
  return "part " + std::to_string(event.part) + " " + std::string(what);
}

std::string dump_delta(const StreamEvent& event) {
  std::string out;
  if (!event.citation.empty()) {
    out += Line(part_event(event, "citation"))
               .word(compact_json(event.citation))
               .text();
  }
  if (!event.signature.empty()) {
    out += Line(part_event(event, "signature")).string(event.signature).text();
  }
  if (out.empty() || !event.text.empty()) {
    out += Line(part_event(event, "+")).string(event.text).text();
  }
  return out;
}

std::string dump_part_started(const StreamEvent& event) {
  Line line(part_event(event, name_of(kPartKinds, event.part_kind)));
  if (!event.id.empty()) line.string(event.id);
  if (!event.name.empty()) line.word(event.name);
  if (event.part_kind == PartKind::opaque) {
    line.word(compact_json(event.text));
  } else if (!event.text.empty()) {
    line.string(event.text);
  }
  return line.text();
}

std::string dump_started(const StreamEvent& event) {
  Line line("started");
  line.given("id", event.id).given("model", event.model);
  if (event.created != 0) line.plain("created", std::to_string(event.created));
  line.given("service_tier", event.service_tier);
  if (event.usage) usage_words(line, *event.usage);
  return line.text();
}

std::string dump_finished(const StreamEvent& event) {
  Line line("finished");
  line.word(name_of(kStopReasons, event.stop_reason))
      .given("text", event.stop_reason_text)
      .given("stop_sequence", event.stop_sequence)
      .given("explanation", event.refusal_explanation)
      .given("service_tier", event.service_tier);
  if (event.usage) usage_words(line, *event.usage);
  return line.text();
}

}  // namespace

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

std::string dump(const ChatResponse& response, const DumpOptions& options) {
  std::string out;
  if (options.identity) {
    Line line("response");
    line.given("id", response.id).given("model", response.model);
    if (response.created != 0) {
      line.plain("created", std::to_string(response.created));
    }
    out += line.text();
  }
  out += dump_parts(response.content);
  out += stop_line("stop", response);
  out += usage_line(response.usage);
  return out + dump_extensions(response.extensions);
}

std::string dump(const Error& error) {
  Line line("error");
  line.word(to_string(error.kind))
      .plain("fault", to_string(error.fault))
      .given("path", error.path);
  if (error.status != 0) line.plain("status", std::to_string(error.status));
  return line.given("code", error.code)
      .given("retry_after", error.retry_after)
      .given("request_id", error.request_id)
      .text(quoted(error.message) + "\n");
}

std::string dump(const Losses& losses) {
  std::string out;
  for (const Loss& loss : losses) {
    out +=
        Line(to_string(loss.kind)).word(loss.path + ":").word(loss.what).text();
  }
  return out;
}

std::string dump(const RequestContext& context) {
  std::string out = Line("context")
                        .attribute("model", context.model)
                        .word_if(context.stream, "stream")
                        .word_if(context.include_usage, "include_usage")
                        .word_if(context.legacy_functions, "legacy_functions")
                        .given("tools", context.declared_tools)
                        .given("custom_tools", context.custom_tools)
                        .given("json_tool", context.json_tool)
                        .given("stop", context.stop_sequences)
                        .text();
  for (const RequestContext::Alias& alias : context.tool_aliases) {
    out += Line("alias")
               .string(alias.sent)
               .word("for")
               .string(alias.original)
               .text();
  }
  return out;
}

std::string dump(const StreamEvent& event) {
  switch (event.kind) {
    case EventKind::started:
      return dump_started(event);
    case EventKind::part_started:
      return dump_part_started(event);
    case EventKind::part_delta:
      return dump_delta(event);
    case EventKind::part_ended:
      return part_event(event, "end\n");
    case EventKind::usage:
      return event.usage ? usage_line(*event.usage) : "";
    case EventKind::ping:
      return "ping\n";
    case EventKind::finished:
      return dump_finished(event);
    case EventKind::failed:
      return event.error ? dump(*event.error) : "error\n";
  }
  return "?\n";
}

}  // namespace llmproxy::testing
