// Anthropic Messages, POST /v1/messages: the descriptor.
#include "dialects/claude/tables.h"

namespace llmproxy::claude {

namespace {

constexpr std::array kClientPaths = {
    ClientPath{"/v1/messages"},
    ClientPath{"/v1/messages/count_tokens", Operation::count_tokens}};

constexpr std::array kHeaders = {
    FixedHeader{"anthropic-version", "2023-06-01"}};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "Anthropic Messages",
    .upstream_path = "/messages",
    .upstream_stream_path = "",
    .upstream_headers = kHeaders,
    .client_paths = kClientPaths,
    .field_names = kFieldNames,
    .framing = Framing::sse,
    .stream_content_type = "text/event-stream; charset=utf-8",
    .max_tool_name = 64,
    .custom_tools = false,
    .limits = &kLimits,
    .decode_request = decode_request,
    .encode_request = encode_request,
    .decode_response = decode_response,
    .encode_response = encode_response,
    .decode_error = decode_error,
    .is_error = is_error,
    .encode_error = encode_error,
    .new_stream_decoder = new_stream_decoder,
    .new_stream_encoder = new_stream_encoder,
};

}  // namespace llmproxy::claude
