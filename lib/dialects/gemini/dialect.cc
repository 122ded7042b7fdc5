// Gemini, POST /v1beta/models/{model}:generateContent: the descriptor.
#include "dialects/gemini/tables.h"

namespace llmproxy::gemini {
namespace {

constexpr std::array kClientPaths = {
    ClientPath{"/v1beta/models/{model}:generateContent", Operation::chat,
               StreamChoice::never},
    ClientPath{"/v1beta/models/{model}:streamGenerateContent", Operation::chat,
               StreamChoice::always},
    ClientPath{"/v1beta/models/{model}:countTokens", Operation::count_tokens,
               StreamChoice::never},
    ClientPath{"/v1/models/{model}:generateContent", Operation::chat,
               StreamChoice::never},
    ClientPath{"/v1/models/{model}:streamGenerateContent", Operation::chat,
               StreamChoice::always},
    ClientPath{"/v1/models/{model}:countTokens", Operation::count_tokens,
               StreamChoice::never},
};

constexpr std::array kFieldNames = {
    FieldName{"/system", "/systemInstruction"},
    FieldName{"/messages", "/contents"},
    FieldName{"/tool_choice", "/toolConfig/functionCallingConfig"},
    FieldName{"/max_tokens", "/generationConfig/maxOutputTokens"},
    FieldName{"/temperature", "/generationConfig/temperature"},
    FieldName{"/top_p", "/generationConfig/topP"},
    FieldName{"/top_k", "/generationConfig/topK"},
    FieldName{"/presence_penalty", "/generationConfig/presencePenalty"},
    FieldName{"/frequency_penalty", "/generationConfig/frequencyPenalty"},
    FieldName{"/seed", "/generationConfig/seed"},
    FieldName{"/stop", "/generationConfig/stopSequences"},
    FieldName{"/response_format", "/generationConfig/responseMimeType"},
    FieldName{"/response_format/json_schema/schema",
              "/generationConfig/responseJsonSchema"},
    FieldName{"/thinking", "/generationConfig/thinkingConfig"},
    FieldName{"/thinking/display",
              "/generationConfig/thinkingConfig/includeThoughts"},
    FieldName{"/thinking/budget_tokens",
              "/generationConfig/thinkingConfig/thinkingBudget"},
    FieldName{"/reasoning_effort",
              "/generationConfig/thinkingConfig/thinkingLevel"},
    FieldName{"/service_tier", "/serviceTier"},
};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "Gemini",
    .upstream_path = "/models/{model}:generateContent",
    .upstream_stream_path = "/models/{model}:streamGenerateContent?alt=sse",
    .client_paths = kClientPaths,
    .field_names = kFieldNames,
    .framing = Framing::sse,
    .stream_content_type = "text/event-stream",
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

}  // namespace llmproxy::gemini
