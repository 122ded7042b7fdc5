// validate(): does a Config made by hand hang together?
//
// load_config() and its like give none that does not; the Gateway's constructor
// cannot fail. A pure function.
//
//   if (Result<void> valid = validate(config); !valid)
//     std::cerr << valid.error().message << '\n';
#pragma once

#include "llmproxy/config.h"
#include "llmproxy/export.h"
#include "llmproxy/result.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Success when every backend is whole, no two have one name, and every route
/// leads to one. Errors: invalid_request of Fault::client.
Result<void> validate(const Config& config);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
