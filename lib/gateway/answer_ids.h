// Ids of answers that are kept: our own, which nobody can guess. Where a
// backend's answer is passed on in its own words, its id is replaced there.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace llmproxy::gateway {

/// "resp_" and 128 random bits.
std::string new_answer_id();

/// Replaces the id of one answer, and the ids of items that are made of it,
/// wherever they stand as a JSON string.
class AnswerIdChange {
 public:
  /// To `id`, as new_answer_id() gives it.
  explicit AnswerIdChange(std::string id) : to_(std::move(id)) {}

  /// In a whole response object.
  void apply_to_answer(std::string& body);
  /// In whole events of a stream, of which the first names the answer.
  void apply_to_events(std::string& events);

 private:
  void replace(std::string& text) const;

  std::string to_;
  std::string from_;  ///< empty = not known yet
};

}  // namespace llmproxy::gateway
