// OpenAI Responses, POST /v1/responses: the descriptor.
#include "dialects/openai_responses/tables.h"

namespace llmproxy::openai_responses {
namespace {

constexpr std::array kClientPaths = {
    ClientPath{"/v1/responses"},
    ClientPath{"/v1/responses/input_tokens", Operation::count_tokens}};

constexpr std::array kFieldNames = {
    FieldName{"/system", "/instructions"},
    FieldName{"/messages", "/input"},
    FieldName{"/max_tokens", "/max_output_tokens"},
    FieldName{"/reasoning_effort", "/reasoning/effort"},
    FieldName{"/thinking", "/reasoning"},
    FieldName{"/thinking/display", "/reasoning/summary"},
    FieldName{"/response_format", "/text/format"},
    FieldName{"/response_format/json_schema", "/text/format"},
    FieldName{"*/citations", "*/annotations"},
};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "OpenAI Responses",
    .upstream_path = "/responses",
    .upstream_stream_path = "",
    .client_paths = kClientPaths,
    .field_names = kFieldNames,
    .framing = Framing::sse,
    .stream_content_type = "text/event-stream; charset=utf-8",
    .max_tool_name = 128,
    .custom_tools = true,
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
    .echo = echo,
};

}  // namespace llmproxy::openai_responses
