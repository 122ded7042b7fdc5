// Recording and replaying of what goes over the network: tests of a host run
// against real answers, offline and always the same.
//
// A recording is a plain text file, to be read, edited and kept beside the
// tests. Pieces of streams stay the pieces they were; times are not kept.
//
//   llmproxy recording 1
//
//   request POST https://api.openai.com/v1/chat/completions
//   header authorization: [redacted]
//   header content-type: application/json
//   body
//   ~{"model":"gpt-5",...}
//   response 200
//   header content-type: text/event-stream
//   piece
//   |data: {"id":...}
//   |
//   end
//
// A line of bytes begins with "|", or with "~" where no line break follows
// it. "^" and two hexadecimal digits are a byte that is no printable ASCII.
// An end may have an error behind it ("end timeout: ...").
//
// No secret is written: of headers only those known to hold none, of a URL's
// query likewise; what a left-out header of the request held is masked in
// everything else too. Bodies are written as they are.
//
// Both are transports as transport.h describes them, thread-safe included.
// They keep the file (recording) or its contents (replaying) until they and
// all of their transfers are gone.
//
//   auto recorded = make_recording_transport(make_curl_transport(), "a.rec");
//   auto replayed = make_replaying_transport("a.rec");
//   if (!replayed) std::cerr << replayed.error().message;
//   Client client(backend, *replayed);
#pragma once

#include <memory>
#include <string>

#include "llmproxy/export.h"
#include "llmproxy/result.h"
#include "llmproxy/transport.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Passes everything on to `inner` and writes each finished transfer to
/// `file`, which is replaced. Errors: internal, when it cannot be written.
Result<std::shared_ptr<Transport>> make_recording_transport(
    std::shared_ptr<Transport> inner, const std::string& file);

/// Answers from `file`. A request is known by its method, URL and body;
/// headers do not count, so that any key will do. What was recorded several
/// times is answered in that order, then always with the last. What was not
/// recorded fails as `internal`, with a message that names it. Errors:
/// not_found, and invalid_request with the line that cannot be read.
Result<std::shared_ptr<Transport>> make_replaying_transport(
    const std::string& file);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
