// The errors of a transfer: what libcurl's result codes mean to our callers,
// and our own.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "client/deadline_clock.h"
#include "client/origin.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// `detail` is libcurl's own sentence (CURLOPT_ERRORBUFFER); `os_error` an
/// errno or 0; `answered`: the head of an answer had come. Names the host,
/// never the rest of the URL.
Error transfer_error(CURLcode code, std::string_view detail, long os_error,
                     const Origin& origin, bool answered);
Error deadline_error(const DeadlineClock::Passed& passed, const Origin& origin);
/// Of an answer whose header lines do not end.
Error oversized_head_error(const Origin& origin);
Error cancelled_error();
/// A function of the host's threw: the call ends as if it had given up. `what`
/// is the exception's own word, or empty.
Error thrown_error(std::string_view whose, std::string_view what);
/// Our fault, or the configuration's.
Error internal_error(std::string message);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
