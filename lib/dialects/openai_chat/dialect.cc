// OpenAI Chat Completions, POST /v1/chat/completions: the descriptor.
#include "dialects/openai_chat/tables.h"

namespace llmproxy::openai_chat {

namespace {

// The second is where gateways that serve several APIs have it.
constexpr std::array kClientPaths = {ClientPath{"/v1/chat/completions"},
                                     ClientPath{"/api/v1/chat/completions"}};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "OpenAI Chat Completions",
    .upstream_path = "/chat/completions",
    .upstream_stream_path = "",
    .client_paths = kClientPaths,
    .field_names = {},
    .framing = Framing::sse,
    .stream_content_type = "text/event-stream",
    .max_tool_name = 64,
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
};

}  // namespace llmproxy::openai_chat
