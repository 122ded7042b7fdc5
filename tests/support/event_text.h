// Event streams (application/vnd.amazon.eventstream) as text that people can
// read and write in a golden case, one frame a line:
//
//   event contentBlockDelta {"contentBlockIndex":0,...}
//   exception throttlingException {"message":"..."}
//
// The payload of a `chunk` stands there decoded: the event it holds. A line
// `payload TYPE ...` is an event whose payload is not touched.
#pragma once

#include <string>
#include <string_view>

namespace llmproxy::testing {

std::string frames_of_text(std::string_view text);
std::string text_of_frames(std::string_view bytes);

}  // namespace llmproxy::testing
