// Amazon Bedrock InvokeModel with Anthropic's body: the descriptor.
#include "dialects/anthropic_family/serving.h"
#include "dialects/aws_family/serving.h"
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

constexpr std::array<std::string_view, 1> kModelRows = {"claude"};

constexpr DialectSetup kSetup = {.base_url = aws_family::kBaseUrl,
                                 .provider = "bedrock-claude"};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "Amazon Bedrock InvokeModel (Anthropic)",
    .wire = kName,
    .model_rows = kModelRows,
    .image_urls = false,
    .upstream_path = kPath,
    .upstream_stream_path = kStreamPath,
    .client_paths = kClientPaths,
    .field_names = kFieldNames,
    .nested_objects = anthropic_family::kNestedObjects,
    .headers = &aws_family::kHeaders,
    .setup = &kSetup,
    .system_shape = &anthropic_family::kSystemShape,
    .framing = Framing::event_stream,
    .stream_content_type = "application/vnd.amazon.eventstream",
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
    .read_usage = read_answer_usage,
};

}  // namespace llmproxy::bedrock
