// Where a call goes: the request as it came, the backend that its model leads
// to, and that backend as this client may use it.
#pragma once

#include <string>
#include <string_view>

#include "gateway/call.h"
#include "gateway/routes.h"

namespace llmproxy::gateway {

/// Where the name of a model leads.
struct Place {
  Target target;
  const Backend* backend = nullptr;
};
/// Errors: nothing is called so where `exchange` asks.
Result<Place> find_place(const Exchange& exchange, std::string_view model);

/// A body at the path of `exchange`.
Result<ParsedRequest> parse_request(const Exchange& exchange,
                                    const Dialect& dialect, std::string body);

/// Sets the call's backend: as it is configured, or with what this client
/// brings for it.
void choose_backend(const Exchange& exchange, const Backend& backend,
                    UpstreamCall& call);

}  // namespace llmproxy::gateway
