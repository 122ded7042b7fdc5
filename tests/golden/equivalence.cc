// Do two canonical values say the same? See equivalence.h.
//
// Normalisations, which are not losses because nothing of the meaning goes:
//   - neighbouring messages of one role are one turn, and neighbouring texts
//     within a turn one text: dialects differ in where they demand the cut
//   - system and developer messages are both instructions
//   - within a user turn tool results stand first
//   - text that is white space only is nothing
//   - tool arguments: white space between tokens; empty is {}
//   - a tool schema that is missing is that of an object without properties
//   - an output limit the dialect demands may appear where there was none
//   - an answer's id, model, time and the provider's own word for its end
#include "golden/equivalence.h"

#include <algorithm>
#include <vector>

#include "json/json.h"
#include "support/dump.h"
#include "support/json_text.h"

namespace llmproxy::testing {
namespace {

// One thing that is said, and where in the client's body it was said.
struct Fact {
  std::string text;
  std::string place;
};
using Facts = std::vector<Fact>;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Role instruction(Role role) {
  return role == Role::developer ? Role::system : role;
}

std::string place_of(const Message& message) {
  return message.source.index == SourceIndex::kNone
             ? "/system"
             : "/messages/" + std::to_string(message.source.index);
}

std::string normal_arguments(const ToolCallPart& call) {
  if (call.custom) return call.arguments;
  if (is_blank(call.arguments)) return "{}";
  return json::is_json(call.arguments) ? compact_json(call.arguments)
                                       : call.arguments;
}

std::vector<ContentPart> normal_parts(std::vector<ContentPart> parts);

ContentPart normal_part(ContentPart part) {
  if (auto* call = part.as<ToolCallPart>()) {
    call->arguments = normal_arguments(*call);
  } else if (auto* result = part.as<ToolResultPart>()) {
    result->content = normal_parts(std::move(result->content));
  }
  return part;
}

// Joins texts that nothing distinguishes, and leaves out empty ones.
std::vector<ContentPart> normal_parts(std::vector<ContentPart> parts) {
  std::vector<ContentPart> out;
  for (ContentPart& part : parts) {
    const auto* text = part.as<TextPart>();
    if (text && is_blank(text->text)) continue;
    out.push_back(normal_part(std::move(part)));
  }
  return out;
}

struct Turn {
  Role role;
  std::string place;
  std::vector<Fact> parts;
};

void append_parts(Turn& turn, const Message& message) {
  std::vector<ContentPart> parts = normal_parts(message.content);
  std::stable_partition(parts.begin(), parts.end(), [](const ContentPart& p) {
    return p.as<ToolResultPart>() != nullptr;
  });
  for (const ContentPart& part : parts) {
    turn.parts.push_back({dump(part), place_of(message)});
  }
}

void append_messages(Facts& facts, const ChatRequest& request) {
  std::vector<Turn> turns;
  for (const Message& message : request.messages) {
    const Role role = instruction(message.role);
    if (turns.empty() || turns.back().role != role) {
      turns.push_back({role, place_of(message), {}});
    }
    if (!message.name.empty()) {
      turns.back().parts.push_back({"name " + message.name, place_of(message)});
    }
    append_parts(turns.back(), message);
    for (const Extension& extension : message.extensions) {
      turns.back().parts.push_back(
          {"extension " + extension.name, place_of(message)});
    }
  }
  for (const Turn& turn : turns) {
    if (turn.parts.empty()) continue;
    facts.push_back(
        {dump(text_message(turn.role, "")).substr(0, 10), turn.place});
    facts.insert(facts.end(), turn.parts.begin(), turn.parts.end());
  }
}

ToolDefinition normal_tool(ToolDefinition tool) {
  if (tool.kind != ToolKind::function) return tool;
  if (tool.schema.empty()) {
    tool.schema.text = R"({"type":"object","properties":{}})";
  }
  if (tool.strict == false) tool.strict.reset();
  return tool;
}

// The name of a canonical field, where it may stand in a body, its value.
template <class T>
void append_field(Facts& facts, const char* place, const char* name,
                  const std::optional<T>& value) {
  if (value) {
    facts.push_back({std::string(name) + " " + std::to_string(*value), place});
  }
}

void append_header(Facts& facts, const ChatRequest& request) {
  facts.push_back({"model " + request.model, "/model"});
  if (request.stream) facts.push_back({"stream", "/stream"});
  append_field(facts, "/temperature", "temperature", request.temperature);
  append_field(facts, "/top_p", "top_p", request.top_p);
  append_field(facts, "/top_k", "top_k", request.top_k);
  append_field(facts, "/frequency_penalty", "frequency_penalty",
               request.frequency_penalty);
  append_field(facts, "/presence_penalty", "presence_penalty",
               request.presence_penalty);
  append_field(facts, "/seed", "seed", request.seed);
  for (const std::string& stop : request.stop_sequences) {
    facts.push_back({"stop " + quoted(stop), "/stop"});
  }
  if (!request.user_id.empty()) {
    facts.push_back({"user " + request.user_id, "/metadata"});
  }
  if (!request.service_tier.empty()) {
    facts.push_back({"service_tier " + request.service_tier, "/service_tier"});
  }
}

Facts facts_of(const ChatRequest& request) {
  Facts facts;
  append_header(facts, request);
  append_messages(facts, request);
  for (std::size_t i = 0; i < request.tools.size(); ++i) {
    facts.push_back(
        {dump(normal_tool(request.tools[i])), "/tools/" + std::to_string(i)});
  }
  ChatRequest rest;
  rest.tool_choice = request.tool_choice;
  rest.parallel_tool_calls = request.parallel_tool_calls;
  if (rest.parallel_tool_calls == true) rest.parallel_tool_calls.reset();
  if (!rest.tool_choice && rest.parallel_tool_calls) {
    rest.tool_choice = ToolChoice{};
  }
  facts.push_back({dump(rest), "/tool_choice"});
  for (const Extension& extension : request.extensions) {
    facts.push_back({"extension " + extension.name, "/" + extension.name});
  }
  return facts;
}

Facts facts_of(const ChatResponse& response) {
  Facts facts;
  for (const ContentPart& part : normal_parts(response.content)) {
    facts.push_back({dump(part), ""});
  }
  ChatResponse rest = response;
  rest.content.clear();
  rest.stop_reason_text.clear();
  const std::string end = dump(rest, {.identity = false});
  facts.push_back({end, ""});
  return facts;
}

bool excused(const Fact& fact, const Losses& losses) {
  return std::any_of(losses.begin(), losses.end(), [&](const Loss& loss) {
    return related(loss.path, fact.place);
  });
}

// Longest common subsequence by the quadratic table: facts are few.
std::string compare(const Facts& before, const Facts& after,
                    const Losses& losses) {
  const std::size_t width = after.size() + 1;
  std::vector<std::size_t> best((before.size() + 1) * width, 0);
  for (std::size_t i = before.size(); i-- > 0;) {
    for (std::size_t j = after.size(); j-- > 0;) {
      best[i * width + j] =
          before[i].text == after[j].text
              ? best[(i + 1) * width + j + 1] + 1
              : std::max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const bool approximated = std::any_of(
      losses.begin(), losses.end(),
      [](const Loss& loss) { return loss.kind == LossKind::approximated; });
  std::string gone, come;
  bool excuse = approximated;
  for (std::size_t i = 0, j = 0; i < before.size() || j < after.size();) {
    if (i < before.size() && j < after.size() &&
        before[i].text == after[j].text) {
      if (!come.empty() && !excuse) break;
      gone.clear(), come.clear();
      excuse = approximated;
      ++i, ++j;
    } else if (j == after.size() ||
               (i < before.size() &&
                best[(i + 1) * width + j] >= best[i * width + j + 1])) {
      if (!excused(before[i], losses)) {
        return "lost without a word: " + before[i].text;
      }
      excuse = true;
      ++i;
    } else {
      come += after[j++].text;
    }
  }
  return come.empty() || excuse ? "" : "came from nowhere: " + come;
}

}  // namespace

bool related(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return b.starts_with(a) &&
         (b.size() == a.size() || a.empty() || b[a.size()] == '/');
}

std::string unexplained_difference(const ChatRequest& before,
                                   const ChatRequest& after,
                                   const Losses& losses) {
  return compare(facts_of(before), facts_of(after), losses);
}

std::string unexplained_difference(const ChatResponse& before,
                                   const ChatResponse& after,
                                   const Losses& losses) {
  return compare(facts_of(before), facts_of(after), losses);
}

}  // namespace llmproxy::testing
