// OpenAI Responses, POST /v1/responses: the descriptor.
#include "dialects/openai_family/serving.h"
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
    FieldName{"/user", "/safety_identifier", "/user"},
    FieldName{"/reasoning_effort", "/reasoning/effort"},
    FieldName{"/thinking", "/reasoning"},
    FieldName{"/thinking/display", "/reasoning/summary"},
    FieldName{"/response_format", "/text/format"},
    FieldName{"/response_format/json_schema", "/text/format"},
    FieldName{"*/citations", "*/annotations"},
};

// Of the models that both APIs have, the other one's rows say more.
constexpr std::array<std::string_view, 2> kModelRows = {kName, "openai-chat"};

constexpr std::array<std::string_view, 4> kNestedObjects = {
    "item", "namespace", "reasoning", "text"};

// Measured 2026-11: Codex 0.171 gives up at the first 429 without a
// retry-after.
constexpr DialectHeaders kHeaders = openai_family::headers("1");

constexpr DialectSetup kSetup = openai_family::setup("openai-responses");

// OpenAI API reference, "Get input token counts".
constexpr CountTokens kCountTokens = {
    .upstream_path = "/responses/input_tokens",
    .answer = "input_tokens",
    .object = "response.input_tokens"};

constexpr std::array<std::string_view, 1> kSystemMembers = {"instructions"};
constexpr std::array<std::string_view, 1> kFollowed = {"user"};
constexpr SystemShape kSystemShape = {
    .system = kSystemMembers,
    .in_string = true,
    .new_system = "$",
    .turns = "input",
    .content = "content",
    .new_part = R"({"type":"input_text","text":$})",
    .followed = kFollowed,
    .new_turn =
        R"({"role":"user","content":[{"type":"input_text","text":$}]})"};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = kTarget,
    .wire = kName,
    .api = openai_family::kApi,
    .model_rows = kModelRows,
    .upstream_path = "/responses",
    .client_paths = kClientPaths,
    .stored_path = "/v1/responses/",
    .field_names = kFieldNames,
    .nested_objects = kNestedObjects,
    .headers = &kHeaders,
    .setup = &kSetup,
    .count_tokens = &kCountTokens,
    .model_list = &openai_family::kModelList,
    .system_shape = &kSystemShape,
    .framing = Framing::sse,
    .stream_content_type = "text/event-stream; charset=utf-8",
    .max_tool_name = 128,
    .custom_tools = true,
    .limits = &kLimits,
    LLMPROXY_DIALECT_MEMBERS,
    .echo = echo,
};

}  // namespace llmproxy::openai_responses
