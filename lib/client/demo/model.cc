// What the demo model says. Thinking, then tool calls or a text; limits are
// applied last.
#include "client/demo/model.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "client/demo/asking.h"
#include "client/demo/example_json.h"
#include "client/demo/turn.h"
#include "client/demo/words.h"
#include "json/writer.h"

namespace llmproxy::demo {
namespace {

// Where the words say that it is several and not how many.
constexpr std::size_t kSeveral = 2;

using Tools = std::vector<const ToolDefinition*>;

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

// The tools that may be called now, in order.
Tools tools_allowed(const ChatRequest& request, const Turn& turn) {
  Tools allowed;
  const ToolChoice choice = request.tool_choice.value_or(ToolChoice{});
  if (choice.mode == ToolChoiceMode::none || !turn.tool_answers.empty()) {
    return allowed;
  }
  for (const ToolDefinition& tool : request.tools) {
    if (may_call(tool, choice)) allowed.push_back(&tool);
  }
  return allowed;
}

// Those of `allowed` that the words ask for: better those that they name than
// those they only touch.
Tools tools_asked(const Tools& allowed, const Asking& asking) {
  for (const auto asks : {&Asking::says, &Asking::is_about}) {
    Tools asked;
    for (const ToolDefinition* tool : allowed) {
      if (asked.size() < kMostCalls && (asking.*asks)(tool->name)) {
        asked.push_back(tool);
      }
    }
    if (!asked.empty()) return asked;
  }
  return {};
}

/// A call to make: of a tool, about a word.
struct PlannedCall {
  const ToolDefinition* tool;
  std::string word;
};

// As many calls as `tools` and `names` give; one tool is enough for several.
std::vector<PlannedCall> pair_up(const Tools& tools,
                                 const std::vector<std::string>& names,
                                 std::size_t least) {
  std::vector<PlannedCall> calls;
  for (const ToolDefinition* tool : tools) {
    for (const std::string& name : names) {
      if (calls.size() < kMostCalls) calls.push_back({tool, name});
    }
  }
  while (calls.size() < least) calls.push_back(calls.back());
  return calls;
}

// Functions of the old kind are called one at a time.
bool may_call_several(const ChatRequest& request) {
  return request.parallel_tool_calls.value_or(true) &&
         !request.legacy_functions;
}

// The first `count` of `tools`, or as many as there are.
Tools first_of(const Tools& tools, std::size_t count) {
  const std::size_t most = std::min(count, tools.size());
  return {tools.begin(), tools.begin() + static_cast<std::ptrdiff_t>(most)};
}

// Which tools to call now, in order; empty = answer with text.
std::vector<PlannedCall> calls_for(const ChatRequest& request,
                                   const Turn& turn) {
  const Tools allowed = tools_allowed(request, turn);
  if (allowed.empty()) return {};
  const Asking asking(turn.text);
  Tools tools = tools_asked(allowed, asking);
  const std::string_view word = last_word(turn.text);
  const std::string about(word.empty() ? kNoWords : word);
  if (!may_call_several(request)) {
    return {{tools.empty() ? allowed.front() : tools.front(), about}};
  }
  const std::size_t least = asking.wants_several() ? kSeveral : 1;
  if (asking.wants_all()) {
    tools = first_of(allowed, kMostCalls);
  } else if (tools.empty()) {
    tools = first_of(allowed, least);
  }
  std::vector<std::string> names = listed_names(turn.text);
  if (names.empty()) names = {about};
  return pair_up(tools, names, least);
}

// A model that is made to call a tool says nothing before it.
bool calls_freely(const ChatRequest& request) {
  return !request.tool_choice ||
         request.tool_choice->mode == ToolChoiceMode::automatic;
}

std::string arguments_for(const PlannedCall& call, const Turn& turn) {
  if (call.tool->kind == ToolKind::custom) return turn.text;
  return example_json(call.tool->schema.text(), call.word);
}

// Each once: "get_weather and get_time".
std::string names_of(const std::vector<PlannedCall>& calls) {
  std::string out;
  const ToolDefinition* before = nullptr;
  for (const PlannedCall& call : calls) {
    if (call.tool == before) continue;
    if (!out.empty()) out += " and ";
    out += call.tool->name;
    before = call.tool;
  }
  return out;
}

std::string structured_text(const ResponseFormat& format, const Turn& turn) {
  if (!format.schema.empty()) {
    return example_json(format.schema.text(),
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
  const auto calls = calls_for(request, turn);
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
    draft.say(fmt::format("I will call {}.", names_of(calls)));
  }
  for (const PlannedCall& call : calls) {
    draft.call(*call.tool, arguments_for(call, turn));
  }
  return draft.finish();
}

}  // namespace llmproxy::demo
