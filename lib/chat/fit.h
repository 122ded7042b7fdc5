// Brings a canonical request to what its target can take, once, before it is
// written: between decode and encode.
//
// Behind it, the request says exactly what goes out, and encoders write it
// without a question: what is set is taken by the target, what is not taken is
// gone and told as a loss. In particular
//
//  - max_output_tokens is set where the target demands it;
//  - reasoning holds the members to write, no more: a mode, a budget and an
//    effort in the target's own terms (ThinkingWords), `display` only where it
//    can be asked for;
//  - tools are those that are sent, their schemas, `strict`, namespaces and
//    cache markers as they are sent; a private tool that stands in for
//    structured output is the last of them, named in RequestContext::json_tool;
//    `source` of the others is their place in the canonical list, for losses;
//  - tool_choice can be said, names a tool that is there, and has `allowed`
//    only where the target has a word for it;
//  - response_format is there only where it can be asked for natively; what the
//    model must be told in words instead is a system text;
//  - user_id and service_tier are taken; the tier is the target's own word;
//  - extensions, cache markers, names, citations and file ids that are not the
//    target's are gone, on the request, its tools, messages and parts.
//
// A request that was written for this very dialect is not fitted (What is not
// translated is not touched), save by DialectLimits::traits_for_own. One made
// by hand is: only its extensions and hosted tools count as the target's own.
#pragma once

#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"
#include "llmproxy/dialect_limits.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"

namespace llmproxy {

/// Whose words a request is in, as seen from its target.
enum class Wording : std::uint8_t {
  own,      ///< the target's own dialect
  hand,     ///< a program's: in nobody's words
  family,   ///< a dialect of the same body
  foreign,  ///< any other dialect
};

/// Who a request goes to.
struct FitTarget {
  const DialectLimits* limits;   ///< of the dialect
  const EncodeOptions* options;  ///< what the model takes, what may be dropped
  Wording wording;
};

/// The wording of `request` for a target that speaks `to`.
Wording wording_of(const ChatRequest& request, const Dialect& to);

/// See above. Errors: unsupported, invalid_request, with the place.
Result<void> fit(ChatRequest& request, const FitTarget& target,
                 RequestContext& context, Losses& losses);

}  // namespace llmproxy
