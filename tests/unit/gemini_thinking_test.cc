// Thinking of other providers behind Gemini clients: what they give back with
// a step's first call is enough for the next request to think on.
#include <catch2/catch.hpp>

#include "chat/step_seal.h"
#include "json/json.h"
#include "json/writer.h"
#include "llmproxy/translate.h"

namespace llmproxy {
namespace {

const Dialect& gemini() { return *find_dialect("gemini"); }

struct Upstream {
  std::string_view dialect;
  std::string model;
  ReasoningIssuer issuer;
  bool reasoning_content = false;
};
const Upstream kUpstreams[] = {
    {"claude", "claude-sonnet-4-5", ReasoningIssuer::anthropic},
    {"bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0",
     ReasoningIssuer::anthropic},
    {"bedrock-converse", "anthropic.claude-sonnet-4-5-20250929-v1:0",
     ReasoningIssuer::anthropic},
    {"openai-responses", "gpt-5", ReasoningIssuer::openai},
    {"openai-chat", "deepseek-reasoner", ReasoningIssuer::unknown, true},
};

ContentPart thought(const Upstream& upstream, std::string text,
                    std::string signature, std::string id) {
  ThinkingPart part;
  part.text = std::move(text);
  if (upstream.issuer == ReasoningIssuer::unknown) return {part, {}, {}, {}};
  part.signature = std::move(signature);
  part.issuer = upstream.issuer;
  if (upstream.issuer == ReasoningIssuer::openai) part.id = std::move(id);
  return {std::move(part), {}, {}, {}};
}

ContentPart call(std::string id, std::string name) {
  return {ToolCallPart{std::move(id), std::move(name), R"({"x":1})", false},
          {},
          {},
          {}};
}

/// The words, signatures and order of a step as a model may think it.
ChatResponse answer_of(const Upstream& upstream) {
  ChatResponse answer;
  answer.id = "r1";
  answer.model = upstream.model;
  answer.stop_reason = StopReason::tool_use;
  answer.content.push_back(thought(upstream,
                                   "weigh \"it\"\n\xE2\x80\xA8 caf\xC3\xA9",
                                   "EqQBCkYIBxgCKkA+/w==", "rs_1"));
  if (upstream.issuer == ReasoningIssuer::anthropic) {
    ThinkingPart redacted;
    redacted.redacted_data = "EmwKAhgBEgy3va3pzix/LafPsn4a";
    redacted.issuer = upstream.issuer;
    answer.content.push_back({std::move(redacted), {}, {}, {}});
  }
  if (upstream.issuer != ReasoningIssuer::unknown) {
    answer.content.push_back(thought(upstream, "", "c2Vjb25k", "rs_2"));
  }
  answer.content.push_back({TextPart{"Let me look.", {}}, {}, {}, {}});
  answer.content.push_back(call("call_1", "look"));
  answer.content.push_back(call("call_2", "ask"));
  return answer;
}

/// Thinking as it must come back, and where: "T text | signature ...", "C id",
/// and "S" for what was said, in however many pieces.
std::vector<std::string> outline(const std::vector<ContentPart>& content) {
  std::vector<std::string> out;
  for (const ContentPart& part : content) {
    if (const auto* t = part.as<ThinkingPart>()) {
      out.push_back("T " + t->text + " | " + t->signature + " | " +
                    t->redacted_data + " | " + t->id);
    } else if (const auto* c = part.as<ToolCallPart>()) {
      out.push_back("C " + c->id);
    } else if (part.as<TextPart>() && (out.empty() || out.back() != "S")) {
      out.emplace_back("S");
    }
  }
  return out;
}

/// Raw parts of what a Gemini client got, whole or as a stream.
std::vector<std::string> parts_of(std::string_view body, bool stream) {
  std::vector<std::string> out;
  while (!body.empty()) {
    std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(line.size() + 1, body.size()));
    if (stream && !line.starts_with("data: ")) continue;
    if (stream) line.remove_prefix(6);
    json::Document document;
    const auto root = document.parse(line);
    REQUIRE(root);
    for (const json::Value candidate : (*root)["candidates"].children()) {
      for (const json::Value part : candidate["content"]["parts"].children()) {
        out.emplace_back(part.raw());
      }
    }
  }
  return out;
}

std::string got_by_client(const Upstream& upstream, const ChatResponse& answer,
                          bool stream) {
  const Dialect& from = *find_dialect(upstream.dialect);
  if (!stream) {
    Losses losses;
    std::string body;
    from.encode_response(answer, {}, body, losses);
    const auto out = translate_response(from, gemini(), body);
    REQUIRE(out);
    return out->body;
  }
  StreamTranslator translator(from, gemini(), {});
  struct Feed final : EventSink {
    void on_event(const StreamEvent& event) override {
      std::string bytes;
      encoder->on_event(event, bytes);
      translator->feed(bytes, out);
    }
    std::unique_ptr<StreamEncoder> encoder;
    StreamTranslator* translator = nullptr;
    std::string out;
  } feed;
  feed.encoder = from.new_stream_encoder({});
  feed.translator = &translator;
  replay(answer, feed, /*words=*/true);
  translator.finish(feed.out);
  return feed.out;
}

/// How clients keep a turn of the model's.
enum class Echo {
  everything,     ///< Google's chat helpers
  no_thoughts,    ///< Gemini CLI: signatures of calls, no thought parts
  no_signatures,  ///< @ai-sdk/google: words of thoughts, signatures of calls
};

std::string echoed(const std::vector<std::string>& parts, Echo echo) {
  std::string out;
  bool called = false;
  for (const std::string& raw : parts) {
    json::Document document;
    const json::Value part = *document.parse(raw);
    const bool is_thought = part["thought"].is_true();
    const bool is_call = part["functionCall"].is_object();
    const bool empty =
        part["text"].is_string() && part["text"].string().empty();
    std::string kept = raw;
    if (echo != Echo::everything && empty) continue;
    if (echo == Echo::no_thoughts && is_thought) continue;
    if (echo == Echo::no_signatures && !is_call) {
      kept.clear();
      json::Writer w(kept);
      w.begin_object();
      w.member("text", part["text"].string());
      if (is_thought) w.member("thought", true);
      w.end_object();
    }
    if (is_call && !called && !part["thoughtSignature"]) {
      kept.pop_back();
      kept += R"(,"thoughtSignature":"skip_thought_signature_validator"})";
    }
    called = called || is_call;
    out += (out.empty() ? "" : ",") + kept;
  }
  return out;
}

std::string request_of(const std::string& model_parts) {
  return R"({"contents":[{"role":"user","parts":[{"text":"q"}]},)"
         R"({"role":"model","parts":[)" +
         model_parts +
         R"(]},{"role":"user","parts":[)"
         R"({"functionResponse":{"id":"call_1","name":"look",)"
         R"("response":{"output":"R1"}}},)"
         R"({"functionResponse":{"id":"call_2","name":"ask",)"
         R"("response":{"output":"R2"}}}]}],)"
         R"("tools":[{"functionDeclarations":[)"
         R"({"name":"look","parametersJsonSchema":{"type":"object"}},)"
         R"({"name":"ask","parametersJsonSchema":{"type":"object"}}]}],)"
         R"("generationConfig":{"maxOutputTokens":8000,)"
         R"("thinkingConfig":{"includeThoughts":true,"thinkingBudget":4096}}})";
}

/// What the upstream is sent, as it reads it.
ChatRequest next_request(const Upstream& upstream, const std::string& body,
                         bool thinks = true) {
  const Dialect& to = *find_dialect(upstream.dialect);
  TranslateOptions options;
  options.model = upstream.model;
  options.traits = traits_for(to, upstream.model);
  options.traits->reasoning_content = upstream.reasoning_content;
  const auto sent =
      translate_request(gemini(), to, body, options,
                        {.path = "/v1beta/models/m:generateContent"});
  if (!sent) FAIL(sent.error().message);
  for (const Loss& loss : sent->losses) {
    INFO(loss.path << ": " << loss.what);
    if (thinks) CHECK(loss.what.find("thinking is off") == std::string::npos);
    CHECK(loss.what.find("signature cannot") == std::string::npos);
  }
  const auto parsed = ParsedRequest::parse(
      to, sent->body, {.path = sent->path, .query = sent->query});
  REQUIRE(parsed);
  const auto decoded = parsed->decode();
  if (!decoded) FAIL(decoded.error().message);
  return *decoded;
}

const Message& model_turn(const ChatRequest& request) {
  for (const Message& message : request.messages) {
    if (message.role == Role::assistant) return message;
  }
  FAIL("no turn of the model's");
  return request.messages.front();
}

TEST_CASE("thinking of every provider comes back through Gemini clients",
          "[gemini_thinking]") {
  for (const Upstream& upstream : kUpstreams) {
    const ChatResponse answer = answer_of(upstream);
    for (const bool stream : {false, true}) {
      const auto parts =
          parts_of(got_by_client(upstream, answer, stream), stream);
      for (const Echo echo :
           {Echo::everything, Echo::no_thoughts, Echo::no_signatures}) {
        INFO(upstream.dialect << (stream ? ", streamed" : ", whole")
                              << ", echo " << static_cast<int>(echo));
        const ChatRequest next =
            next_request(upstream, request_of(echoed(parts, echo)));
        CHECK(outline(model_turn(next).content) == outline(answer.content));
        // Of Chat Completions the model alone decides.
        if (upstream.issuer != ReasoningIssuer::unknown) {
          CHECK(next.reasoning.mode.value_or(ReasoningMode::adaptive) !=
                ReasoningMode::off);
        }
      }
    }
  }
}

TEST_CASE("only the first call of a step is signed", "[gemini_thinking]") {
  for (const bool stream : {false, true}) {
    const auto parts = parts_of(
        got_by_client(kUpstreams[0], answer_of(kUpstreams[0]), stream), stream);
    std::vector<bool> is_signed;
    for (const std::string& raw : parts) {
      json::Document document;
      const json::Value part = *document.parse(raw);
      const bool here = part["thoughtSignature"].is_string();
      if (part["functionCall"]) {
        is_signed.push_back(here);
      } else {
        CHECK_FALSE(here);
      }
    }
    CHECK(is_signed == std::vector<bool>{true, false});
  }
}

TEST_CASE("what is thought between two calls belongs to the second",
          "[gemini_thinking]") {
  const Upstream& upstream = kUpstreams[3];
  ChatResponse answer = answer_of(upstream);
  answer.content.insert(answer.content.end() - 1,
                        thought(upstream, "and then", "dGhpcmQ=", "rs_3"));
  for (const bool stream : {false, true}) {
    const auto parts =
        parts_of(got_by_client(upstream, answer, stream), stream);
    const ChatRequest next =
        next_request(upstream, request_of(echoed(parts, Echo::no_thoughts)));
    CHECK(outline(model_turn(next).content) == outline(answer.content));
  }
}

TEST_CASE("thoughts behind a text come back behind it", "[gemini_thinking]") {
  const Upstream& upstream = kUpstreams[0];
  ChatResponse answer = answer_of(upstream);
  answer.content.insert(answer.content.end() - 2,
                        thought(upstream, "on second thought", "bGF0ZXI=", ""));
  for (const bool stream : {false, true}) {
    const auto parts =
        parts_of(got_by_client(upstream, answer, stream), stream);
    for (const Echo echo : {Echo::no_thoughts, Echo::no_signatures}) {
      const ChatRequest next =
          next_request(upstream, request_of(echoed(parts, echo)));
      CHECK(outline(model_turn(next).content) == outline(answer.content));
    }
  }
}

TEST_CASE("without a call the last text carries the thinking",
          "[gemini_thinking]") {
  const Upstream& upstream = kUpstreams[0];
  ChatResponse answer = answer_of(upstream);
  answer.content.resize(4);
  answer.stop_reason = StopReason::end_turn;
  for (const bool stream : {false, true}) {
    const auto parts =
        parts_of(got_by_client(upstream, answer, stream), stream);
    const std::string body =
        R"({"contents":[{"role":"user","parts":[{"text":"q"}]},)"
        R"({"role":"model","parts":[)" +
        echoed(parts, Echo::everything) +
        R"(]},{"role":"user","parts":[{"text":"go on"}]}],)"
        R"("generationConfig":{"maxOutputTokens":8000}})";
    const ChatRequest next = next_request(upstream, body);
    CHECK(outline(model_turn(next).content) == outline(answer.content));
  }
}

TEST_CASE("Google's own signatures stay what they are", "[gemini_thinking]") {
  const std::string parts =
      R"({"functionCall":{"id":"call_1","name":"look","args":{}},)"
      R"("thoughtSignature":"CiQBcsjafA=="},)"
      R"({"functionCall":{"id":"call_2","name":"ask","args":{}}})";
  const std::string body = request_of(parts);
  const auto passed =
      translate_request(gemini(), gemini(), body, {},
                        {.path = "/v1beta/models/m:generateContent"});
  REQUIRE(passed);
  CHECK(passed->body == body);
  // And those that are sealed for another provider are not sent to Google.
  const auto foreign = parts_of(
      got_by_client(kUpstreams[0], answer_of(kUpstreams[0]), false), false);
  const std::string mixed =
      request_of(echoed(foreign, Echo::no_thoughts) + "," + parts);
  const auto sent =
      translate_request(gemini(), gemini(), mixed, {},
                        {.path = "/v1beta/models/m:generateContent"});
  REQUIRE(sent);
  CHECK(sent->body.find("bGxtcHJveHk6") == std::string::npos);
  CHECK(sent->body.find(
            R"("thoughtSignature":"skip_thought_signature_validator")") !=
        std::string::npos);
  CHECK(sent->body.find(R"("thoughtSignature":"CiQBcsjafA==")") !=
        std::string::npos);
}

TEST_CASE("a seal is bounded, and what is no seal is harmless",
          "[gemini_thinking]") {
  StepSeal seal;
  ThinkingPart large;
  large.text.assign(StepSeal::kMaxBytes + 1, 'x');
  large.signature = "c2ln";
  seal.add(large);
  CHECK(seal.take().empty());
  CHECK(seal.overflowed());
  // The next step is a new one.
  ThinkingPart small;
  small.text = "t";
  small.signature = "c2ln";
  small.issuer = ReasoningIssuer::anthropic;
  seal.add(small);
  const std::string sealed = seal.take();
  CHECK(is_step_seal(sealed));
  const auto back = unseal_step(sealed);
  REQUIRE(back);
  REQUIRE(back->size() == 1);
  CHECK(back->front().thinking == small);

  CHECK_FALSE(unseal_step("CiQBcsjafA=="));
  CHECK_FALSE(unseal_step(""));
  // Cut, changed or made up: no thinking, and never a signature of Google's.
  for (std::size_t size = 16; size < sealed.size(); ++size) {
    const auto cut = unseal_step(sealed.substr(0, size));
    REQUIRE(cut);
    CHECK(cut->empty());
  }
  const ChatRequest next = next_request(
      kUpstreams[0],
      request_of(
          R"({"functionCall":{"id":"call_1","name":"look","args":{}},)"
          R"("thoughtSignature":")" +
          sealed.substr(0, 20) +
          R"("},{"functionCall":{"id":"call_2","name":"ask","args":{}}})"),
      false);
  CHECK(outline(model_turn(next).content) ==
        std::vector<std::string>{"C call_1", "C call_2"});
}

}  // namespace
}  // namespace llmproxy
