#include "dialects/anthropic_family/turn_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bounded.h"
#include "base/text.h"
#include "chat/losses.h"
#include "chat/tool_arguments.h"
#include "chat/turns.h"

namespace llmproxy::anthropic_family {
namespace {

/// How long a prefix can be kept; empty = the API's default.
constexpr std::array<std::string_view, 3> kLifetimes = {"", "5m", "1h"};

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

void TurnBuilder::lose(std::string path, std::string_view thing) {
  llmproxy::lose(losses_, std::move(path), rules_.target, thing);
}

void TurnBuilder::lose(std::string path, std::string_view thing,
                       std::string_view became) {
  llmproxy::lose(losses_, std::move(path), rules_.target, thing, became);
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
       fmt::format("more than {} cache markers", kMaxCacheMarkers));
  return nullptr;
}

std::string_view TurnBuilder::lifetime(const CacheMarker& marker,
                                       const std::string& path) {
  if (listed(kLifetimes, marker.ttl)) {
    return marker.ttl;
  }
  lose(path_of(marker, path) + "/ttl",
       fmt::format("a cache lifetime of {}", marker.ttl),
       "its default is used");
  return {};
}

const ContentPart* TurnBuilder::own_text(std::string text) {
  ContentPart part;
  part.value = TextPart{std::move(text), {}};
  made_.push_back(std::move(part));
  return &made_.back();
}

std::vector<TurnBuilder::PlacedPart> TurnBuilder::system() {
  std::vector<PlacedPart> parts;
  for (std::size_t i = 0; i < leading_; ++i) {
    add_parts(request_.messages[i], parts);
  }
  return parts;
}

/// Only the kind of model that has signed it can read it again. Of whom nobody
/// says whose it is, it is the target's: fit() leaves no other.
bool TurnBuilder::sendable(const ThinkingPart& thinking,
                           const std::string& path) {
  const bool is_signed =
      !thinking.redacted_data.empty() || !thinking.signature.empty();
  const bool ours = thinking.issuer == ReasoningIssuer::anthropic ||
                    thinking.issuer == ReasoningIssuer::unknown;
  if (ours && (is_signed || rules_.unsigned_thinking)) return true;
  lose(path, "thinking without Anthropic's signature");
  return false;
}

/// Parts that can be sent; the others are lost here, or said nothing.
bool TurnBuilder::sendable(const Message& message, std::size_t index) {
  const ContentPart& part = message.content[index];
  if (const auto* text = part.as<TextPart>()) return !blank(text->text);
  if (const auto* said = part.as<RefusalPart>()) return !blank(said->text);
  if (part.as<OpaquePart>() != nullptr) return true;
  const std::string path = path_of(message, index);
  if (const auto* thinking = part.as<ThinkingPart>()) {
    return sendable(*thinking, path);
  }
  if (is_system(message)) {
    lose(path, "anything but text in system messages");
    return false;
  }
  return true;
}

void TurnBuilder::add_parts(const Message& message,
                            std::vector<PlacedPart>& parts) {
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    if (sendable(message, i)) {
      parts.push_back({&message.content[i], path_of(message, i)});
    }
  }
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
  std::vector<PlacedPart> parts;
  add_parts(message, parts);
  if (parts.empty()) return;
  if (turns.empty() || turns.back().role != role) {
    turns.push_back({role, {}, &message});
  }
  for (PlacedPart& part : parts) turns.back().parts.push_back(std::move(part));
}

void TurnBuilder::add_reminder(const Message& message,
                               std::vector<Turn>& turns) {
  const std::string text = joined_text(message.content, "\n");
  if (blank(text)) return;
  if (turns.empty() || turns.back().role != Role::user) {
    turns.push_back({Role::user, {}, &message});
  }
  turns.back().parts.push_back({own_text(reminder(text)), path_of(message)});
  add_loss(losses_, {path_of(message), std::string(kReminderLoss),
                     LossKind::approximated});
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
    return unsupported(
        fmt::format("nothing of these messages can be sent to {}",
                    rules_.target),
        path_of(request_.messages[leading_]));
  }
  for (Turn& turn : turns) {
    std::stable_partition(turn.parts.begin(), turn.parts.end(),
                          [](const PlacedPart& placed) {
                            return placed.part->as<ToolResultPart>() != nullptr;
                          });
  }
  begin_with_user(turns);
  LLMPROXY_TRY(end_as_taken(turns));
  return turns;
}

void TurnBuilder::begin_with_user(std::vector<Turn>& turns) {
  if (!turns.empty() && turns.front().role == Role::user) return;
  turns.insert(turns.begin(), {Role::user, {{own_text("."), ""}}, nullptr});
  lose("/messages", "a conversation that does not begin with the user",
       "a user turn \".\" was added");
}

/// The last turn may be the model's only where it takes a prefill, which must
/// not end in white space.
Result<void> TurnBuilder::end_as_taken(std::vector<Turn>& turns) {
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
    llmproxy::lose(losses_, path, "the model " + request_.model,
                   "a final assistant message");
    turns.pop_back();
    return {};
  }
  PlacedPart& placed = last.parts.back();
  if (const auto* text = placed.part->as<TextPart>()) {
    const std::string_view trimmed = trimmed_right(text->text, " \t\r\n\f\v");
    if (trimmed.size() < text->text.size()) {
      placed.part = own_text(std::string(trimmed));
    }
  }
  return {};
}

std::string TurnBuilder::input_of(const ToolCallPart& call,
                                  const std::string& path) {
  return llmproxy::input_of(call, path, rules_.target, losses_);
}

const TextPart* plain_text(const std::vector<TurnBuilder::PlacedPart>& parts) {
  if (parts.size() != 1) return nullptr;
  const ContentPart& part = *parts[0].part;
  const auto* text = part.as<TextPart>();
  const bool plain = text != nullptr && text->citations.empty() &&
                     !part.cache && part.extensions.empty();
  return plain ? text : nullptr;
}

}  // namespace llmproxy::anthropic_family
