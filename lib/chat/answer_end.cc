#include "chat/answer_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "chat/losses.h"
#include "json/fields.h"

namespace llmproxy {

StopReason settled_stop(StopReason said, AnswerFacts facts) {
  if (said == StopReason::tool_use && !facts.called) {
    said = StopReason::end_turn;
  }
  if (said != StopReason::end_turn && said != StopReason::other) return said;
  if (facts.called) return StopReason::tool_use;
  return facts.refused ? StopReason::refusal : said;
}

std::string CallIds::settle(std::string_view given, std::string_view answer_id,
                            std::size_t part) {
  if (!given.empty() && note(given)) return std::string(given);
  std::string id = fmt::format("call_{}_{}", answer_id, part);
  while (!note(id)) id += '_';
  return id;
}

bool CallIds::note(std::string_view id) {
  return seen_.insert(std::hash<std::string_view>()(id)).second;
}

void settle_answer(ChatResponse& response, Losses& losses) {
  AnswerFacts facts;
  CallIds ids;
  std::vector<ContentPart> kept;
  kept.reserve(response.content.size());
  for (std::size_t i = 0; i < response.content.size(); ++i) {
    ContentPart& part = response.content[i];
    if (auto* call = part.as<ToolCallPart>()) {
      if (call->name.empty()) {
        losses.push_back({json::pointer("/content", i),
                          std::string(kNamelessCall), LossKind::dropped});
        continue;
      }
      call->id = ids.settle(call->id, response.id, kept.size());
      facts.called = true;
    }
    const auto* image = part.as<ImagePart>();
    if (image != nullptr && image->source.kind != MediaKind::base64) {
      lose(losses, json::pointer("/content", i), kCanonicalForm,
           "images that only their provider can read");
      continue;
    }
    facts.refused = facts.refused || part.as<RefusalPart>() != nullptr;
    kept.push_back(std::move(part));
  }
  response.content = std::move(kept);
  response.stop_reason = settled_stop(response.stop_reason, facts);
}

std::string id_with(std::string_view prefix,
                    std::initializer_list<std::string_view> others,
                    std::string_view id) {
  if (id.starts_with(prefix)) return std::string(id);
  for (const std::string_view other : others) {
    if (!id.starts_with(other)) continue;
    id.remove_prefix(other.size());
    break;
  }
  return fmt::format("{}{}", prefix, id);
}

void keep_rest(const json::ObjectReader& body,
               std::span<const std::string_view> bookkeeping,
               ChatResponse& response) {
  for (Extension& extension : body.rest()) {
    if (std::find(bookkeeping.begin(), bookkeeping.end(), extension.name) ==
        bookkeeping.end()) {
      response.extensions.push_back(std::move(extension));
    }
  }
}

void lose_stop(const StopWords& words, StopReason reason,
               std::string_view stop_sequence, Losses& losses) {
  if (reason == StopReason::pause) {
    lose(losses, "/stop_reason", words.who, "paused turns", words.paused);
  } else if (reason == StopReason::context_window) {
    lose(losses, "/stop_reason", words.who,
         "a full context window as a reason to stop", words.full);
  }
  if (!stop_sequence.empty()) {
    lose(losses, "/stop_sequence", words.who, "the stop sequence that matched");
  }
}

}  // namespace llmproxy
