// What an answer says of itself, in words that the client's dialect has: the
// tier it was served by, and why it ends. For whole answers and for streams.
#pragma once

#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// The canonical tier; empty, and told, where clients of `to` have no word for
/// it.
std::string_view tier_for(const Dialect& to, std::string_view tier,
                          Losses& losses);

/// Tells an end that no dialect but the upstream's has a word for; `word` is
/// the upstream's.
void tell_unknown_stop(const Dialect& to, StopReason reason,
                       std::string_view word, Losses& losses);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
