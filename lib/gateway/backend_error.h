// What a client must know of an upstream's error besides: at which backend it
// was, and whether the key that was refused is one the client can mend.
#pragma once

#include "gateway/call.h"

namespace llmproxy::gateway {

/// An error of the way to `backend`, with its name: two may share a host.
Error at_backend(const Backend& backend, Error error);

/// The upstream's error as the client gets it, where `translated` leaves a
/// question open: a key of ours that is refused, no key at all, a base URL
/// that leads nowhere. Notes it for the log. Else `translated` as it is.
TranslatedError explained(Exchange& exchange, const UpstreamCall& call,
                          const UpstreamAnswer& upstream,
                          TranslatedError translated);

}  // namespace llmproxy::gateway
