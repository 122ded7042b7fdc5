// Where each dialect keeps the system prompt and the turns, and how it writes
// a text there: all that editing them must know of a dialect.
#pragma once

#include <span>
#include <string_view>

#include "llmproxy/dialect.h"

namespace llmproxy {

using Names = std::span<const std::string_view>;

/// How a system prompt on top may hold its texts.
enum Held : unsigned {
  in_string = 1,   ///< "..."
  in_blocks = 2,   ///< [{"text": "..."}]
  in_content = 4,  ///< {"parts": [{"text": "..."}]}
};

/// One dialect. In JSON that is written, "$" stands for the text with its
/// quotes.
struct SystemShape {
  std::string_view dialect;
  /// Spellings of the member with the system prompt on top; none = it is the
  /// first turns.
  Names system = {};
  unsigned held = 0;
  /// The member's value where there was none, or the turn.
  std::string_view new_system;
  /// Members beside which no system prompt may stand: the provider keeps it.
  Names kept = {};
  std::string_view turns;
  std::string_view content;   ///< of a turn: a string, or an array of parts
  std::string_view new_part;  ///< a text, in a turn or in a system prompt
  /// Roles whose last turn the progress joins; "" = no role is given.
  Names joined = {};
  /// Roles behind whose last turn it is a turn of its own.
  Names followed = {};
  std::string_view new_turn = {};
};

/// The dialect's row, or nullptr.
const SystemShape* system_shape_of(const Dialect& dialect);

}  // namespace llmproxy
