// Requests made by hand: what no JSON can hold is refused with its true place,
// before anything is sent.
#include "llmproxy/validate.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "json/json.h"
#include "llmproxy/client.h"
#include "llmproxy/tools.h"

using namespace llmproxy;

namespace {

const std::string kBad = "bad \xff";
constexpr double kInfinite = std::numeric_limits<double>::infinity();

ContentPart part(ContentPart::Value value) {
  ContentPart out;
  out.value = std::move(value);
  return out;
}

ToolDefinition look() {
  ToolDefinition tool;
  tool.name = "look";
  tool.schema = *RawJson::parse(R"({"type":"object"})");
  return tool;
}

/// Three turns, a call and its result.
ChatRequest good() {
  ChatRequest request;
  request.model = "m";
  request.messages.push_back(system_message("Be kind"));
  request.messages.push_back(user_message("hi"));
  Message answer = assistant_message("Hm");
  answer.content.push_back(part(ToolCallPart{"c1", "look", "{}", false}));
  request.messages.push_back(std::move(answer));
  Message result;
  result.content.push_back(part(ToolResultPart{
      "c1", {part(TextPart{"42", {}}), part(TextPart{"43", {}})}, false}));
  request.messages.push_back(std::move(result));
  request.tools.push_back(look());
  return request;
}

ContentPart& first_part(ChatRequest& request) {
  return request.messages[1].content[0];
}

struct Row {
  const char* path;
  void (*spoil)(ChatRequest&);
};
const Row kRows[] = {
    {"/model", [](ChatRequest& r) { r.model = kBad; }},
    {"/messages", [](ChatRequest& r) { r.messages.clear(); }},
    {"/messages/1/name", [](ChatRequest& r) { r.messages[1].name = kBad; }},
    {"/messages/1/content/0/text",
     [](ChatRequest& r) {
       first_part(r).value = TextPart{kBad, {}};
     }},
    {"/messages/1/content/0/citations",
     [](ChatRequest& r) {
       first_part(r).value = TextPart{"x", {RawJson()}};
     }},
    {"/messages/1/content/0/source",
     [](ChatRequest& r) {
       first_part(r).value =
           ImagePart{{MediaKind::base64, kBad, "image/png"}, {}};
     }},
    {"/messages/1/content/0/source",
     [](ChatRequest& r) {
       first_part(r).value = DocumentPart{{MediaKind::url, "jpeg", {}}, {}, {}};
     }},
    {"/tools/1/name", [](ChatRequest& r) { r.tools.push_back(look()); }},
    {"/messages/1/content/0/source",
     [](ChatRequest& r) {
       first_part(r).value = AudioPart{{MediaKind::base64, "AA", kBad}, "wav"};
     }},
    {"/messages/1/content/0/format",
     [](ChatRequest& r) {
       first_part(r).value = AudioPart{{MediaKind::base64, "AA", "a"}, kBad};
     }},
    {"/messages/1/content/0/title",
     [](ChatRequest& r) {
       first_part(r).value =
           DocumentPart{{MediaKind::text, "x", "text/plain"}, kBad, {}};
     }},
    {"/messages/1/content/0/context",
     [](ChatRequest& r) {
       first_part(r).value =
           DocumentPart{{MediaKind::text, "x", "text/plain"}, {}, kBad};
     }},
    {"/messages/1/content/0/signature",
     [](ChatRequest& r) {
       first_part(r).value = ThinkingPart{.text = "x", .signature = kBad};
     }},
    {"/messages/1/content/0/redacted_data",
     [](ChatRequest& r) {
       first_part(r).value = ThinkingPart{.text = {}, .redacted_data = kBad};
     }},
    {"/messages/1/content/0/text",
     [](ChatRequest& r) { first_part(r).value = RefusalPart{kBad}; }},
    {"/messages/1/content/0/json",
     [](ChatRequest& r) {
       first_part(r).value = OpaquePart{"claude", "x", RawJson()};
     }},
    {"/messages/1/content/0/type",
     [](ChatRequest& r) {
       first_part(r).value = OpaquePart{"claude", kBad, *RawJson::parse("{}")};
     }},
    {"/messages/1/content/0/cache",
     [](ChatRequest& r) {
       first_part(r).cache = CacheMarker{kBad, {}};
     }},
    {"/messages/1/content/0",
     [](ChatRequest& r) {
       first_part(r).extensions = {{kBad, *RawJson::parse("1")}};
     }},
    {"/messages/1/content/0/x",
     [](ChatRequest& r) {
       first_part(r).extensions = {{"x", RawJson()}};
     }},
    {"/messages/2/content/1/id",
     [](ChatRequest& r) {
       r.messages[2].content[1].as<ToolCallPart>()->id = kBad;
     }},
    {"/messages/2/content/1/name",
     [](ChatRequest& r) {
       r.messages[2].content[1].as<ToolCallPart>()->name.clear();
     }},
    {"/messages/2/content/1/arguments",
     [](ChatRequest& r) {
       r.messages[2].content[1].as<ToolCallPart>()->arguments = kBad;
     }},
    {"/messages/3/content/0/call_id",
     [](ChatRequest& r) {
       r.messages[3].content[0].as<ToolResultPart>()->call_id = kBad;
     }},
    {"/messages/3/content/0/content/1/text",
     [](ChatRequest& r) {
       r.messages[3].content[0].as<ToolResultPart>()->content[1].value =
           TextPart{kBad, {}};
     }},
    {"/temperature", [](ChatRequest& r) { r.temperature = kInfinite; }},
    {"/temperature", [](ChatRequest& r) { r.temperature = -kInfinite; }},
    {"/top_p", [](ChatRequest& r) { r.top_p = std::nan(""); }},
    {"/frequency_penalty",
     [](ChatRequest& r) { r.frequency_penalty = kInfinite; }},
    {"/presence_penalty",
     [](ChatRequest& r) { r.presence_penalty = kInfinite; }},
    {"/max_output_tokens", [](ChatRequest& r) { r.max_output_tokens = -1; }},
    {"/top_k", [](ChatRequest& r) { r.top_k = -1; }},
    {"/reasoning/budget_tokens",
     [](ChatRequest& r) { r.reasoning.budget_tokens = -1; }},
    {"/reasoning/display", [](ChatRequest& r) { r.reasoning.display = kBad; }},
    {"/stop_sequences/1",
     [](ChatRequest& r) {
       r.stop_sequences = {"a", kBad};
     }},
    {"/tools/0/name", [](ChatRequest& r) { r.tools[0].name.clear(); }},
    {"/tools/0/name", [](ChatRequest& r) { r.tools[0].name = kBad; }},
    {"/tools/0/name", [](ChatRequest& r) { r.tools[0].name_space = "longer"; }},
    {"/tools/0/description",
     [](ChatRequest& r) { r.tools[0].description = kBad; }},
    {"/tools/0/schema",
     [](ChatRequest& r) { r.tools[0].schema = *RawJson::parse("[]"); }},
    {"/tools/0/schema",
     [](ChatRequest& r) {
       r.tools[0].kind = ToolKind::hosted;
       r.tools[0].schema = RawJson();
     }},
    {"/tools/0/hosted_type",
     [](ChatRequest& r) { r.tools[0].hosted_type = kBad; }},
    {"/tool_choice/name",
     [](ChatRequest& r) {
       r.tool_choice = {ToolChoiceMode::named, {}, {}};
     }},
    {"/tool_choice/allowed/0",
     [](ChatRequest& r) {
       r.tool_choice = {ToolChoiceMode::automatic, {}, {kBad}};
     }},
    {"/response_format/schema",
     [](ChatRequest& r) {
       r.response_format = ResponseFormat{};
       r.response_format->schema = *RawJson::parse("3");
     }},
    {"/response_format/name",
     [](ChatRequest& r) {
       r.response_format = ResponseFormat{};
       r.response_format->name = kBad;
     }},
    {"/response_format/description",
     [](ChatRequest& r) {
       r.response_format = ResponseFormat{};
       r.response_format->description = kBad;
     }},
    {"/user_id", [](ChatRequest& r) { r.user_id = kBad; }},
    {"/service_tier", [](ChatRequest& r) { r.service_tier = kBad; }},
    {"/dialect", [](ChatRequest& r) { r.dialect = kBad; }},
    {"/x",
     [](ChatRequest& r) {
       r.extensions = {{"x", RawJson()}};
     }},
};

/// Counts what is sent, and sends nothing.
class NeverAsked final : public Transport {
 public:
  void perform(const UpstreamRequest&, ResponseHandler& handler,
               const Cancelled&) override {
    ++calls;
    handler.on_done(invalid_request("sent"));
  }
  std::shared_ptr<Transfer> start(UpstreamRequest, ResponseHandler&) override {
    ++calls;
    return nullptr;
  }
  int calls = 0;
};

Client client_of(std::string_view provider,
                 std::shared_ptr<Transport> transport) {
  return Client(make_backend(*find_provider(provider), Secret("k")),
                std::move(transport));
}

}  // namespace

TEST_CASE("a good request is valid") { CHECK(validate(good())); }

TEST_CASE("what no JSON can hold is refused with its place") {
  for (const Row& row : kRows) {
    INFO(row.path << ", row " << &row - kRows);
    ChatRequest request = good();
    row.spoil(request);
    const Result<void> valid = validate(request);
    REQUIRE_FALSE(valid);
    CHECK(valid.error().kind == ErrorKind::invalid_request);
    CHECK(valid.error().fault == Fault::client);
    CHECK(valid.error().path == row.path);
    CHECK(json::is_json("\"" + valid.error().message + "\""));
  }
}

TEST_CASE("results in results end somewhere") {
  ChatRequest request = good();
  ContentPart deep = part(TextPart{"x", {}});
  for (int i = 0; i < 1000; ++i) {
    deep = part(ToolResultPart{"c1", {std::move(deep)}, false});
  }
  request.messages[3].content[0] = std::move(deep);
  REQUIRE_FALSE(validate(request));
}

TEST_CASE("a client sends nothing that is not valid") {
  for (const char* provider : {"openai", "anthropic", "gemini", "bedrock"}) {
    for (const Row& row : kRows) {
      INFO(provider << " " << row.path);
      const auto transport = std::make_shared<NeverAsked>();
      ChatRequest request = good();
      row.spoil(request);
      const auto answer = client_of(provider, transport).send(request);
      REQUIRE_FALSE(answer);
      CHECK(answer.error().path == row.path);
      CHECK(transport->calls == 0);
    }
  }
}

TEST_CASE("a tool's schema cannot reach beyond the tool") {
  const auto transport = std::make_shared<NeverAsked>();
  const Tool tool{"f",
                  "d",
                  R"({}}}],"store":true,"tools":[{"type":"function",)"
                  R"("function":{"name":"f","parameters":{})",
                  {}};
  ChatRequest request;
  request.model = "m";
  request.messages.push_back(user_message("hi"));
  request.tools.push_back(look());
  const ToolRun run =
      run_tools(client_of("openai", transport), request, {tool});
  REQUIRE_FALSE(run.answer);
  CHECK(run.answer.error().kind == ErrorKind::invalid_request);
  CHECK(run.answer.error().fault == Fault::client);
  CHECK(run.answer.error().path == "/tools/1/schema");
  CHECK(run.messages == request.messages);
  CHECK(transport->calls == 0);
}

TEST_CASE("losses and errors of a request made by hand say where") {
  ChatRequest request;
  request.model = "m";
  request.messages.push_back(user_message("one"));
  request.messages.push_back(assistant_message("two"));
  request.messages.push_back(user_message("three"));
  request.messages[0].name = "ann";
  request.messages[2].name = "ben";
  request.max_output_tokens = 10;
  const auto transport = std::make_shared<NeverAsked>();
  Losses losses;
  CallOptions options;
  options.losses = &losses;
  const Client client = client_of("anthropic", transport);
  (void)client.send(request, options);
  REQUIRE(losses.size() == 2);
  CHECK(losses[0].path == "/messages/0/name");
  CHECK(losses[1].path == "/messages/2/name");

  request.messages[2].content.push_back(
      part(ImagePart{{MediaKind::base64, "AAAA", "image/tiff"}, {}}));
  const auto refused = client.send(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().path == "/messages/2/content/1");
  CHECK(transport->calls == 1);
}

TEST_CASE("empty turns are dropped, and a request of them alone is refused") {
  for (const char* provider :
       {"openai", "anthropic", "gemini", "bedrock", "openai-responses"}) {
    if (find_provider(provider) == nullptr) continue;
    INFO(provider);
    const auto transport = std::make_shared<NeverAsked>();
    const Client client = client_of(provider, transport);
    ChatRequest request;
    request.model = "m";
    request.max_output_tokens = 64;
    request.messages.resize(1);
    const auto refused = client.send(request);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::invalid_request);
    CHECK(refused.error().path == "/messages/0");
    CHECK(transport->calls == 0);

    request.messages.push_back(user_message("hi"));
    Losses losses;
    CallOptions options;
    options.losses = &losses;
    (void)client.send(request, options);
    CHECK(transport->calls == 1);
    REQUIRE(losses.size() == 1);
    CHECK(losses[0].path == "/messages/0");
  }
}
