// OpenAI Chat Completions, POST /v1/chat/completions: the descriptor.
#include "dialects/openai_chat/tables.h"
#include "dialects/openai_family/serving.h"

namespace llmproxy::openai_chat {

namespace {

// The second is where gateways that serve several APIs have it.
constexpr std::array kClientPaths = {ClientPath{"/v1/chat/completions"},
                                     ClientPath{"/api/v1/chat/completions"}};

// Older names of the same are beside the newer ones.
constexpr std::array kFieldNames = {
    FieldName{"/max_tokens", "/max_completion_tokens", "/max_tokens"},
    FieldName{"/user", "/safety_identifier", "/user"},
    FieldName{"/tool_choice", "/tool_choice", "/function_call"},
    FieldName{"/tools", "/tools", "/functions"},
    FieldName{"*/detail", "*/image_url/detail"},
};

constexpr std::array<std::string_view, 1> kNestedObjects = {"function"};

constexpr DialectHeaders kHeaders = openai_family::headers("");
constexpr DialectSetup kSetup = openai_family::setup("openai-compatible");

constexpr std::array<std::string_view, 1> kJoined = {"user"};
constexpr std::array<std::string_view, 2> kFollowed = {"tool", "function"};
constexpr SystemShape kSystemShape = {
    .new_system = R"({"role":"system","content":$})",
    .turns = "messages",
    .content = "content",
    .new_part = R"({"type":"text","text":$})",
    .joined = kJoined,
    .followed = kFollowed,
    .new_turn = R"({"role":"user","content":$})"};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "OpenAI Chat Completions",
    .wire = kName,
    .api = openai_family::kApi,
    .upstream_path = "/chat/completions",
    .client_paths = kClientPaths,
    .field_names = kFieldNames,
    .nested_objects = kNestedObjects,
    .headers = &kHeaders,
    .setup = &kSetup,
    .model_list = &openai_family::kModelList,
    .system_shape = &kSystemShape,
    .framing = Framing::sse,
    .stream_content_type = "text/event-stream",
    .max_tool_name = 64,
    .custom_tools = true,
    .limits = &kLimits,
    LLMPROXY_DIALECT_MEMBERS,
};

}  // namespace llmproxy::openai_chat
