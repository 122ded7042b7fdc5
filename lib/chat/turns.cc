#include "chat/turns.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/bounded.h"
#include "base/text.h"
#include "chat/error_text.h"
#include "chat/extensions.h"
#include "json/json.h"

namespace llmproxy {
namespace {

constexpr std::string_view kNotExecuted =
    "no result: the call was not executed";

ContentPart text_part(std::string text) {
  return {TextPart{std::move(text), {}}, {}, {}};
}

bool has_calls(const Message& message) {
  return message.role == Role::assistant &&
         std::any_of(message.content.begin(), message.content.end(),
                     [](const ContentPart& part) {
                       return part.as<ToolCallPart>() != nullptr;
                     });
}

/// Where the results are that may answer the calls of one turn: those up to
/// the next turn that calls tools, by the call they name. Taking one leaves a
/// part behind that only remove_taken() removes.
class Results {
 public:
  Results(std::vector<Message>& messages, std::size_t first)
      : messages_(messages) {
    bool between = false;
    for (std::size_t i = first; i < messages.size(); ++i) {
      if (has_calls(messages[i])) break;
      if (messages[i].role != Role::user) {
        between = true;
        continue;
      }
      for (std::size_t k = 0; k < messages[i].content.size(); ++k) {
        const auto* result = messages[i].content[k].as<ToolResultPart>();
        if (result == nullptr) continue;
        places_.emplace(result->call_id, Place{i, k, between});
      }
    }
  }

  /// The first that was not taken yet; `moved` says whether something stood
  /// between it and its call.
  bool take(std::string_view id, ContentPart& result, bool& moved) {
    const auto found = places_.lower_bound(id);
    if (found == places_.end() || found->first != id) return false;
    const Place place = found->second;
    places_.erase(found);
    result = std::move(messages_[place.message].content[place.part]);
    moved = place.between;
    taken_[place.message].push_back(place.part);
    return true;
  }

  void remove_taken() {
    for (auto& [message, parts] : taken_) {
      std::vector<ContentPart>& content = messages_[message].content;
      std::sort(parts.begin(), parts.end());
      std::vector<ContentPart> left;
      left.reserve(content.size() - parts.size());
      auto next = parts.begin();
      for (std::size_t k = 0; k < content.size(); ++k) {
        if (next != parts.end() && *next == k) {
          ++next;
        } else {
          left.push_back(std::move(content[k]));
        }
      }
      content = std::move(left);
    }
  }

 private:
  struct Place {
    std::size_t message;
    std::size_t part;
    bool between;
  };

  std::vector<Message>& messages_;
  std::multimap<std::string, Place, std::less<>> places_;
  std::map<std::size_t, std::vector<std::size_t>> taken_;
};

/// The results for one assistant turn, in the order of its calls.
Message collect_results(std::vector<Message>& messages, std::size_t turn,
                        Losses& losses) {
  Message results;
  results.role = Role::user;
  Results waiting(messages, turn + 1);
  for (const ContentPart& part : messages[turn].content) {
    const auto* call = part.as<ToolCallPart>();
    if (call == nullptr) continue;
    ContentPart result;
    bool moved = false;
    if (waiting.take(call->id, result, moved)) {
      if (moved) {
        add_loss(losses, {path_of(messages[turn]),
                          fmt::format("the result of tool call {} was moved "
                                      "directly behind its call",
                                      call->id),
                          LossKind::approximated});
      }
    } else {
      ToolResultPart synthetic;
      synthetic.call_id = call->id;
      synthetic.is_error = true;
      synthetic.content.push_back(text_part(std::string(kNotExecuted)));
      result.value = std::move(synthetic);
      add_loss(losses, {path_of(messages[turn]),
                        fmt::format("tool call {} has no result; an error "
                                    "result was added",
                                    call->id),
                        LossKind::approximated});
    }
    results.content.push_back(std::move(result));
  }
  waiting.remove_taken();
  return results;
}

/// Calls of the last turn may be still running (the client sends the turn as
/// a prefix); only calls that are followed by something need results.
bool needs_results(const std::vector<Message>& messages, std::size_t turn) {
  return has_calls(messages[turn]) && turn + 1 < messages.size();
}

}  // namespace

Result<void> pair_tool_results(std::vector<Message>& messages, Losses& losses) {
  for (const Message& message : messages) {
    if (is_system(message)) continue;
    if (!message.content.empty() &&
        message.content.front().as<ToolResultPart>() != nullptr) {
      return invalid_request(
          "a tool result cannot be the first turn: no tool call precedes it",
          path_of(message));
    }
    break;
  }

  std::vector<Message> paired;
  paired.reserve(messages.size() + 4);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    std::optional<Message> results;
    if (needs_results(messages, i)) {
      results = collect_results(messages, i, losses);
      results->source = messages[i + 1].source;
    }
    Message& message = messages[i];
    // Results no call asked for: what is left after collecting.
    for (ContentPart& part : message.content) {
      auto* orphan = part.as<ToolResultPart>();
      if (orphan == nullptr) continue;
      add_loss(losses, {path_of(message),
                        fmt::format("tool result {} answers no tool call; it "
                                    "became user text",
                                    orphan->call_id),
                        LossKind::approximated});
      part.value = TextPart{fmt::format("[tool result {}] {}", orphan->call_id,
                                        joined_text(orphan->content, "\n")),
                            {}};
    }
    paired.push_back(std::move(message));
    if (results) paired.push_back(std::move(*results));
  }
  // Turns that held nothing but results now found elsewhere.
  std::erase_if(paired, [](const Message& message) {
    return message.role == Role::user && message.content.empty();
  });
  messages = std::move(paired);
  return {};
}

namespace {

/// Fields that only its dialect knows may say something yet.
bool says_nothing(const Message& message) {
  return message.extensions.empty() &&
         std::all_of(message.content.begin(), message.content.end(),
                     [](const ContentPart& part) {
                       const auto* text = part.as<TextPart>();
                       return text != nullptr && text->text.empty() &&
                              part.extensions.empty();
                     });
}

}  // namespace

Result<void> drop_empty_turns(std::vector<Message>& messages, Losses& losses) {
  std::vector<Message> kept;
  std::optional<std::string> dropped;
  bool turns = false;
  kept.reserve(messages.size());
  for (Message& message : messages) {
    if (!says_nothing(message)) {
      turns = turns || !is_system(message);
      kept.push_back(std::move(message));
    } else if (!is_system(message)) {
      if (!dropped) dropped = path_of(message);
      if (message.role != Role::user) continue;
      add_loss(losses, {path_of(message), "an empty turn says nothing; dropped",
                        LossKind::dropped});
    }
  }
  if (dropped && !turns) {
    return invalid_request("every turn is empty: there is nothing to answer",
                           *dropped);
  }
  messages = std::move(kept);
  return {};
}

void place_tools(std::vector<ToolDefinition>& tools) {
  for (std::size_t i = 0; i < tools.size(); ++i) {
    tools[i].source.text = json::pointer("/tools", i);
  }
}

void place_by_hand(ChatRequest& request) {
  std::int32_t index = 0;
  for (Message& message : request.messages) {
    const std::int32_t place = index++;
    // A body's own system field has no index either.
    const bool by_hand = request.dialect.empty() || !is_system(message);
    if (by_hand && message.source.index == SourceIndex::kNone) {
      message.source.index = place;
    }
    std::int32_t part_index = 0;
    for (ContentPart& part : message.content) {
      const std::int32_t part_place = part_index++;
      if (part.source.message != SourcePlace::kUnknown) continue;
      part.source = {message.source.index, "content", part_place};
    }
  }
}

std::string reminder(std::string_view text) {
  return fmt::format("<system-reminder>\n{}\n</system-reminder>", text);
}

void fold_system_turns(std::vector<Message>& messages, Losses& losses) {
  std::vector<Message> folded;
  for (Message& message : messages) {
    const bool leading = folded.empty() || is_system(folded.back());
    if (!is_system(message) || leading) {
      folded.push_back(std::move(message));
      continue;
    }
    add_loss(losses, {path_of(message), std::string(kReminderLoss),
                      LossKind::approximated});
    Message as_user =
        user_message(reminder(joined_text(message.content, "\n")));
    as_user.source = message.source;
    if (folded.back().role != Role::user) {
      folded.push_back(std::move(as_user));
    } else {
      folded.back().content.push_back(std::move(as_user.content.front()));
    }
  }
  messages = std::move(folded);
}

namespace {

std::string message_path(std::int32_t index) {
  if (index == SourceIndex::kNone) return "/system";
  return json::pointer("/messages", static_cast<std::size_t>(index));
}

}  // namespace

std::string path_of(const Message& message) {
  return message_path(message.source.index);
}

std::string path_of(const Message& message, std::size_t part) {
  if (part >= message.content.size()) return path_of(message);
  const SourcePlace& place = message.content[part].source;
  if (place.message == SourcePlace::kUnknown) return path_of(message);
  std::string path = message_path(place.message);
  if (!place.member.empty()) path.append("/").append(place.member);
  if (place.index != SourceIndex::kNone) {
    path = json::pointer(path, static_cast<std::size_t>(place.index));
  }
  if (!place.inner.empty()) path.append("/").append(place.inner);
  return path;
}

std::string path_of(const std::string& result, const ContentPart& part,
                    std::size_t index) {
  const std::string_view member = part.source.member;
  if (member.empty()) return json::pointer(result + "/content", index);
  std::string path = result + "/";
  path.append(member);
  if (part.source.index == SourceIndex::kNone) return path;
  return json::pointer(path, static_cast<std::size_t>(part.source.index));
}

std::string path_of(const CacheMarker& marker, const std::string& part) {
  const std::string& place = marker.source.text;
  if (place.empty()) return part;
  return place.front() == '/' ? place : json::pointer(part, place);
}

std::string joined_text(const std::vector<ContentPart>& content,
                        std::string_view separator) {
  std::string out;
  bool first = true;
  for (const ContentPart& part : content) {
    const auto* text = part.as<TextPart>();
    if (text == nullptr) continue;
    if (!first) out += separator;
    out += text->text;
    first = false;
  }
  return out;
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

std::string marked_as_error(std::string_view text) {
  const bool marked = lower(text.substr(0, 5)) == "error";
  return fmt::format("{}{}", marked ? "" : "Error: ", text);
}

Error nothing_to_send(const ChatRequest& request, std::string_view target) {
  return unsupported(
      fmt::format("nothing of these messages can be sent to {}", target),
      request.messages.empty() ? std::string("/messages")
                               : path_of(request.messages.back()));
}

Result<void> refuse_essential(const Extensions& extensions) {
  for (const Extension& extension : extensions) {
    if (!extension.essential || says_nothing(extension)) continue;
    Error error = unsupported(
        fmt::format("{} is not available on this provider", extension.name),
        json::pointer("", extension.name));
    error.code = extension.name + std::string(kUnsupportedRequest);
    return error;
  }
  return {};
}

}  // namespace llmproxy
