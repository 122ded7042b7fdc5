// Amazon Bedrock Converse, POST /model/{id}/converse: the descriptor.
#include "chat/aws_errors.h"
#include "dialects/bedrock_converse/tables.h"

namespace llmproxy::bedrock_converse {

namespace {

constexpr std::string_view kPath = "/model/{model}/converse";
constexpr std::string_view kStreamPath = "/model/{model}/converse-stream";

constexpr std::array kClientPaths = {
    ClientPath{kPath, Operation::chat, StreamChoice::never},
    ClientPath{kStreamPath, Operation::chat, StreamChoice::always},
};

constexpr std::array kFieldNames = {
    FieldName{"/max_tokens", "/inferenceConfig/maxTokens"},
    FieldName{"/max_completion_tokens", "/inferenceConfig/maxTokens"},
    FieldName{"/temperature", "/inferenceConfig/temperature"},
    FieldName{"/top_p", "/inferenceConfig/topP"},
    FieldName{"/stop", "/inferenceConfig/stopSequences"},
    FieldName{"/top_k", "/additionalModelRequestFields/top_k"},
    FieldName{"/thinking", "/additionalModelRequestFields/thinking"},
    FieldName{"/user", "/additionalModelRequestFields/metadata/user_id"},
    FieldName{"/reasoning_effort", "/outputConfig/effort"},
    FieldName{"/response_format/json_schema/schema",
              "/outputConfig/textFormat/structure/jsonSchema/schema"},
    FieldName{"/response_format", "/outputConfig/textFormat"},
    FieldName{"/tools", "/toolConfig/tools"},
    FieldName{"/tool_choice", "/toolConfig/toolChoice"},
    FieldName{"/service_tier", "/serviceTier"},
};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "Amazon Bedrock Converse",
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

}  // namespace llmproxy::bedrock_converse
