// Headers: which ones cross in which direction. Allow-lists only: what no
// table names stays on its side, a client's credentials and cookies first.
#pragma once

#include <string>
#include <string_view>

#include "llmproxy/dialect.h"
#include "llmproxy/loss.h"

namespace llmproxy::gateway {

inline constexpr std::string_view kRequestIdHeader = "x-llmproxy-request-id";
inline constexpr std::string_view kLossHeader = "x-llmproxy-loss";
inline constexpr std::string_view kRetryAfter = "retry-after";

/// True for text that may stand in a header: not empty, ASCII, printable.
bool is_header_value(std::string_view text);
/// A token as RFC 9110, section 5.6.2, has it.
bool is_header_name(std::string_view text);

/// Adds the client's headers that mean something to a backend of the same
/// dialect; a header of that name that is there already gives way.
void forward_request_headers(const Dialect& dialect, const Headers& client,
                             Headers& upstream);

/// Adds `id` under the name that clients of `dialect` read, unless there is
/// one already.
void add_request_id(const Dialect& dialect, std::string_view id,
                    Headers& headers);

/// What an answer to a client of `client` dialect takes over from the
/// upstream's: retry hints, its request id (`own_id` when it has none) under
/// the name the client reads, and rate limits when both speak `client`.
Headers relay_response_headers(const Dialect& client, const Dialect& upstream,
                               const Headers& headers, std::string_view own_id);

/// Adds x-llmproxy-loss when there is a loss: "path: what; ...", at most
/// about 2 KB.
void add_loss_header(const Losses& losses, Headers& headers);

}  // namespace llmproxy::gateway
