// Custom (free text) tools for targets that know functions only: the text
// travels as the one string of a JSON object, and is unwrapped on the way
// back, also while it streams.
#pragma once

#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"
#include "llmproxy/loss.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// Turns custom tools and the history's custom calls into functions with the
/// schema {"input": string}; `context` gets the tools' names.
void wrap_custom_tools(ChatRequest& request, RequestContext& context,
                       Losses& losses);

/// Takes the text out of {"input":"..."} as it comes. Not thread-safe.
class InputUnwrapper {
 public:
  /// A fragment of the arguments; decoded text is appended to `out`.
  void feed(std::string_view fragment, std::string& out);
  /// The arguments are complete. What was no {"input": string} is recovered
  /// as well as can be; false then.
  bool finish(std::string& out);

 private:
  bool find_text();
  void decode(std::string& out);

  std::string raw_;       // what was not decoded yet
  std::size_t head_ = 0;  // tokens found of what stands before the text
  std::size_t at_ = 0;    // next byte of raw_ to look at
  bool in_text_ = false;  // behind the opening quote
  bool done_ = false;     // behind the closing quote
};

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
