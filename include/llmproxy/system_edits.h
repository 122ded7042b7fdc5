// What an operator does to the system prompt of requests on their way: texts
// replaced, a text appended, and a summary of how far the conversation is.
//
// Works inside the client's own bytes: what is not edited goes on exactly as
// it came, so that it can still be passed on, and cached, as it is. Plain
// values and one pure function; thread-safe.
//
//   SystemEdits edits;
//   edits.append = "Answer in English.";
//   LLMPROXY_ASSIGN(std::string body, edit_system(request, edits));
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "llmproxy/export.h"
#include "llmproxy/result.h"
#include "llmproxy/translate.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// What to do to a system prompt. By default nothing.
struct SystemEdits {
  /// (old, new) text, applied in order to every system text: each sees what
  /// the ones before it made. An empty old text never matches. What is
  /// replaced as a whole by nothing stays as an empty text, which some
  /// providers refuse.
  std::vector<std::pair<std::string, std::string>> replacements = {};
  /// Appended to the system prompt behind a blank line, after the
  /// replacements.
  std::string append = {};
  /// A summary of the conversation so far is put at its end, as
  /// <session-progress> in the user's last turn or right behind it: what
  /// stands before it is as it was, so provider prompt caches still hit.
  /// Only once the model has spoken, and not where it is to go on with its
  /// own words, nor behind a system message.
  bool progress = false;

  /// True when nothing would be edited.
  bool empty() const {
    return replacements.empty() && append.empty() && !progress;
  }
};

/// The request's body with its system prompt edited, in the client's own
/// dialect; every other byte stays as it is. A text in which something is
/// replaced is written anew, its escapes included; what else its block holds
/// (cache_control) stays. System messages between others are edited too, but
/// only the prompt at the top is appended to; where there is none one is
/// made, unless the provider keeps it [gemini: cachedContent].
/// Errors: as ParsedRequest::decode where progress is asked for a body that
/// cannot be read; else a body of unexpected shape is left alone where it is
/// odd.
Result<std::string> edit_system(const ParsedRequest& request,
                                const SystemEdits& edits);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
