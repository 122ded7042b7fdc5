// Limits as requests meet them: a reservation before the upstream is asked,
// and what it really took afterwards.
#pragma once

#include <cstddef>
#include <string>

#include "gateway/exchange.h"
#include "llmproxy/translate.h"

namespace llmproxy::gateway {

/// What limits ask of a request.
struct Reading {
  std::string model;
  std::string user;  ///< as the body names it
  std::size_t bytes = 0;
  std::size_t characters = 0;
};

/// Read while the request is still there; nothing where no limits are set.
Reading read_for_limits(const Exchange& exchange, const ParsedRequest& request);

/// Asks the limiter for a chat that goes to `provider`. Errors: rate_limited,
/// whose retry_after is set; the x-ratelimit headers of the answer are added
/// to exchange.answer. Nothing where no limits are set.
Result<void> reserve(Exchange& exchange, Reading reading,
                     const std::string& provider);
/// The same for any other request with a body, of which only the size and
/// perhaps a model's name are known. Errors also: request_too_large, where the
/// model is not known for the number of values.
Result<void> reserve_unread(Exchange& exchange, const std::string& provider);

/// The request was let in and is refused after all: it has cost a request and
/// no tokens.
void refuse_reserved(Exchange& exchange);

/// Tells the limiter what a finished request took.
void settle(const Core& core, const RequestRecord& record,
            const Reservation& reservation);

}  // namespace llmproxy::gateway
