// Anthropic Messages, POST /v1/messages: the descriptor.
#include "dialects/claude/tables.h"

namespace llmproxy::claude {

namespace {

constexpr std::array kClientPaths = {ClientPath{"/v1/messages"}};

constexpr std::array kFieldNames = {
    FieldName{"/stop", "/stop_sequences"},
    FieldName{"/reasoning_effort", "/output_config/effort"},
    FieldName{"/response_format/json_schema/schema",
              "/output_config/format/schema"},
    FieldName{"/response_format", "/output_config/format"},
    FieldName{"/user", "/metadata/user_id"},
    FieldName{"/parallel_tool_calls", "/tool_choice/disable_parallel_tool_use"},
    FieldName{"/max_completion_tokens", "/max_tokens"},
};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "Anthropic Messages",
    .upstream_path = "/messages",
    .upstream_stream_path = "",
    .client_paths = kClientPaths,
    .field_names = kFieldNames,
    .framing = Framing::sse,
    .stream_content_type = "text/event-stream; charset=utf-8",
    .max_tool_name = 64,
    .custom_tools = false,
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
