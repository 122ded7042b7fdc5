// Limits as requests meet them: a reservation before the upstream is asked,
// and what it really took afterwards.
#pragma once

#include <string>

#include "gateway/exchange.h"
#include "llmproxy/translate.h"

namespace llmproxy::gateway {

/// Asks the limiter for a chat that goes to `provider`. Errors: rate_limited,
/// whose retry_after is set; the x-ratelimit headers of the answer are added
/// to exchange.answer. Nothing where no limits are set.
Result<void> reserve(Exchange& exchange, const ParsedRequest& request,
                     const std::string& provider);
/// The same for any other request with a body, of which only the size and
/// perhaps a model's name are known.
Result<void> reserve_unread(Exchange& exchange, const std::string& provider);

/// Tells the limiter what a finished request took.
void settle(const Core& core, const RequestRecord& record,
            const Reservation& reservation);

}  // namespace llmproxy::gateway
