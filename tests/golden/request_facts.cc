// Facts of a request. Normalisations, which are not losses because nothing of
// the meaning goes:
//   - neighbouring messages of one role are one turn, and instructions are
//     one thing, whether of role system or developer
//   - texts of a tool result that follow each other are lines of one text
//   - within a user's turn tool results stand first, in the order of calls
//   - white space: texts of nothing else, and the end of a prefill
//   - ids of calls: only which call a result answers counts
//   - a failed result says so, by flag or by its first word
//   - white space in arguments and schemas; {} for no arguments; a schema
//     says that it is an object's, even when it forgot to; no arguments are no
//     arguments, however a schema says so; no strictness is the default
//   - a schema for answers is closed where the API takes no open one
//   - a text document by its base64 bytes is a text document
//   - a choice of tools means nothing without tools, nor does parallelism
//     without a choice; automatic and parallel are the defaults; tools that
//     may not be called need not be offered
//   - adaptive thinking of some effort is that effort; thinking that is off,
//     no effort and the least effort are one
//   - thinking that was asked for is shown, unless the client says otherwise
//   - an output limit the dialect demands may appear where there was none
//   - the billing line of an agent is read by its own provider alone
//   - what is done without a word: the tiers auto and default, a temperature
//     and top_p of 1, top_k and penalties of 0, thinking that the model decides
//     about, not to show thinking, to show it where none is asked for
//   - members that are null or empty say nothing, nor does an empty stop
#include <algorithm>
#include <cctype>
#include <map>
#include <string_view>

#include "base/text.h"
#include "chat/turns.h"
#include "golden/facts.h"
#include "json/json.h"
#include "support/dump.h"
#include "support/json_text.h"
#include "translate/field_names.h"

namespace llmproxy::testing {
namespace {

std::string place_of(const Message& message) {
  return message.source.index == SourceIndex::kNone
             ? "/system"
             : "/messages/" + std::to_string(message.source.index);
}

bool starts_with_error(std::string_view text) {
  constexpr std::string_view kWord = "error";
  return text.size() >= kWord.size() &&
         std::equal(kWord.begin(), kWord.end(), text.begin(),
                    [](char a, char b) {
                      return a == std::tolower(static_cast<unsigned char>(b));
                    });
}

// Numbers calls in the order in which they are first named.
class CallNumbers {
 public:
  std::string operator()(const std::string& id) {
    const auto [entry, is_new] =
        numbers_.try_emplace(id, static_cast<int>(numbers_.size()) + 1);
    return "#" + std::to_string(entry->second);
  }

 private:
  std::map<std::string, int> numbers_;
};

void normalise_result(ToolResultPart& result) {
  std::vector<ContentPart> content;
  for (ContentPart& part : result.content) {
    auto* text = part.as<TextPart>();
    if (text && is_blank(text->text)) continue;
    auto* before = content.empty() ? nullptr : content.back().as<TextPart>();
    if (text && before) {
      before->text += "\n" + text->text;
      continue;
    }
    content.push_back(std::move(part));
  }
  auto* first = content.empty() ? nullptr : content.front().as<TextPart>();
  if (first && starts_with_error(first->text)) result.is_error = true;
  constexpr std::string_view kPrefix = "Error: ";
  if (first && first->text.starts_with(kPrefix)) {
    first->text.erase(0, kPrefix.size());
  }
  result.content = std::move(content);
}

void normalise_document(DocumentPart& document) {
  MediaSource& source = document.source;
  if (source.kind == MediaKind::base64 &&
      source.media_type.starts_with("text/")) {
    if (auto text = decode_base64(source.data)) {
      source.kind = MediaKind::text;
      source.data = std::move(*text);
    }
  }
  if (source.kind == MediaKind::text) source.media_type = "text/plain";
}

ContentPart normal_part(ContentPart part, CallNumbers& numbers) {
  if (auto* call = part.as<ToolCallPart>()) {
    call->id = numbers(call->id);
    call->arguments = normal_arguments(*call);
    // Free text and a function of one text are told apart by the tool.
    call->custom = false;
  } else if (auto* result = part.as<ToolResultPart>()) {
    result->call_id = numbers(result->call_id);
    normalise_result(*result);
  } else if (auto* document = part.as<DocumentPart>()) {
    normalise_document(*document);
  }
  return part;
}

bool says_nothing(const ContentPart& part) {
  const auto* text = part.as<TextPart>();
  const auto* opaque = part.as<OpaquePart>();
  return (text && is_blank(text->text)) ||
         (opaque && opaque->type == "billing line");
}

struct Turn {
  std::string role;
  Facts results;
  Facts others;
};

std::string turn_role(Role role) {
  return role == Role::assistant ? "assistant"
         : role == Role::user    ? "user"
                                 : "instruction";
}

void append_part(Turn& turn, const ContentPart& part, const Message& message) {
  Facts& facts = part.as<ToolResultPart>() ? turn.results : turn.others;
  Message at = message;
  if (part.source.message >= 0) at.source.index = part.source.message;
  facts.push_back(
      {turn.role + " " + dump(part), {place_of(message), place_of(at)}});
}

bool is_neutral(const Extension& extension) {
  const std::string_view value = extension.value.text();
  return value == "null" || value == "\"\"" || value == "[]" || value == "{}";
}

void append_message(Turn& turn, const Message& message, CallNumbers& numbers) {
  const std::string place = place_of(message);
  if (!message.name.empty()) {
    turn.others.push_back({turn.role + " named " + message.name, {place}});
  }
  for (const ContentPart& part : message.content) {
    if (says_nothing(part)) continue;
    append_part(turn, normal_part(part, numbers), message);
  }
  for (const Extension& extension : message.extensions) {
    if (is_neutral(extension)) continue;
    turn.others.push_back(
        {"extension " + extension.name, {place + "/" + extension.name}});
  }
}

void trim_prefill(std::vector<Message>& messages) {
  if (messages.empty() || messages.back().content.empty()) return;
  auto* text = messages.back().content.back().as<TextPart>();
  if (!text || messages.back().role != Role::assistant) return;
  text->text.erase(text->text.find_last_not_of(" \t\r\n") + 1);
}

void append_messages(Facts& facts, std::vector<Message> messages) {
  trim_prefill(messages);
  CallNumbers numbers;
  std::vector<Turn> turns;
  for (const Message& message : messages) {
    const std::string role = turn_role(message.role);
    const bool blank = std::all_of(message.content.begin(),
                                   message.content.end(), says_nothing);
    if (blank && message.extensions.empty()) continue;
    if (turns.empty() || turns.back().role != role) {
      turns.push_back({role, {}, {}});
    }
    append_message(turns.back(), message, numbers);
  }
  for (Turn& turn : turns) {
    std::stable_sort(turn.results.begin(), turn.results.end(),
                     [](const Fact& a, const Fact& b) {
                       return a.text.substr(0, a.text.find('\n')) <
                              b.text.substr(0, b.text.find('\n'));
                     });
    facts.insert(facts.end(), turn.results.begin(), turn.results.end());
    facts.insert(facts.end(), turn.others.begin(), turn.others.end());
  }
}

// However it says so.
bool takes_no_arguments(const RawJson& schema) {
  json::Document document;
  const auto root = document.parse(schema.text());
  if (!root || !root->is_object()) return false;
  for (const json::Value member : root->children()) {
    const std::string_view name = member.key();
    const bool empty =
        (name == "properties" || name == "required") && member.size() == 0;
    if (name != "type" && name != "additionalProperties" && name != "$schema" &&
        !empty) {
      return false;
    }
  }
  return true;
}

RawJson checked(std::string text) {
  return text.empty() ? RawJson() : RawJson::parse(std::move(text)).value();
}

// Members that a schema may leave out.
std::string normal_schema(const RawJson& schema) {
  if (takes_no_arguments(schema)) return "";
  std::string text = compact_json(schema.text());
  for (const std::string_view member :
       {"\"type\":\"object\"", "\"properties\":{}"}) {
    const std::size_t at = text.find(member);
    if (at == std::string::npos) continue;
    text.erase(at, member.size());
    if (text.compare(at, 1, ",") == 0) {
      text.erase(at, 1);
    } else if (at > 0 && text[at - 1] == ',') {
      text.erase(at - 1, 1);
    }
  }
  return text == "{}" ? "" : text;
}

std::string without_closing(const RawJson& schema) {
  std::string text = compact_json(schema.text());
  constexpr std::string_view kClosed = "\"additionalProperties\":false";
  for (std::size_t at = text.find(kClosed); at != std::string::npos;
       at = text.find(kClosed)) {
    text.erase(at, kClosed.size());
    if (text.compare(at, 1, ",") == 0) {
      text.erase(at, 1);
    } else if (at > 0 && text[at - 1] == ',') {
      text.erase(at - 1, 1);
    }
  }
  return text;
}

bool is_allowed(const ChatRequest& request, const std::string& name) {
  if (!request.tool_choice || request.tool_choice->allowed.empty()) return true;
  const std::vector<std::string>& allowed = request.tool_choice->allowed;
  return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
}

// Members of a namespace stand around its tools.
std::string around(std::string place, const std::string& name) {
  for (int i = 0; i < 2; ++i) place.resize(place.rfind('/'));
  return place + name.substr(std::min(name.find('/'), name.size()));
}

void append_tools(Facts& facts, const ChatRequest& request) {
  for (std::size_t i = 0; i < request.tools.size(); ++i) {
    ToolDefinition tool = request.tools[i];
    if (!is_allowed(request, tool.name)) continue;
    const std::string place = tool.source.text.empty()
                                  ? "/tools/" + std::to_string(i)
                                  : tool.source.text;
    if (tool.kind == ToolKind::function) {
      tool.schema = checked(normal_schema(tool.schema));
      if (tool.strict == false) tool.strict.reset();
    }
    const Extensions extensions = std::move(tool.extensions);
    tool.extensions.clear();
    facts.push_back({dump(tool), {place, "/functions/" + std::to_string(i)}});
    if (tool.cache) {
      facts.back().places.push_back(path_of(*tool.cache, place));
    }
    for (const Extension& extension : extensions) {
      if (is_neutral(extension)) continue;
      facts.push_back(
          {"extension " + extension.name,
           {place + "/" + extension.name, around(place, extension.name)}});
    }
  }
  if (request.tools.empty() || !request.tool_choice) return;
  ChatRequest choice;
  choice.tool_choice = request.tool_choice;
  choice.tool_choice->allowed.clear();
  if (choice.tool_choice == ToolChoice{}) return;
  facts.push_back({dump(choice), {"/tool_choice", "/tools", "/functions"}});
}

void append_parallel(Facts& facts, const ChatRequest& request) {
  const bool none =
      request.tool_choice && request.tool_choice->mode == ToolChoiceMode::none;
  if (request.tools.empty() || none) return;
  if (request.parallel_tool_calls != false) return;
  facts.push_back({"no parallel calls",
                   {"/parallel_tool_calls", "/tools", "/tool_choice"}});
}

void append_reasoning(Facts& facts, const ChatRequest& request) {
  Reasoning reasoning = request.reasoning;
  const std::vector<std::string> places = {"/thinking", "/reasoning_effort",
                                           "/output_config", "/reasoning",
                                           "/generationConfig"};
  if (reasoning.effort == Effort::none || reasoning.effort == Effort::minimal) {
    reasoning.effort.reset();
    reasoning.mode = ReasoningMode::off;
  }
  if (reasoning.mode == ReasoningMode::adaptive) reasoning.mode.reset();
  const bool asked =
      reasoning.mode || reasoning.effort || reasoning.budget_tokens;
  if (!asked || reasoning.display == "omitted") reasoning.display.clear();
  // Who asks a model to think is shown it, unless something else is said.
  if (reasoning.display == "summarized" && reasoning.mode) {
    reasoning.display.clear();
  }
  if (!reasoning.display.empty()) {
    facts.push_back({"thinking shown " + reasoning.display, places});
    reasoning.display.clear();
  }
  if (reasoning.mode == ReasoningMode::off || reasoning == Reasoning{}) return;
  ChatRequest rest;
  rest.reasoning = reasoning;
  facts.push_back({dump(rest), places});
}

void append_format(Facts& facts, const ChatRequest& request) {
  if (!request.response_format ||
      request.response_format->kind == FormatKind::text) {
    return;
  }
  ChatRequest rest;
  rest.response_format = request.response_format;
  // Only one of the dialects has words for these.
  rest.response_format->name.clear();
  rest.response_format->schema =
      checked(without_closing(rest.response_format->schema));
  rest.response_format->strict.reset();
  facts.push_back({dump(rest),
                   {"/response_format", "/output_config",
                    request.response_format->source.text.empty()
                        ? "/response_format"
                        : request.response_format->source.text}});
}

std::string shown(double value) {
  ChatRequest request;
  request.temperature = value;
  return dump(request);
}
std::string shown(std::int64_t value) { return std::to_string(value); }

template <class T>
void append_field(Facts& facts, const std::string& name,
                  const std::optional<T>& value, T neutral) {
  if (value && *value != neutral)
    facts.push_back({name + " " + shown(*value), {"/" + name}});
}

void append_header(Facts& facts, const ChatRequest& request) {
  facts.push_back({"model " + request.model, {"/model"}});
  if (request.stream) facts.push_back({"stream", {"/stream"}});
  if (request.max_output_tokens) {
    facts.push_back({"limit " + shown(*request.max_output_tokens),
                     {"/max_tokens", "/max_completion_tokens"}});
  }
  append_field(facts, "temperature", request.temperature, 1.0);
  append_field(facts, "top_p", request.top_p, 1.0);
  append_field(facts, "top_k", request.top_k, std::int64_t{0});
  append_field(facts, "frequency_penalty", request.frequency_penalty, 0.0);
  append_field(facts, "presence_penalty", request.presence_penalty, 0.0);
  if (request.seed) {
    facts.push_back({"seed " + shown(*request.seed), {"/seed"}});
  }
  for (const std::string& stop : request.stop_sequences) {
    if (stop.empty()) continue;
    facts.push_back({"stop " + quoted(stop), {"/stop", "/stop_sequences"}});
  }
  if (!request.user_id.empty()) {
    facts.push_back({"user " + request.user_id,
                     {"/metadata", "/user", "/safety_identifier"}});
  }
  const std::string& tier = request.service_tier;
  if (!tier.empty() && tier != "auto" && tier != "default") {
    facts.push_back(
        {"service_tier " + request.service_tier, {"/service_tier"}});
  }
}

/// What Google's clients may spell either way; losses do as the client does.
std::string in_snake_case(std::string_view place) {
  std::string out;
  for (const char c : place) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital) out += '_';
    out += capital ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

}  // namespace

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string normal_arguments(const ToolCallPart& call) {
  if (call.custom) return call.arguments;
  if (is_blank(call.arguments)) return "{}";
  json::Document document;
  const Result<json::Value> root = document.parse(call.arguments);
  if (!root) return call.arguments;
  if (root->is_null()) return "{}";
  if (root->size() == 1) {
    // How free text travels in a function, and what is no object in an input.
    for (const std::string_view wrapper : {"input", "_raw_arguments"}) {
      if ((*root)[wrapper].is_string()) {
        return std::string((*root)[wrapper].string());
      }
    }
    if ((*root)["_value"]) return compact_json((*root)["_value"].raw());
  }
  return compact_json(call.arguments);
}

Facts facts_of(const ChatRequest& request) {
  Facts facts;
  append_header(facts, request);
  append_messages(facts, request.messages);
  append_tools(facts, request);
  append_parallel(facts, request);
  append_reasoning(facts, request);
  append_format(facts, request);
  for (const Extension& extension : request.extensions) {
    if (is_neutral(extension)) continue;
    std::string place = "/" + extension.name;
    std::replace(place.begin(), place.end(), '.', '/');
    facts.push_back({"extension " + extension.name, {place}});
  }
  // Losses name places as the client's dialect spells them.
  const Dialect* dialect = find_dialect(request.dialect);
  if (dialect == nullptr) return facts;
  const FieldNames names(*dialect, request);
  for (Fact& fact : facts) {
    const std::vector<std::string> canonical = fact.places;
    for (const std::string& place : canonical) {
      fact.places.push_back(names.own(place));
      fact.places.push_back(in_snake_case(names.own(place)));
    }
  }
  return facts;
}

}  // namespace llmproxy::testing
