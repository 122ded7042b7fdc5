// How an answer ends: what was called counts more than the word a provider
// ends with, and what cannot be called is no call. The same for answers in one
// piece and for streams (event_gate.h).
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/enum_table.h"
#include "llmproxy/chat.h"
#include "llmproxy/loss.h"

namespace llmproxy::json {
class ObjectReader;
}

namespace llmproxy {

/// What an answer holds besides the word for its end.
struct AnswerFacts {
  bool called = false;   ///< a call that the client can answer
  bool refused = false;  ///< a refusal in words
};

/// The reason to stop that fits what was answered: forced calls and many
/// servers finish with "stop", some say "tool_calls" and call nothing.
StopReason settled_stop(StopReason said, AnswerFacts facts);

/// What a provider's word for a stop means.
template <std::size_t N>
StopReason stop_reason_of(const EnumTable<StopReason, N>& rows,
                          std::string_view word) {
  return from_wire(rows, word).value_or(StopReason::other);
}

/// Who does not take what no canonical answer has; for losses.
inline constexpr std::string_view kCanonicalForm = "the canonical form";

inline constexpr std::string_view kNamelessCall =
    "a tool call without a name was dropped";

/// Ids of an answer's calls: clients find a result's call by them, so that no
/// two may be the same. Some servers give the same one to all.
class CallIds {
 public:
  /// `given`, or one of this answer alone where it is empty or was given
  /// before; ids of later turns differ, too. `part`: the place of the call.
  std::string settle(std::string_view given, std::string_view answer_id,
                     std::size_t part);

 private:
  bool note(std::string_view id);

  /// Hashes, as ids may be long: one that is taken for another gets an id of
  /// ours, which does no harm.
  std::unordered_set<std::size_t> seen_;
};

/// Takes out calls without a name, which nobody can answer, and settles the
/// ids of the others and the reason to stop. For every dialect, at the end of
/// decoding an answer.
void settle_answer(ChatResponse& response, Losses& losses);

/// `id` as one that begins with `prefix`: that takes the place of another
/// API's, which are `others`.
std::string id_with(std::string_view prefix,
                    std::initializer_list<std::string_view> others,
                    std::string_view id);

/// What `body` has besides the members that were taken: extensions, but for
/// `bookkeeping`, which describes the call and not the answer.
void keep_rest(const json::ObjectReader& body,
               std::span<const std::string_view> bookkeeping,
               ChatResponse& response);

/// What a dialect says where it has no word for a stop.
struct StopWords {
  std::string_view who;     ///< "OpenAI Chat"
  std::string_view paused;  ///< "finish_reason is stop"
  std::string_view full;    ///< the same for a full context window
};
/// Tells what such a dialect cannot say of a stop.
void lose_stop(const StopWords& words, StopReason reason,
               std::string_view stop_sequence, Losses& losses);

}  // namespace llmproxy
