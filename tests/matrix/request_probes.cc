#include "matrix/probes.h"

namespace llmproxy::testing {
namespace {

constexpr std::string_view kMessages = "Requests: messages";
constexpr std::string_view kParts = "Requests: parts";
constexpr std::string_view kParameters = "Requests: parameters";
constexpr std::string_view kTools = "Requests: tools";

ContentPart part(ContentPart::Value value) {
  ContentPart out;
  out.value = std::move(value);
  return out;
}

MediaSource media(MediaKind kind, std::string data, std::string type) {
  return {kind, std::move(data), std::move(type)};
}

void to_user(ChatRequest& request, ContentPart::Value value) {
  request.messages.back().content.push_back(part(std::move(value)));
}

/// A turn of the model and one of the user behind it.
void turns(ChatRequest& request) {
  Message message = assistant_message("Hm");
  message.content.push_back(part(TextPart{"so", {}}));
  request.messages.push_back(std::move(message));
  request.messages.push_back(user_message("Go on"));
}

void to_model(ChatRequest& request, ContentPart::Value value) {
  std::vector<ContentPart>& content = request.messages[1].content;
  content.insert(content.begin(), part(std::move(value)));
}

ToolCallPart call() { return {"call_1", "look", R"({"x":1})", false}; }

void tool(ChatRequest& request) {
  ToolDefinition out;
  out.name = "look";
  out.schema = *RawJson::parse(
      R"({"type":"object","properties":{"x":{"type":"integer"}}})");
  request.tools.push_back(std::move(out));
}

void result(ChatRequest& request, std::vector<ContentPart> content,
            bool is_error = false) {
  Message calls = assistant_message("Hm");
  calls.content.push_back(part(call()));
  request.messages.push_back(std::move(calls));
  ToolResultPart answer;
  answer.call_id = "call_1";
  answer.content = std::move(content);
  answer.is_error = is_error;
  Message results;
  results.content.push_back(part(std::move(answer)));
  request.messages.push_back(std::move(results));
}

void choose(ChatRequest& request, ToolChoiceMode mode) {
  request.tool_choice = ToolChoice{mode, {}, {}};
  if (mode == ToolChoiceMode::named) request.tool_choice->name = "look";
}

ThinkingPart thinking(ReasoningIssuer issuer) {
  ThinkingPart out;
  out.text = "Hm?";
  if (issuer != ReasoningIssuer::unknown) out.signature = "U0lH";
  out.issuer = issuer;
  return out;
}

using Request = ChatRequest;
constexpr Probe<ChatRequest> kProbes[] = {
    {kMessages, "system on top",
     [](Request& r) {
       r.messages.insert(r.messages.begin(), system_message("Be brief."));
     }},
    {kMessages, "system between turns",
     [](Request& r) {
       r.messages.push_back(system_message("Be brief."));
       r.messages.push_back(assistant_message("Yes"));
       r.messages.push_back(user_message("Go on"));
     }},
    {kMessages, "name of a message's author",
     [](Request& r) { r.messages.back().name = "ann"; }},
    {kMessages, "first words of the answer (prefill)",
     [](Request& r) { r.messages.push_back(assistant_message("{")); }},
    {kParts, "text",
     [](Request& r) {
       to_user(r, TextPart{"More", {}});
     }},
    {kParts, "image, bytes",
     [](Request& r) {
       to_user(r, ImagePart{media(MediaKind::base64, "AAAA", "image/png"), {}});
     }},
    {kParts, "image, URL",
     [](Request& r) {
       to_user(
           r, ImagePart{media(MediaKind::url, "https://x.test/a.png", ""), {}});
     }},
    {kParts, "image, detail high",
     [](Request& r) {
       to_user(
           r, ImagePart{media(MediaKind::base64, "AAAA", "image/png"), "high"});
     }},
    {kParts, "document, PDF bytes",
     [](Request& r) {
       to_user(r,
               DocumentPart{media(MediaKind::base64, "AAAA", "application/pdf"),
                            "a.pdf",
                            {}});
     }},
    {kParts, "document, text",
     [](Request& r) {
       to_user(r,
               DocumentPart{
                   media(MediaKind::text, "words", "text/plain"), "a.txt", {}});
     }},
    {kParts, "document, URL",
     [](Request& r) {
       to_user(r, DocumentPart{media(MediaKind::url, "https://x.test/a.pdf",
                                     "application/pdf"),
                               "a.pdf",
                               {}});
     }},
    {kParts, "file id of another provider",
     [](Request& r) {
       to_user(r,
               DocumentPart{media(MediaKind::file_id, "file_1", ""), {}, {}});
     }},
    {kParts, "audio",
     [](Request& r) {
       to_user(r,
               AudioPart{media(MediaKind::base64, "AAAA", "audio/wav"), "wav"});
     }},
    {kParts, "cache marker",
     [](Request& r) {
       r.messages.back().content.back().cache = CacheMarker{"1h", {}};
     }},
    {kParts, "earlier thinking, unsigned",
     [](Request& r) { to_model(r, thinking(ReasoningIssuer::unknown)); }, false,
     turns},
    {kParts, "earlier thinking of Claude",
     [](Request& r) { to_model(r, thinking(ReasoningIssuer::anthropic)); },
     false, turns},
    {kParts, "earlier thinking of OpenAI",
     [](Request& r) { to_model(r, thinking(ReasoningIssuer::openai)); }, false,
     turns},
    {kParts, "earlier thinking of Gemini",
     [](Request& r) { to_model(r, thinking(ReasoningIssuer::google)); }, false,
     turns},
    {kParts, "earlier refusal",
     [](Request& r) { to_model(r, RefusalPart{"No."}); }, false, turns},
    {kParts, "part only its own dialect knows",
     [](Request& r) {
       to_user(r, OpaquePart{"another", "thing",
                             *RawJson::parse(R"({"type":"thing"})")});
     }},
    {kParts, "call and result",
     [](Request& r) {
       result(r, {part(TextPart{"4", {}})});
     },
     false, tool},
    {kParts, "failed result",
     [](Request& r) {
       result(r, {part(TextPart{"gone", {}})}, true);
     },
     false, tool},
    {kParts, "image in a result",
     [](Request& r) {
       result(r, {part(ImagePart{media(MediaKind::base64, "AAAA", "image/png"),
                                 {}})});
     },
     false, tool},
    {kParameters, "output limit", [](Request& r) { r.max_output_tokens = 77; }},
    {kParameters, "temperature", [](Request& r) { r.temperature = 0.5; }},
    {kParameters, "top_p", [](Request& r) { r.top_p = 0.5; }},
    {kParameters, "top_k", [](Request& r) { r.top_k = 5; }},
    {kParameters, "frequency penalty",
     [](Request& r) { r.frequency_penalty = 0.5; }},
    {kParameters, "presence penalty",
     [](Request& r) { r.presence_penalty = 0.5; }},
    {kParameters, "seed", [](Request& r) { r.seed = 7; }},
    {kParameters, "stop sequences",
     [](Request& r) { r.stop_sequences = {"END"}; }},
    {kParameters, "id of the end user", [](Request& r) { r.user_id = "u-1"; }},
    {kParameters, "service tier priority",
     [](Request& r) { r.service_tier = "priority"; }, true},
    {kParameters, "service tier flex",
     [](Request& r) { r.service_tier = "flex"; }, true},
    {kParameters, "effort low",
     [](Request& r) { r.reasoning.effort = Effort::low; }, true},
    {kParameters, "effort high",
     [](Request& r) { r.reasoning.effort = Effort::high; }, true},
    {kParameters, "thinking, budget of 2048",
     [](Request& r) {
       r.reasoning.mode = ReasoningMode::budget;
       r.reasoning.budget_tokens = 2048;
     },
     true},
    {kParameters, "thinking, adaptive",
     [](Request& r) { r.reasoning.mode = ReasoningMode::adaptive; }, true},
    {kParameters, "thinking, off",
     [](Request& r) { r.reasoning.mode = ReasoningMode::off; }, true},
    {kParameters, "JSON answers",
     [](Request& r) {
       r.response_format = ResponseFormat{};
       r.response_format->kind = FormatKind::json_object;
     },
     true},
    {kParameters, "JSON answers after a schema",
     [](Request& r) {
       r.response_format = ResponseFormat{};
       r.response_format->kind = FormatKind::json_schema;
       r.response_format->name = "out";
       r.response_format->schema = *RawJson::parse(
           R"({"type":"object","properties":{},"additionalProperties":false})");
     }},
    {kParameters, "field only its own dialect knows",
     [](Request& r) {
       r.extensions.push_back({"own_field", *RawJson::parse("1"), false});
     }},
    {kTools, "function", tool},
    {kTools, "strict function",
     [](Request& r) { r.tools.back().strict = true; }, false, tool},
    {kTools, "cache marker of a tool",
     [](Request& r) { r.tools.back().cache = CacheMarker{}; }, false, tool},
    {kTools, "tool that runs at its provider",
     [](Request& r) {
       ToolDefinition hosted;
       hosted.kind = ToolKind::hosted;
       hosted.hosted_type = "web_search_1";
       hosted.schema = *RawJson::parse(R"({"type":"web_search_1"})");
       r.tools.push_back(std::move(hosted));
     }},
    {kTools, "choice: the model decides",
     [](Request& r) { choose(r, ToolChoiceMode::automatic); }, true, tool},
    {kTools, "choice: none",
     [](Request& r) { choose(r, ToolChoiceMode::none); }, true, tool},
    {kTools, "choice: some tool",
     [](Request& r) { choose(r, ToolChoiceMode::required); }, true, tool},
    {kTools, "choice: this tool",
     [](Request& r) { choose(r, ToolChoiceMode::named); }, true, tool},
    {kTools, "one call at a time",
     [](Request& r) { r.parallel_tool_calls = false; }, false, tool},
};

}  // namespace

ChatRequest base_request() {
  ChatRequest request;
  // Of no dialect at all, so that nothing counts as the target's own.
  request.dialect = "another";
  request.model = "model";
  request.max_output_tokens = 4096;
  // Two parts, or some dialects write a plain text instead of parts.
  request.messages.push_back(user_message("Hi"));
  request.messages.back().content.push_back(part(TextPart{"there", {}}));
  return request;
}

std::span<const Probe<ChatRequest>> request_probes() { return kProbes; }

}  // namespace llmproxy::testing
