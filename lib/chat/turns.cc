#include "chat/turns.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "chat/error_text.h"
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

/// Takes the result for `id` out of the messages from `first` up to the next
/// turn that calls tools; `moved` says whether something stood between.
bool take_result(std::vector<Message>& messages, std::size_t first,
                 std::string_view id, ContentPart& result, bool& moved) {
  bool between = false;
  for (std::size_t i = first; i < messages.size(); ++i) {
    Message& message = messages[i];
    if (has_calls(message)) return false;
    if (message.role != Role::user) {
      between = true;
      continue;
    }
    for (auto part = message.content.begin(); part != message.content.end();
         ++part) {
      const auto* candidate = part->as<ToolResultPart>();
      if (candidate == nullptr) continue;
      if (candidate->call_id != id) continue;
      result = std::move(*part);
      message.content.erase(part);
      moved = between;
      return true;
    }
  }
  return false;
}

/// The results for one assistant turn, in the order of its calls.
Message collect_results(std::vector<Message>& messages, std::size_t turn,
                        Losses& losses) {
  Message results;
  results.role = Role::user;
  for (const ContentPart& part : messages[turn].content) {
    const auto* call = part.as<ToolCallPart>();
    if (call == nullptr) continue;
    ContentPart result;
    bool moved = false;
    if (take_result(messages, turn + 1, call->id, result, moved)) {
      if (moved) {
        losses.push_back({path_of(messages[turn]),
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
      losses.push_back({path_of(messages[turn]),
                        fmt::format("tool call {} has no result; an error "
                                    "result was added",
                                    call->id),
                        LossKind::approximated});
    }
    results.content.push_back(std::move(result));
  }
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
    if (message.role == Role::system || message.role == Role::developer) {
      continue;
    }
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
      losses.push_back({path_of(message),
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

std::string reminder(std::string_view text) {
  return fmt::format("<system-reminder>\n{}\n</system-reminder>", text);
}

void fold_system_turns(std::vector<Message>& messages, Losses& losses) {
  std::vector<Message> folded;
  for (Message& message : messages) {
    const bool system =
        message.role == Role::system || message.role == Role::developer;
    const bool leading = folded.empty() || folded.back().role == Role::system ||
                         folded.back().role == Role::developer;
    if (!system || leading) {
      folded.push_back(std::move(message));
      continue;
    }
    losses.push_back(
        {path_of(message), std::string(kReminderLoss), LossKind::approximated});
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
  const SourcePlace& place = message.content[part].source;
  if (place.message == SourcePlace::kUnknown) return path_of(message);
  std::string path = message_path(place.message);
  if (!place.member.empty()) path = json::pointer(path, place.member);
  if (place.index != SourceIndex::kNone) {
    path = json::pointer(path, static_cast<std::size_t>(place.index));
  }
  return path;
}

std::string path_of(const std::string& result, const ContentPart& part,
                    std::size_t index) {
  const std::string_view member = part.source.member;
  if (member.empty()) return json::pointer(result + "/content", index);
  std::string path = json::pointer(result, member);
  if (part.source.index == SourceIndex::kNone) return path;
  return json::pointer(path, static_cast<std::size_t>(part.source.index));
}

std::string path_of(const CacheMarker& marker, const std::string& part) {
  return marker.source.text.empty() ? part
                                    : json::pointer(part, marker.source.text);
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
  std::string head(text.substr(0, 5));
  std::transform(head.begin(), head.end(), head.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return fmt::format("{}{}", head == "error" ? "" : "Error: ", text);
}

Result<void> refuse_essential(const Extensions& extensions) {
  for (const Extension& extension : extensions) {
    if (!extension.essential) continue;
    Error error = unsupported(
        fmt::format("{} is not available on this provider", extension.name),
        json::pointer("", extension.name));
    error.code = extension.name + std::string(kUnsupportedRequest);
    return error;
  }
  return {};
}

void lose_extensions(const Extensions& extensions, std::string_view path,
                     std::string_view target, Losses& losses) {
  for (const Extension& extension : extensions) {
    // Names of nested fields hold a '/' on purpose: a path, not a name.
    losses.push_back({fmt::format("{}/{}", path, extension.name),
                      fmt::format("{} has no such field", target),
                      LossKind::dropped});
  }
}

}  // namespace llmproxy
