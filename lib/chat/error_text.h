// Texts of errors: what every dialect does with an upstream's words.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "json/json.h"
#include "llmproxy/http.h"
#include "llmproxy/result.h"

namespace llmproxy {

/// Upstreams report an overlong prompt as a plain 400 in many words; the
/// kind is found by them (docs/dialects.md lists the phrases).
void refine_by_message(Error& error);

/// A message that is itself an error body in JSON (gateways behind gateways)
/// becomes the innermost message.
void unwrap_message(Error& error);

/// A readable line out of a body that is no JSON: tags removed, white space
/// collapsed, bounded.
std::string text_of_page(std::string_view body);

/// The first text in an error body of unknown shape ("detail", "message",
/// "error" ...), else the bounded body itself. Never empty.
std::string first_text(const json::Value& body);

/// The end of reading an error, but for headers: one without a message takes
/// the first text of `body`, and what the message tells is found in it.
void settle_error(Error& error, const json::Value& body);

/// What all dialects find in the object that says what failed, or in the text
/// that stands for it: an upstream's fault, the status and the message.
Error upstream_error(const json::Value& object, int status);

/// The row of a kind; there is one for each.
template <class Rows>
const auto& row_of(const Rows& rows, ErrorKind kind) {
  return *std::find_if(rows.begin(), rows.end(),
                       [&](const auto& row) { return row.kind == kind; });
}

/// How a dialect reads the object that says what failed.
using ReadErrorMembers = Error (*)(const json::Value& object, int status);
/// Reads an error body: `root` is what it holds as JSON, absent where it is
/// none. The object inside "error" counts, else the whole.
Error read_error_body(const json::Value& root, int status,
                      std::string_view body, ReadErrorMembers read);
/// The same for a whole answer, with the request id in a header.
Error read_error_answer(int status, const Headers& headers,
                        std::string_view body, ReadErrorMembers read,
                        std::string_view request_id_header);

/// retry-after, which counts more than that of the body, and the request id.
void add_headers(Error& error, const Headers& headers,
                 std::string_view request_id_header);

/// Ending of the code of an error that refuses one named feature:
/// "thread_unsupported_request".
inline constexpr std::string_view kUnsupportedRequest = "_unsupported_request";

/// "/messages/2/role" -> "messages.2.role", as the APIs write places.
std::string dotted(std::string_view pointer);

/// The message, or the kind's name where there is none.
std::string_view message_of(const Error& error);
/// The same with the place in front, for APIs without a member for it. A
/// context that is too long is told in the words by which clients know that
/// they must compact their history.
std::string message_with_place(const Error& error);

}  // namespace llmproxy
