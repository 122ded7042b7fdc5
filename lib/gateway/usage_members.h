// UsageMembers: finds out what an upstream counted in answers of which nothing
// else is read: the member `usage` of JSON of any size, or of the events of a
// stream. Reads bytes as they pass and holds no more than that member.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "llmproxy/chat.h"

namespace llmproxy::gateway {

/// Used once. What is no JSON tells nothing.
class UsageMembers {
 public:
  void feed(std::string_view bytes);
  /// What was counted so far; the last that was told counts.
  const Usage& usage() const { return usage_; }

 private:
  /// At least a byte of it.
  std::size_t take(std::string_view bytes);
  std::size_t take_string(std::string_view bytes);
  void take_mark(char mark);
  /// Of the value that is kept.
  void keep(std::string_view bytes);
  void read_kept();

  std::size_t depth_ = 0;  ///< of what is open
  bool in_string_ = false;
  bool escaped_ = false;       ///< the last byte was a backslash
  bool name_is_next_ = false;  ///< the next string is a member's name
  std::string name_;           ///< of a member of the outermost object
  bool keeping_ = false;       ///< the value of such a member
  std::string kept_;
  Usage usage_;
};

}  // namespace llmproxy::gateway
