// Content codings (RFC 9110, section 8.4.1): request bodies that come packed,
// and what they were before. Nothing is unpacked beyond a limit, whatever it
// claims to become.
#pragma once

#include <cstddef>
#include <string>

#include "client/unpacker.h"
#include "llmproxy/byte_budget.h"
#include "llmproxy/http.h"
#include "llmproxy/result.h"

namespace llmproxy::gateway {

/// Errors: invalid_request with status 415 for a coding that is not taken, or
/// more of them in a row than anybody needs.
Result<void> check_codings(const Headers& headers);

/// `body` without the codings that its headers name, the last first. `lease`
/// grows by what each becomes. Errors: those of check_codings(); also
/// request_too_large beyond `limit` bytes, overloaded where the budget has no
/// more, invalid_request for what is not packed as it says.
Result<std::string> unpack(const Headers& headers, std::string body,
                           std::size_t limit, ByteLease& lease);

/// What a reader of JSON can make something of: unpacked, and without a byte
/// order mark (RFC 8259, section 8.1). Errors: those of unpack(), and
/// invalid_request for UTF-16 and UTF-32.
Result<std::string> readable_body(const Headers& headers, std::string body,
                                  std::size_t limit, ByteLease& lease);

}  // namespace llmproxy::gateway
