// Recording: the file of replay.h, as values: what is written for a transfer,
// and what is read again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/reply_transport.h"

namespace llmproxy {

struct RecordedTransfer {
  UpstreamRequest request;
  Reply reply;
};

inline constexpr std::string_view kRecordingTitle = "llmproxy recording 1\n";

/// The transfer without its secrets: what is written is what is left.
RecordedTransfer without_secrets(RecordedTransfer transfer);
/// A URL as recordings have it.
std::string without_secrets_in_url(std::string_view url);

/// Appends one transfer; ends in an empty line.
void write_transfer(const RecordedTransfer& transfer, std::string& out);
/// A whole file. Errors: invalid_request with the number of the line.
Result<std::vector<RecordedTransfer>> read_recording(std::string_view text);

}  // namespace llmproxy
