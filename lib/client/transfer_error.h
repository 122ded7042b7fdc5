// The errors of a transfer: what libcurl's result codes mean to our callers,
// and our own.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "client/deadline_clock.h"
#include "client/origin.h"
#include "llmproxy/result.h"

namespace llmproxy {

/// `detail` is libcurl's own sentence (CURLOPT_ERRORBUFFER); `os_error` an
/// errno or 0. Names the host, never the rest of the URL.
Error transfer_error(CURLcode code, std::string_view detail, long os_error,
                     const Origin& origin);
Error deadline_error(const DeadlineClock::Passed& passed, const Origin& origin);
Error cancelled_error();
/// Our fault, or the configuration's.
Error internal_error(std::string message);

}  // namespace llmproxy
