// What one thing of the canonical model becomes in one dialect: found out by
// encoding the same request or answer with and without it.
#pragma once

#include <string>

#include "llmproxy/loss.h"
#include "llmproxy/result.h"

namespace llmproxy::testing {

/// One body, as an encoder wrote it.
struct Encoded {
  std::string body;
  Losses losses;
};

/// The places where `with` says more or something else than `without`, and
/// whether something was lost. `values` = with short words beside the places.
std::string cell(const Result<Encoded>& without, const Result<Encoded>& with,
                 bool values);

}  // namespace llmproxy::testing
