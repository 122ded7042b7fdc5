// Gemini, POST /v1beta/models/{model}:generateContent: the descriptor.
#include <fmt/format.h>

#include "dialects/gemini/tables.h"
#include "dialects/model_list.h"
#include "json/writer.h"
#include "llmproxy/dialect_serving.h"

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

constexpr std::array kMarks = {ClientMark{.path = "/v1beta/"},
                               ClientMark{.header = "x-goog-api-key"}};

constexpr std::string_view kNestedObjects[] = {
    "candidates/0",      "fileData",         "file_data",
    "functionCall",      "function_call",    "functionResponse",
    "function_response", "generationConfig", "generation_config",
    "inlineData",        "inline_data",      "toolConfig/functionCallingConfig",
    "toolConfig"};

// Measured 2026-11 with google-genai 1.30 in Gemini CLI 0.61: an error chunk
// and an orderly end leave half an answer with exit status 0, a reset is tried
// again.
constexpr DialectHeaders kHeaders = {.request_id = "x-request-id",
                                     .breaks_failed_streams = true};

constexpr DialectSetup kSetup = {
    .key = "x-goog-api-key: KEY",
    .base_url = "the base URL of a Gemini client ends without a version",
    .provider = "gemini"};

// Gemini API reference, "Counting tokens".
constexpr CountTokens kCountTokens = {
    .wrapper = "generateContentRequest",
    .upstream_path = "/models/{model}:countTokens",
    .answer = "totalTokens"};

// Gemini API reference, "models.list", "models.get".
void write_entry(const ModelEntry& model, json::Writer& w) {
  w.begin_object();
  w.member("name", fmt::format("models/{}", model.id));
  w.member("displayName", model.id);
  w.member_raw("supportedGenerationMethods",
               R"(["generateContent","streamGenerateContent","countTokens"])");
  w.end_object();
}

void write_model_list(std::span<const ModelEntry> page, bool more,
                      std::string& out) {
  json::Writer w(out);
  w.begin_object();
  write_models<write_entry>("models", page, w);
  if (more) w.member("nextPageToken", page.back().id);
  w.end_object();
}

constexpr std::string_view kModelPaths[] = {"/v1beta/models/", "/v1/models/"};
constexpr ModelListShape kModelList = {
    .upstream_path = "/models?pageSize=1000",
    .upstream_next = "pageToken",
    .client_paths = kModelPaths,
    .write_model = write_one_model<write_entry>,
    .write_list = write_model_list,
    .limit = "pageSize",
    .after = "pageToken"};

constexpr std::string_view kSystemMembers[] = {"systemInstruction",
                                               "system_instruction"};
constexpr std::string_view kKept[] = {"cachedContent", "cached_content"};
constexpr std::string_view kJoined[] = {"user", "function", ""};
constexpr SystemShape kSystemShape = {.system = kSystemMembers,
                                      .in_string = true,
                                      .in_content = true,
                                      .new_system = R"({"parts":[{"text":$}]})",
                                      .kept = kKept,
                                      .turns = "contents",
                                      .content = "parts",
                                      .new_part = R"({"text":$})",
                                      .joined = kJoined};

constexpr std::string_view kSealed[] = {"\"thoughtSignature\"",
                                        "\"thought_signature\""};
constexpr SealedMembers kSeals = {
    .members = kSealed, .instead = "\"skip_thought_signature_validator\""};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "Gemini",
    .wire = kName,
    .vendor = "google",
    .api = "the Gemini API",
    .upstream_path = "/models/{model}:generateContent",
    .upstream_stream_path = "/models/{model}:streamGenerateContent?alt=sse",
    .client_paths = kClientPaths,
    .marks = kMarks,
    .field_names = kFieldNames,
    .nested_objects = kNestedObjects,
    .headers = &kHeaders,
    .setup = &kSetup,
    .count_tokens = &kCountTokens,
    .model_list = &kModelList,
    .system_shape = &kSystemShape,
    .seals = &kSeals,
    .framing = Framing::sse,
    .stream_content_type = "text/event-stream",
    .max_tool_name = 64,
    .custom_tools = false,
    .limits = &kLimits,
    LLMPROXY_DIALECT_MEMBERS,
};

}  // namespace llmproxy::gemini
