// Answers, errors, losses and stream events as terse text. See dump.h.
#include "support/dump.h"
#include "support/dump_line.h"

namespace llmproxy::testing {
namespace {

// Names of enumerators, in their order; not the wire spellings.
constexpr std::string_view kStopReasons[] = {
    "end_turn", "max_tokens", "stop_sequence",  "tool_use",
    "refusal",  "pause",      "context_window", "other"};
constexpr std::string_view kPartKinds[] = {"text",
                                           "thinking",
                                           "redacted_thinking",
                                           "tool_call",
                                           "custom_tool_call",
                                           "refusal",
                                           "opaque",
                                           "image"};

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
