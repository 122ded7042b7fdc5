// Requests brought to what a target takes (lib/chat/fit.h): for `expect fitted`
// and for requests that are `given made-by-hand`.
#pragma once

#include <string>

#include "golden/scenario.h"

namespace llmproxy::testing {

/// A case's request as it stands before it is written for one target.
struct Fitted {
  ChatRequest request;
  RequestContext context;
  /// What the model takes, and what may be dropped.
  EncodeOptions options;
  Losses losses;  ///< places as the client calls them
};

/// Errors: those of reading, of validate() where the request is made by hand,
/// and of fit().
Result<Fitted> fitted(const Scenario& scenario, const Dialect& to);

/// The same as text: the canonical request, what the answer's translation is
/// told of it, and the losses; or the error.
std::string dump(const Result<Fitted>& fitted);

/// What goes to an upstream of `to`: translated, or, where it is made by hand,
/// as a Client sends it.
Result<TranslatedRequest> sent_request(const Scenario& scenario,
                                       const Dialect& to);

}  // namespace llmproxy::testing
