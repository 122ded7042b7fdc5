// What the demo model says. Thinking, then tool calls or a text; limits are
// applied last.
#include "client/demo/model.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "client/demo/example_json.h"
#include "client/demo/turn.h"
#include "client/demo/words.h"
#include "json/writer.h"

namespace llmproxy::demo {
namespace {

constexpr std::string_view kParallel = "parallel";
constexpr std::size_t kParallelCalls = 2;
// What strings of a schema get when the user said nothing.
constexpr std::string_view kNoWords = "demo";

bool wants_thinking(const Reasoning& reasoning) {
  if (reasoning.mode) return *reasoning.mode != ReasoningMode::off;
  return reasoning.effort && *reasoning.effort != Effort::none;
}

bool may_call(const ToolDefinition& tool, const ToolChoice& choice) {
  if (tool.kind == ToolKind::hosted) return false;
  if (choice.mode == ToolChoiceMode::named) return tool.name == choice.name;
  const auto& allowed = choice.allowed;
  return allowed.empty() ||
         std::find(allowed.begin(), allowed.end(), tool.name) != allowed.end();
}

// Which tools to call now, in order; empty = answer with text.
std::vector<const ToolDefinition*> tools_to_call(const ChatRequest& request,
                                                 const Turn& turn) {
  std::vector<const ToolDefinition*> calls;
  const ToolChoice choice = request.tool_choice.value_or(ToolChoice{});
  if (choice.mode == ToolChoiceMode::none || !turn.tool_answers.empty()) {
    return calls;
  }
  const bool parallel = request.parallel_tool_calls.value_or(true) &&
                        turn.text.find(kParallel) != std::string::npos;
  const std::size_t most = parallel ? kParallelCalls : 1;
  for (const ToolDefinition& tool : request.tools) {
    if (calls.size() < most && may_call(tool, choice)) calls.push_back(&tool);
  }
  // One tool is enough for two calls.
  while (!calls.empty() && calls.size() < most) calls.push_back(calls.back());
  return calls;
}

// A model that is made to call a tool says nothing before it.
bool calls_freely(const ChatRequest& request) {
  return !request.tool_choice ||
         request.tool_choice->mode == ToolChoiceMode::automatic;
}

std::string arguments_for(const ToolDefinition& tool, const Turn& turn) {
  if (tool.kind == ToolKind::custom) return turn.text;
  const std::string_view word = last_word(turn.text);
  return example_json(tool.schema.text, word.empty() ? kNoWords : word);
}

std::string structured_text(const ResponseFormat& format, const Turn& turn) {
  if (!format.schema.empty()) {
    return example_json(format.schema.text,
                        turn.text.empty() ? kNoWords : turn.text);
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.member("you_said", turn.text);
  writer.end_object();
  return out;
}

void append_count(std::string& out, std::size_t count, std::string_view noun) {
  if (count == 0) return;
  out += fmt::format(" I got {} {}{}.", count, noun, count == 1 ? "" : "s");
}

std::string plain_text(const Turn& turn) {
  std::string out;
  for (const Turn::ToolAnswer& answer : turn.tool_answers) {
    if (!out.empty()) out += ' ';
    out +=
        fmt::format("{} {}: {}", answer.tool.empty() ? "The tool" : answer.tool,
                    answer.is_error ? "failed" : "said", answer.text);
  }
  if (turn.tool_answers.empty()) {
    out = turn.text.empty() ? "You said nothing." : "You said: " + turn.text;
  }
  append_count(out, turn.images, "image");
  append_count(out, turn.documents, "document");
  append_count(out, turn.clips, "audio clip");
  return out;
}

/// The answer under way: output is paid for in words until the limit.
class Draft {
 public:
  Draft(const ChatRequest& request, std::string id)
      : request_(request),
        left_(request.max_output_tokens.value_or(
            std::numeric_limits<std::int64_t>::max())) {
    response_.dialect = request.dialect;
    response_.id = "demo_" + id;
    response_.model = request.model;
    id_ = std::move(id);
  }

  void think(std::string_view text) {
    ThinkingPart part;
    part.text = take(text);
    thought_ = count_words(part.text);
    part.signature = "demo-signature-" + fingerprint(part.text);
    if (request_.reasoning.display == "omitted") part.text.clear();
    add(std::move(part));
  }

  void say(std::string_view text) {
    std::string_view matched;
    const std::size_t end = find_stop(text, matched);
    TextPart part{take(text.substr(0, end)), {}};
    if (!part.text.empty()) add(std::move(part));
    if (ended() || matched.empty()) return;
    response_.stop_reason = StopReason::stop_sequence;
    response_.stop_sequence = matched;
  }

  void call(const ToolDefinition& tool, std::string arguments) {
    if (ended()) return;
    ToolCallPart part;
    part.id = fmt::format("call_{}_{}", id_, calls_++);
    part.name = tool.name;
    spent_ += std::max(count_words(arguments), std::int64_t{1});
    part.arguments = std::move(arguments);
    part.custom = tool.kind == ToolKind::custom;
    add(std::move(part));
    response_.stop_reason = StopReason::tool_use;
  }

  bool ended() const {
    return response_.stop_reason == StopReason::max_tokens ||
           response_.stop_reason == StopReason::stop_sequence;
  }

  ChatResponse finish() {
    Usage& usage = response_.usage;
    usage.input_tokens = input_tokens(request_);
    usage.cached_input_tokens = 0;
    usage.output_tokens = spent_;
    usage.reasoning_tokens = thought_;
    return std::move(response_);
  }

 private:
  template <class Part>
  void add(Part part) {
    response_.content.push_back(ContentPart{std::move(part), {}, {}});
  }

  // As much of `text` as the limit leaves.
  std::string take(std::string_view text) {
    const std::string_view fits = first_words(text, left_);
    if (fits.size() < text.size()) {
      response_.stop_reason = StopReason::max_tokens;
    }
    const std::int64_t words = count_words(fits);
    left_ -= words;
    spent_ += words;
    return std::string(fits);
  }

  // Where the earliest stop sequence begins, and which it is.
  std::size_t find_stop(std::string_view text,
                        std::string_view& matched) const {
    std::size_t first = std::string_view::npos;
    for (const std::string& stop : request_.stop_sequences) {
      const std::size_t at = stop.empty() ? first : text.find(stop);
      if (at >= first) continue;
      first = at;
      matched = stop;
    }
    return first;
  }

  const ChatRequest& request_;
  ChatResponse response_;
  std::string id_;
  std::int64_t left_;
  std::int64_t spent_ = 0;
  std::int64_t thought_ = 0;
  int calls_ = 0;
};

}  // namespace

ChatResponse answer(const ChatRequest& request) {
  const Turn turn = newest_turn(request);
  const auto calls = tools_to_call(request, turn);
  Draft draft(request, fingerprint(all_text(request)));
  if (wants_thinking(request.reasoning)) {
    draft.think(fmt::format(
        "The user wrote {} words. {}", count_words(turn.text),
        calls.empty() ? "I will answer them." : "A tool can help with that."));
  }
  if (draft.ended()) return draft.finish();
  const bool structured = request.response_format &&
                          request.response_format->kind != FormatKind::text;
  if (calls.empty()) {
    draft.say(structured ? structured_text(*request.response_format, turn)
                         : plain_text(turn));
  } else if (!structured && calls_freely(request)) {
    draft.say(fmt::format("I will call {}.", calls.front()->name));
  }
  for (const ToolDefinition* tool : calls) {
    draft.call(*tool, arguments_for(*tool, turn));
  }
  return draft.finish();
}

}  // namespace llmproxy::demo
