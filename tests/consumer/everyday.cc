// What programs write every day, compiled with -Wall -Wextra -Wpedantic
// -Werror: no initialiser of a public aggregate needs members that it has
// nothing to say of.
#include <iostream>
#include <string>
#include <vector>

#include "llmproxy/config.h"
#include "llmproxy/conversation.h"
#include "llmproxy/fallback.h"
#include "llmproxy/gateway.h"
#include "llmproxy/tools.h"
#include "llmproxy/translate.h"

using namespace llmproxy;

namespace {

Result<std::string> clock_tool(const std::string&) {
  return std::string("12:00");
}

/// Parts and messages, in every spelling that comes to mind.
std::vector<Message> conversation(const ChatResponse& answer) {
  const ContentPart converted = TextPart{"x"};
  std::vector<Message> messages{
      user_message("x"),
      Message{Role::user, {TextPart{"x"}}},
      Message{.role = Role::user, .content = {TextPart{.text = "x"}}},
      Message{Role::assistant, answer.content},
      Message{Role::user, {converted, ContentPart{TextPart{"x"}}}},
      {Role::assistant, {ToolCallPart{"c1", "clock", "{}"}}},
      {Role::user, {ToolResultPart{"c1", {TextPart{"12:00"}}}}}};
  messages.push_back({Role::user, {TextPart{"x"}, ImagePart{}}});
  messages.push_back(to_message(answer));
  messages.back().content.push_back(TextPart{"x"});
  messages.back().content.emplace_back(ThinkingPart{"x"});
  messages.push_back(tool_result(ToolCallPart{"c1", "clock"}, "12:00"));
  Message& pictures = messages.emplace_back();
  pictures.content = {
      image_from_bytes("bytes", "image/png"),
      ImagePart{{MediaKind::url, "https://example.com/cat.png"}},
      ImagePart{.source = {.data = "eA==", .media_type = "image/png"}},
      DocumentPart{{MediaKind::text, "x"}},
      AudioPart{.format = "wav"},
      RefusalPart{"no"},
      ToolResultPart{"c2"},
      ToolResultPart{.call_id = "c3", .is_error = true},
      OpaquePart{"claude"},
      ContentPart{.value = TextPart{"x"}, .cache = CacheMarker{"5m"}},
      ContentPart{TextPart{"x"}, CacheMarker{.ttl = "1h"}}};
  return messages;
}

ChatRequest request_with(std::vector<Message> messages) {
  ChatRequest request{.model = "demo", .messages = std::move(messages)};
  request.tools = {{.name = "clock", .description = "The time"},
                   ToolDefinition{ToolKind::function, "map"}};
  request.tool_choice = ToolChoice{ToolChoiceMode::named, "clock"};
  request.response_format = ResponseFormat{FormatKind::json_object};
  request.reasoning = {.effort = Effort::low};
  request.extensions = {{"x-field"}, {.name = "y", .essential = true}};
  return request;
}

/// Members of these are left out on purpose.
bool values_of_the_other_headers() {
  const Provider row{"acme", "claude"};
  Backend backend{.name = "acme", .provider = &row};
  backend.aws = {.region = "eu-west-1"};
  backend.deadlines = {.total = std::chrono::seconds(5)};
  backend.headers = {{"x-a", "1"}, Header{.name = "x-b"}};
  Config config{.server = {.port = 0}, .backends = {backend}};
  config.routes = {{"*", "acme"}, Route{.name = "x", .backend = "acme"}};
  config.limits = {.enabled = true, .limits = {.requests_per_day = 1}};
  config.limits.overrides = {{LimitKind::user, "alice"}};
  config.images = {.max_redirects = 0};
  config.server.cors = {{"https://a.example"}};
  config.origins = {{"server.port"}};
  const HttpRequest request{"POST", "/v1/messages"};
  const RequestRecord record{.status = 200};
  const UpstreamRequest upstream{.method = "GET", .url = "demo:/x"};
  const CurlOptions curl{.max_idle_connections = 1};
  const LimitScope scope{"alice"};
  const LimitVerdict verdict{.allowed = false};
  const TranslateOptions options{.model = "m"};
  const RequestContext context{.stream = true};
  const RequestHead head{.model = "m"};
  const EncodeOptions encode{.clamp_sampling = true};
  const TranslatedRequest sent{.path = "/x"};
  const TranslatedResponse got{.body = "{}"};
  const TranslatedError failed{400};
  const Error error{ErrorKind::timeout};
  const Loss loss{"/seed"};
  const StreamEvent event{EventKind::ping};
  const Usage usage{.output_tokens = 1};
  const ChatResponse answer{.model = "demo"};
  const SystemEdits edits{.append = "Be brief."};
  const GatewayHooks hooks{.limiter = nullptr};
  const ClientPath path{"/v1/x"};
  const FixedHeader fixed{"x-a"};
  const ParseLimits parse{};
  (void)config, (void)request, (void)record, (void)upstream, (void)curl;
  (void)scope, (void)verdict, (void)options, (void)context, (void)head;
  (void)encode, (void)sent, (void)got, (void)failed, (void)error, (void)loss;
  (void)event, (void)usage, (void)answer, (void)edits, (void)hooks, (void)path;
  (void)fixed, (void)parse;
  return true;
}

}  // namespace

int main() {
  const Client client(make_backend(*find_provider("demo"), Secret()),
                      make_demo_transport());
  const FallbackClient fallback({{client}, {client, "demo"}});
  const Tool clock{"clock", "The time", "{}", clock_tool};
  const Tool bare{"bare", "Nothing"};
  const CallOptions options{.deadlines = Deadlines{.idle = {}}};
  const ToolOptions tools{.call = options};

  ChatRequest request{.model = "demo"};
  request.messages.push_back({Role::user, {TextPart{"What is a proxy?"}}});
  const auto answer = fallback.send(request, options);
  if (!answer || answer->text() != "You said: What is a proxy?") return 1;
  if (!answer->tool_calls().empty()) return 2;
  request.messages.push_back(to_message(*answer));

  const ToolRun run =
      run_tools(client, {.model = "demo", .messages = {user_message("time?")}},
                {clock, bare}, tools);
  if (!run.answer || run.messages.size() != 4) return 3;

  const ChatRequest all = request_with(conversation(*answer));
  if (all.messages.size() < 10 || !values_of_the_other_headers()) return 4;
  std::cout << "written every day\n";
}
