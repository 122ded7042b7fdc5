// Arguments of tool calls for APIs that want an object where others have text.
#pragma once

#include <string>
#include <string_view>

#include "llmproxy/chat.h"
#include "llmproxy/loss.h"

namespace llmproxy {

inline constexpr std::string_view kWrappedArguments =
    "the call's arguments are no JSON object; wrapped";

/// Arguments as the object they must be: {} for nothing, broken JSON and
/// other values wrapped. True in `wrapped` when it was not one already.
std::string input_object(std::string_view arguments, bool* wrapped = nullptr);

/// The same for a call of a history; tells `who` does not take it as it was.
std::string input_of(const ToolCallPart& call, const std::string& path,
                     std::string_view who, Losses& losses);

/// The same for one call of a stream. What begins as an object passes as it
/// comes, and what it turns out to be is the model's affair: clients want it
/// early. Anything else ("null", a text, an array) waits for its end, but not
/// more than a megabyte of it: what is longer passes as it is.
class StreamedInput {
 public:
  /// A call begins. `free_text`: its arguments are no JSON; all of them wait.
  void begin(bool free_text);
  /// What is sent now; valid until the next call, as long as `piece` is.
  std::string_view take(std::string_view piece);
  /// The call ends: what is still to be sent; empty = nothing. `wrapped` as
  /// above.
  std::string rest(bool& wrapped);

 private:
  std::string held_;
  bool free_text_ = false;
  bool passes_ = false;  ///< as it comes
};

}  // namespace llmproxy
