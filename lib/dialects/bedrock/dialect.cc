// Bedrock, POST /model/{model}/invoke: the descriptor.
#include "chat/aws_errors.h"
#include "dialects/bedrock/tables.h"

namespace llmproxy::bedrock {
namespace {

constexpr std::array kClientPaths = {
    ClientPath{"/model/{model}/invoke", Operation::chat, StreamChoice::never},
    ClientPath{"/model/{model}/invoke-with-response-stream", Operation::chat,
               StreamChoice::always},
};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "Bedrock InvokeModel (Anthropic body)",
    .upstream_path = "/model/{model}/invoke",
    .upstream_stream_path = "/model/{model}/invoke-with-response-stream",
    .client_paths = kClientPaths,
    .field_names = claude::kFieldNames,
    .framing = Framing::event_stream,
    .stream_content_type = "application/vnd.amazon.eventstream",
    .max_tool_name = 64,
    .custom_tools = false,
    .decode_request = decode_request,
    .encode_request = encode_request,
    .decode_response = claude::decode_response,
    .encode_response = claude::encode_response,
    .decode_error = decode_aws_error,
    .is_error = is_aws_error,
    .encode_error = encode_aws_error,
    .new_stream_decoder = new_stream_decoder,
    .new_stream_encoder = new_stream_encoder,
};

}  // namespace llmproxy::bedrock
