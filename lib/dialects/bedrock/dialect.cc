// Amazon Bedrock InvokeModel with Anthropic's body: the descriptor.
#include "chat/aws_errors.h"
#include "dialects/bedrock/tables.h"

namespace llmproxy::bedrock {

namespace {

constexpr std::string_view kPath = "/model/{model}/invoke";
constexpr std::string_view kStreamPath =
    "/model/{model}/invoke-with-response-stream";

constexpr std::array kClientPaths = {
    ClientPath{kPath, Operation::chat, StreamChoice::never},
    ClientPath{kStreamPath, Operation::chat, StreamChoice::always},
};

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
    .title = "Amazon Bedrock InvokeModel (Anthropic)",
    .upstream_path = kPath,
    .upstream_stream_path = kStreamPath,
    .client_paths = kClientPaths,
    .field_names = kFieldNames,
    .framing = Framing::event_stream,
    .stream_content_type = "application/vnd.amazon.eventstream",
    .max_tool_name = 64,
    .custom_tools = false,
    .limits = &kLimits,
    .decode_request = decode_request,
    .encode_request = encode_request,
    .decode_response = decode_response,
    .encode_response = encode_response,
    .decode_error = decode_aws_error,
    .is_error = is_aws_error,
    .encode_error = encode_aws_error,
    .new_stream_decoder = new_stream_decoder,
    .new_stream_encoder = new_stream_encoder,
};

}  // namespace llmproxy::bedrock
