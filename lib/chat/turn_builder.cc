#include "chat/turn_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bounded.h"
#include "chat/turns.h"

namespace llmproxy {
namespace {

bool is_system(const Message& message) {
  return message.role == Role::system || message.role == Role::developer;
}

std::string trimmed_right(std::string_view text) {
  const auto last = text.find_last_not_of(" \t\r\n\f\v");
  return std::string(
      text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

}  // namespace

TurnBuilder::TurnBuilder(const ChatRequest& request,
                         const EncodeOptions& options, const TurnRules& rules,
                         Losses& losses)
    : request_(request), options_(options), rules_(rules), losses_(losses) {
  while (leading_ < request.messages.size() &&
         is_system(request.messages[leading_])) {
    ++leading_;
  }
  count_cache_markers();
}

void TurnBuilder::lose(std::string path, std::string what, LossKind kind) {
  add_loss(losses_, {std::move(path), std::move(what), kind});
}

/// More than four is a 400; the earliest go, since a later one covers them.
void TurnBuilder::count_cache_markers() {
  std::size_t count = 0;
  for (const ToolDefinition& tool : request_.tools) count += tool.cache ? 1 : 0;
  for (const Message& message : request_.messages) {
    for (const ContentPart& part : message.content) count += part.cache ? 1 : 0;
  }
  markers_to_skip_ = count > kMaxCacheMarkers ? count - kMaxCacheMarkers : 0;
}

const CacheMarker* TurnBuilder::take_marker(
    const std::optional<CacheMarker>& cache, const std::string& path) {
  if (!cache) return nullptr;
  if (markers_to_skip_ == 0) return &*cache;
  --markers_to_skip_;
  lose(path_of(*cache, path),
       fmt::format("{} takes {} cache markers; the first ones were left out",
                   rules_.provider, kMaxCacheMarkers));
  return nullptr;
}

const ContentPart* TurnBuilder::own_text(std::string text) {
  ContentPart part;
  part.value = TextPart{std::move(text), {}};
  made_.push_back(std::move(part));
  return &made_.back();
}

std::vector<TurnBuilder::Item> TurnBuilder::system(std::string_view extra) {
  std::vector<Item> items;
  for (std::size_t i = 0; i < leading_; ++i) {
    const Message& message = request_.messages[i];
    if (!message.name.empty()) {
      lose(path_of(message) + "/name",
           fmt::format("{} has no speaker names", rules_.provider));
    }
    if (message.source.index != SourceIndex::kNone && !rules_.own) {
      lose_extensions(message.extensions, path_of(message), rules_.provider,
                      losses_);
    }
    for (std::size_t k = 0; k < message.content.size(); ++k) {
      if (sendable(message, k)) {
        items.push_back({&message.content[k], path_of(message, k)});
      }
    }
  }
  if (!extra.empty()) items.push_back({own_text(std::string(extra)), ""});
  return items;
}

bool TurnBuilder::sendable(const ThinkingPart& thinking,
                           const std::string& path) {
  const bool is_signed =
      !thinking.redacted_data.empty() || !thinking.signature.empty();
  const bool ours = thinking.issuer == ReasoningIssuer::anthropic ||
                    (thinking.issuer == ReasoningIssuer::unknown && rules_.kin);
  if (ours && (is_signed || rules_.unsigned_thinking)) return true;
  lose(path,
       fmt::format("thinking without Anthropic's signature cannot be sent to "
                   "{}",
                   rules_.provider));
  return false;
}

/// Parts that can be sent; the others are lost here, or said nothing.
bool TurnBuilder::sendable(const Message& message, std::size_t index) {
  const ContentPart& part = message.content[index];
  const std::string path = path_of(message, index);
  if (const auto* text = part.as<TextPart>()) return !blank(text->text);
  if (const auto* said = part.as<RefusalPart>()) return !blank(said->text);
  if (const auto* opaque = part.as<OpaquePart>()) {
    if (rules_.takes_opaque(*opaque)) return true;
    lose(path,
         fmt::format("{} has no {} parts", rules_.provider, opaque->type));
    return false;
  }
  if (const auto* thinking = part.as<ThinkingPart>()) {
    return sendable(*thinking, path);
  }
  if (is_system(message)) {
    lose(path, "system messages take text only");
    return false;
  }
  return true;
}

/// Where the system turns end that `index` is one of. Each row of them is
/// walked once.
std::size_t TurnBuilder::behind_system(std::size_t index) {
  if (index < behind_system_) return behind_system_;
  behind_system_ = index + 1;
  while (behind_system_ < request_.messages.size() &&
         is_system(request_.messages[behind_system_])) {
    ++behind_system_;
  }
  return behind_system_;
}

/// A system turn stands between others only on newer models, only behind a
/// user turn, and only last or before an assistant turn.
bool TurnBuilder::system_may_stand(std::size_t index,
                                   const std::vector<Turn>& turns) {
  if (!options_.traits.system_in_messages || turns.empty() ||
      turns.back().role == Role::assistant) {
    return false;
  }
  const std::size_t next = behind_system(index);
  return next == request_.messages.size() ||
         request_.messages[next].role == Role::assistant;
}

void TurnBuilder::add_message(const Message& message, Role role,
                              std::vector<Turn>& turns) {
  std::vector<Item> items;
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    if (sendable(message, i)) {
      items.push_back({&message.content[i], path_of(message, i)});
    }
  }
  if (!message.name.empty()) {
    lose(path_of(message) + "/name",
         fmt::format("{} has no speaker names", rules_.provider));
  }
  if (!rules_.own) {
    lose_extensions(message.extensions, path_of(message), rules_.provider,
                    losses_);
  }
  if (items.empty()) return;
  if (turns.empty() || turns.back().role != role) {
    turns.push_back({role, {}, &message});
  }
  for (Item& item : items) turns.back().items.push_back(std::move(item));
}

void TurnBuilder::add_reminder(const Message& message,
                               std::vector<Turn>& turns) {
  const std::string text = joined_text(message.content, "\n");
  if (blank(text)) return;
  if (turns.empty() || turns.back().role != Role::user) {
    turns.push_back({Role::user, {}, &message});
  }
  turns.back().items.push_back({own_text(reminder(text)), path_of(message)});
  lose(path_of(message), std::string(kReminderLoss), LossKind::approximated);
}

Result<std::vector<TurnBuilder::Turn>> TurnBuilder::turns() {
  std::vector<Turn> turns;
  for (std::size_t i = leading_; i < request_.messages.size(); ++i) {
    const Message& message = request_.messages[i];
    if (!is_system(message)) {
      add_message(message, message.role, turns);
    } else if (system_may_stand(i, turns)) {
      add_message(message, Role::system, turns);
    } else {
      add_reminder(message, turns);
    }
  }
  if (turns.empty() && leading_ < request_.messages.size()) {
    return unsupported(fmt::format("nothing of these messages can be sent to "
                                   "{}",
                                   rules_.provider),
                       path_of(request_.messages[leading_]));
  }
  for (Turn& turn : turns) {
    std::stable_partition(turn.items.begin(), turn.items.end(),
                          [](const Item& item) {
                            return item.part->as<ToolResultPart>() != nullptr;
                          });
  }
  LLMPROXY_TRY(fix_ends(turns));
  return turns;
}

/// The first turn must be the user's; the last one may be the model's only
/// where it takes a prefill, which must not end in white space.
Result<void> TurnBuilder::fix_ends(std::vector<Turn>& turns) {
  if (turns.empty() || turns.front().role != Role::user) {
    turns.insert(turns.begin(), {Role::user, {{own_text("."), ""}}, nullptr});
    lose("/messages",
         fmt::format("{} wants a user turn first; a \".\" was added",
                     rules_.provider),
         LossKind::approximated);
  }
  Turn& last = turns.back();
  if (last.role != Role::assistant) return {};
  const std::string path =
      last.message != nullptr ? path_of(*last.message) : "/messages";
  if (!options_.traits.prefill) {
    if (!options_.drop_prefill) {
      return unsupported(
          fmt::format("the model {} does not support a final assistant "
                      "message (prefill)",
                      request_.model),
          path);
    }
    lose(path, "the model takes no final assistant message");
    turns.pop_back();
    return {};
  }
  Item& item = last.items.back();
  if (const auto* text = item.part->as<TextPart>()) {
    const std::string trimmed = trimmed_right(text->text);
    if (trimmed != text->text) item.part = own_text(trimmed);
  }
  return {};
}

const TextPart* plain_text(const std::vector<TurnBuilder::Item>& items) {
  if (items.size() != 1) return nullptr;
  const ContentPart& part = *items[0].part;
  const auto* text = part.as<TextPart>();
  const bool plain = text != nullptr && text->citations.empty() &&
                     !part.cache && part.extensions.empty();
  return plain ? text : nullptr;
}

}  // namespace llmproxy
