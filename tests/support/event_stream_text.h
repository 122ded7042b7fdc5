// Binary event streams as text, so that golden cases can be read. One line a
// frame:
//
//   event contentBlockDelta {"contentBlockIndex":0,...}
//   exception throttlingException {"message":"..."}
//   error CODE a message
//   payload chunk {"p":"ab"}     an event with exactly this payload
//
// Events of dialect `bedrock` hold theirs as base64; they are shown decoded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/dialect.h"

namespace llmproxy::testing {

/// Whole frames; what is behind the last one is left out.
std::vector<std::string_view> split_frames(std::string_view bytes);

std::string text_of_frames(const Dialect& dialect, std::string_view bytes);
/// Errors: invalid_request for a line of another form.
Result<std::string> frames_of_text(const Dialect& dialect,
                                   std::string_view text);

/// A stream of `dialect` as it stands in a case: frames as text, the rest as
/// it is.
std::string stream_text(const Dialect& dialect, std::string_view bytes);

}  // namespace llmproxy::testing
