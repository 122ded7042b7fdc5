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

/// True for headers that end at the next hop: those of the connection, and
/// those that a connection header among `headers` names [RFC 9110, section
/// 7.6.1].
bool is_hop_header(const Headers& headers, std::string_view name);

/// Adds the client's headers that mean something to a backend of the same
/// dialect. A header of that name that is there already gives way, unless it
/// is one of `configured`, which stay; lists such as anthropic-beta hold what
/// both say.
void forward_request_headers(const Dialect& dialect, const Headers& client,
                             const Headers& configured, Headers& upstream);

/// Adds one header of the client's where there is none of that name yet; a
/// list such as anthropic-beta gets the words that it lacks.
void add_client_header(const Header& header, Headers& upstream);

/// Puts `configured` in the place of the client's headers of those names;
/// lists such as anthropic-beta hold what both say.
void put_configured_headers(const Headers& configured, Headers& headers);

/// Adds `id` under the name that clients of `dialect` read, unless there is
/// one already.
void add_request_id(const Dialect& dialect, std::string_view id,
                    Headers& headers);

/// What an answer to a client of `client` dialect takes over from the
/// upstream's: retry hints, its request id (`own_id` when it has none) under
/// the name the client reads, and rate limits when both speak `client`.
Headers relay_response_headers(const Dialect& client, const Dialect& upstream,
                               const Headers& headers, std::string_view own_id);

/// Adds when to try again, where the error says so and no header does; or
/// where clients of `client` give up without (a second then).
void add_retry_after(const Dialect& client, const Error& error,
                     Headers& headers);

/// Clients of `client` take the orderly end of a stream for that of a whole
/// answer, also behind an error: a failed one is to be broken off.
bool breaks_failed_streams(const Dialect& client);

/// What of an upstream's headers may stand in an answer that is passed on as
/// it is: all but those of the connection, and those that would tell a
/// browser, or a server in front of us, something about our own origin.
Headers passable_answer_headers(const Headers& upstream);

/// Adds x-llmproxy-loss when there is a loss: "path: what; ...", at most
/// about 2 KB.
void add_loss_header(const Losses& losses, Headers& headers);

}  // namespace llmproxy::gateway
