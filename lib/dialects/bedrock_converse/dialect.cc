// Amazon Bedrock Converse, POST /model/{id}/converse: the descriptor.
#include "dialects/aws_family/serving.h"
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
    FieldName{"/response_format/json_schema",
              "/outputConfig/textFormat/structure/jsonSchema"},
    FieldName{"/response_format", "/outputConfig/textFormat"},
    FieldName{"/tools", "/toolConfig/tools"},
    FieldName{"/tool_choice", "/toolConfig/toolChoice"},
    FieldName{"/service_tier", "/serviceTier"},
    FieldName{"*/document/citations", "*/document/citations"},
    FieldName{"*/citations", "*/citationsContent/citations"},
    FieldName{"*/context", "*/document/context"},
};

// Models of others first: their names are in no row of Claude's.
constexpr std::array<std::string_view, 2> kModelRows = {kName, "claude"};

constexpr std::array kMarks = {ClientMark{.path = "/model/"}};

constexpr std::array kNestedObjects = std::to_array<std::string_view>(
    {"additionalModelRequestFields", "audio", "citationsContent", "document",
     "guardContent/text", "image", "inferenceConfig", "outputConfig",
     "reasoningContent", "toolConfig", "toolSpec", "toolResult", "toolUse"});

constexpr DialectSetup kSetup = {.base_url = aws_family::kBaseUrl,
                                 .provider = "bedrock"};

constexpr std::array<std::string_view, 1> kSystemMembers = {"system"};
constexpr std::array<std::string_view, 1> kJoined = {"user"};
constexpr SystemShape kSystemShape = {.system = kSystemMembers,
                                      .in_blocks = true,
                                      .new_system = R"([{"text":$}])",
                                      .turns = "messages",
                                      .content = "content",
                                      .new_part = R"({"text":$})",
                                      .joined = kJoined};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "Amazon Bedrock Converse",
    .wire = kName,
    .model_rows = kModelRows,
    .image_urls = false,
    .upstream_path = kPath,
    .upstream_stream_path = kStreamPath,
    .client_paths = kClientPaths,
    .marks = kMarks,
    .field_names = kFieldNames,
    .nested_objects = kNestedObjects,
    .headers = &aws_family::kHeaders,
    .setup = &kSetup,
    .system_shape = &kSystemShape,
    .framing = Framing::event_stream,
    .stream_content_type = "application/vnd.amazon.eventstream",
    .max_tool_name = 64,
    .custom_tools = false,
    .limits = &kLimits,
    LLMPROXY_DIALECT_MEMBERS,
};

}  // namespace llmproxy::bedrock_converse
