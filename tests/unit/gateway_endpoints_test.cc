// Gateway: endpoints that are no chat, found by the model their requests name.
#include <catch2/catch.hpp>

#include "gateway/model_paths.h"
#include "support/gateway_fixture.h"
#include "support/text_body.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

const std::string kAnswer =
    R"({"object":"list","data":[],"model":"up","usage":{"prompt_tokens":8,)"
    R"("total_tokens":8}})";

Config config_with_gemini() {
  Config config = test_config();
  config.backends.push_back(test_backend("gemini-side", "gemini",
                                         "http://gemini.test", "gemini-key"));
  config.routes.push_back({"gem", "gemini-side", "gem/up"});
  config.routes.push_back({"gem-*", "gemini-side", ""});
  return config;
}

struct Asked {
  int status = 0;
  std::string body;          ///< of the answer
  UpstreamRequest upstream;  ///< no URL = none was asked
  RequestRecord record;
};

Asked ask(HttpRequest request, const Config& config = config_with_gemini(),
          Script script = Script().head(200, json_head()).body(kAnswer)) {
  GatewayFixture fixture(config);
  fixture.upstream->play(std::move(script));
  fixture.handle(std::move(request));
  const auto sent = fixture.upstream->requests();
  return {fixture.sink->status(), fixture.sink->body(),
          sent.empty() ? UpstreamRequest{} : sent.front(), fixture.record()};
}

Headers form_head(const std::string& boundary = "b") {
  return {{"content-type", "multipart/form-data; boundary=" + boundary}};
}

std::string part(const std::string& name, const std::string& content,
                 const std::string& more = "") {
  return "--b\r\ncontent-disposition: form-data; name=\"" + name + "\"" + more +
         "\r\n\r\n" + content + "\r\n";
}

const std::string kFile =
    part("file", "RIFF\r\n--cd\n\x01", "; filename=\"a.wav\"");
const std::string kEnd = "--b--\r\n";

std::string error_of(const Asked& asked) {
  return at(asked.body, "error", "message");
}

}  // namespace

TEST_CASE("each endpoint passes JSON on with key and model, nothing else") {
  struct Row {
    std::string path;
    std::string url;
  };
  const std::string up = "http://openai.test/v1";
  const Row rows[] = {
      {"/v1/embeddings", up + "/embeddings"},
      {"/v1/completions", up + "/completions"},
      {"/v1/moderations", up + "/moderations"},
      {"/v1/images/generations", up + "/images/generations"},
      {"/v1/images/edits", up + "/images/edits"},
      {"/v1/images/variations", up + "/images/variations"},
      {"/v1/audio/transcriptions", up + "/audio/transcriptions"},
      {"/v1/audio/translations", up + "/audio/translations"},
      {"/v1/audio/speech", up + "/audio/speech"},
      {"/v1/rerank", up + "/rerank"},
      {"/v2/rerank", up + "/rerank"},
      {"/rerank", up + "/rerank"},
  };
  std::size_t openai = 0;
  for (const auto& row : gateway::model_paths()) {
    openai += row.place == gateway::ModelPlace::body ? 1 : 0;
  }
  CHECK(std::size(rows) == openai);
  for (const Row& row : rows) {
    CAPTURE(row.path);
    HttpRequest request =
        post(row.path, R"({ "input":"\u00e9", "model" : "gpt", "n":1e0 })",
             {{"authorization", "Bearer client-own"},
              {"x-api-key", "client-own"},
              {"api-key", "client-own"},
              {"cookie", "client-own"},
              {"openai-organization", "org"},
              {"x-odd", "1"}});
    request.query = "key=client-own&a=1";
    const Asked asked = ask(request);
    CHECK(asked.status == 200);
    CHECK(asked.body == kAnswer);
    CHECK(asked.upstream.method == "POST");
    CHECK(asked.upstream.url == row.url);
    CHECK(asked.upstream.body ==
          R"({ "input":"\u00e9", "model" : "gpt-up", "n":1e0 })");
    const Headers& headers = asked.upstream.headers;
    CHECK(find_header(headers, "authorization") == "Bearer " + kOpenAiKey);
    CHECK(find_header(headers, "content-type") == "application/json");
    CHECK(find_header(headers, "accept") == "*/*");
    CHECK(find_header(headers, "openai-organization") == "org");
    CHECK(find_header(headers, "x-odd").empty());
    for (const Header& header : headers) {
      CHECK_FALSE(contains(header.value, "client-own"));
    }
    CHECK(asked.record.model == "gpt");
    CHECK(asked.record.upstream_model == "gpt-up");
    CHECK(asked.record.backend == "openai-side");
    CHECK(asked.record.client_dialect == "openai-chat");
    CHECK(asked.record.input_tokens == 8);
    CHECK(asked.record.outcome == "ok");
  }
}

TEST_CASE("a model that needs no other name leaves every byte") {
  const std::string body =
      "\n{\"model\":\"gpt-5\",\"stream\":true,\"x\":\"\xc3\xa9\"}\n";
  const Asked asked = ask(post("/v1/completions", body));
  CHECK(asked.upstream.body == body);
  CHECK(asked.record.stream);
  const std::string form = part("model", "gpt-audio") + kFile + kEnd;
  CHECK(
      ask(post("/v1/audio/transcriptions", form, form_head())).upstream.body ==
      form);
}

TEST_CASE("a model is replaced in a form, wherever it stands") {
  const std::string prompt = part("prompt", "gpt");
  const std::vector<std::pair<std::string, std::string>> rows = {
      {part("model", "gpt") + kFile + prompt + kEnd,
       part("model", "gpt-up") + kFile + prompt + kEnd},
      {kFile + prompt + part("model", "gpt") + "--b--",
       kFile + prompt + part("model", "gpt-up") + "--b--"},
      {part("model", "gpt", "; filename=blob\r\ncontent-type: text/plain") +
           kEnd,
       part("model", "gpt-up", "; filename=blob\r\ncontent-type: text/plain") +
           kEnd},
  };
  for (const auto& [before, after] : rows) {
    HttpRequest request = post("/v1/audio/transcriptions", before, form_head());
    const Asked asked = ask(request);
    CHECK(asked.status == 200);
    CHECK(asked.upstream.body == after);
    CHECK(find_header(asked.upstream.headers, "content-type") ==
          "multipart/form-data; boundary=b");
    // The same, held elsewhere than in memory.
    request.body.clear();
    request.large_body = std::make_shared<TextBody>(before);
    const Asked large = ask(request);
    CHECK(large.status == 200);
    CHECK(large.upstream.body.empty());
    REQUIRE(large.upstream.large_body);
    CHECK(large.upstream.large_body->size() == after.size());
    CHECK(read_all(*large.upstream.large_body) == after);
  }
}

TEST_CASE("a form that cannot be read goes nowhere") {
  struct Row {
    std::string body;
    std::string says;
    Headers head = form_head();
    int status = 400;
  };
  const std::string model = part("model", "gpt");
  const std::vector<Row> rows = {
      {kFile + kEnd, "model is required"},
      {part("model", "") + kEnd, "model is required"},
      {model + model + kEnd, "more than once"},
      {part("model", std::string(2000, 'x')) + kEnd, "too long"},
      {model + kFile, "breaks off"},
      {model + kEnd, "boundary", {{"content-type", "multipart/form-data"}}},
      {"", "nowhere"},
      {model + kEnd, "nowhere", form_head("other")},
      {part("model", "gpt-zz\xff") + "--b\n\r\n", "LF"},
      {model + kEnd,
       "content-encoding",
       {{"content-type", "multipart/form-data; boundary=b"},
        {"content-encoding", "gzip"}},
       415},
      {part("model", "nosuch") + kEnd, "nosuch", form_head(), 404},
      {part("model", "claude") + kEnd, "claude-side"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body, row.says);
    const Asked asked =
        ask(post("/v1/audio/transcriptions", row.body, row.head));
    CHECK(asked.status == row.status);
    CHECK_THAT(error_of(asked), Catch::Contains(row.says));
    CHECK(asked.upstream.url.empty());
  }
}

TEST_CASE("a body is read as what its head says") {
  const Asked form =
      ask(post("/v1/embeddings", part("model", "gpt") + kEnd, form_head()));
  CHECK(form.status == 415);
  CHECK_THAT(error_of(form), Catch::Contains("/v1/embeddings takes JSON"));
  const Asked junk = ask(post("/v1/audio/transcriptions", "RIFF\x01",
                              {{"content-type", "audio/wav"}}));
  CHECK(junk.status == 400);
  CHECK_THAT(error_of(junk), Catch::Contains("multipart/form-data"));
  // As `curl -d` has it.
  CHECK(ask(post("/v1/embeddings", R"({"model":"gpt"})",
                 {{"content-type", "application/x-www-form-urlencoded"}}))
            .status == 200);
}

TEST_CASE("a JSON body must name one model") {
  struct Row {
    std::string body;
    int status;
    std::string says;
  };
  const Row rows[] = {
      {R"({"input":"x"})", 400, "model is required"},
      {R"({"model":null})", 400, "model is required"},
      {R"({"model":""})", 400, "model is required"},
      {R"({"model":5})", 400, "must be a string"},
      {R"({"model":["gpt"]})", 400, "must be a string"},
      {R"({"model":"gpt","model":"gpt-5"})", 400, "more than once"},
      {R"({"model":"gpt","MODEL":"gpt-5"})", 400, "more than once"},
      {R"({"Model":"gpt"})", 400, "lower case"},
      {R"(["gpt"])", 400, "JSON object"},
      {R"({"model":"gpt")", 400, ""},
      {"", 400, ""},
      {R"({"model":"nosuch"})", 404, "nosuch"},
      {R"({"model":"nosuch","x":{"model":"gpt"}})", 404, "nosuch"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    const Asked asked = ask(post("/v1/embeddings", row.body));
    CHECK(asked.status == row.status);
    CHECK_THAT(error_of(asked), Catch::Contains(row.says));
    CHECK(asked.upstream.url.empty());
  }
  const Asked missing = ask(post("/v1/embeddings", R"({"input":"x"})"));
  CHECK(at(missing.body, "error", "param") == "model");
  const Asked unknown = ask(post("/v1/embeddings", R"({"model":"nosuch"})"));
  CHECK(at(unknown.body, "error", "code") == "model_not_found");
}

TEST_CASE("an API's usual model is asked where it is served") {
  const std::string body = R"({"prompt":"a cat"})";
  const Asked none = ask(post("/v1/images/generations", body));
  CHECK(none.status == 400);
  CHECK_THAT(error_of(none), Catch::Contains("dall-e-2"));

  Config config = test_config();
  config.routes.push_back({"dall-e-*", "openai-side", ""});
  CHECK(ask(post("/v1/images/generations", body), config).upstream.body ==
        body);
  CHECK(ask(post("/v1/images/generations", body), config).record.model ==
        "dall-e-2");

  config.routes.back().model = "pictures-*";
  CHECK(ask(post("/v1/images/generations", body), config).upstream.body ==
        R"({"model":"pictures-2","prompt":"a cat"})");
  CHECK(ask(post("/v1/images/generations", "{}"), config).upstream.body ==
        R"({"model":"pictures-2"})");
  CHECK(ask(post("/v1/images/generations", R"({"model":null,"n":1})"), config)
            .upstream.body == R"({"model":"pictures-2","n":1})");
  const std::string image = part("image", "PNG", "; filename=a.png");
  CHECK(ask(post("/v1/images/edits", image + kEnd, form_head()), config)
            .upstream.body == part("model", "pictures-2") + image + kEnd);
}

TEST_CASE("a backend of another form is named, in the client's words") {
  const Asked openai =
      ask(post("/v1/embeddings", R"({"model":"claude","input":"x"})"));
  CHECK(openai.status == 400);
  CHECK(openai.upstream.url.empty());
  for (const char* word : {"/v1/embeddings", "the OpenAI API", "claude-side",
                           "Anthropic Messages"}) {
    CHECK_THAT(error_of(openai), Catch::Contains(word));
  }
  CHECK(at(openai.body, "error", "type") == "invalid_request_error");

  const Asked gemini = ask(
      post("/v1beta/models/gpt:embedContent", R"({"content":{"parts":[]}})"));
  CHECK(gemini.status == 400);
  CHECK_THAT(error_of(gemini), Catch::Contains("the Gemini API"));
  CHECK(at(gemini.body, "error", "status") == "INVALID_ARGUMENT");
  CHECK(ask(post("/v1/embeddings", R"({"model":"gem"})")).status == 400);

  const Asked unknown = ask(post("/v1beta/models/no:embedContent", "{}"));
  CHECK(unknown.status == 404);
  CHECK(at(unknown.body, "error", "status") == "NOT_FOUND");
}

TEST_CASE("Gemini's embeddings name the model in the path and the body") {
  const std::string base = "http://gemini.test/v1beta/models/gem%2Fup";
  const Asked one =
      ask(post("/v1beta/models/gem:embedContent",
               R"({ "model":"models/gem", "content":{"parts":[{"text":"x"}]}})",
               {{"x-goog-api-key", "client-own"}}));
  CHECK(one.status == 200);
  CHECK(one.upstream.url == base + ":embedContent");
  CHECK(one.upstream.body ==
        R"({ "model":"models/gem/up", "content":{"parts":[{"text":"x"}]}})");
  CHECK(find_header(one.upstream.headers, "x-goog-api-key") == "gemini-key");
  CHECK(one.record.client_dialect == "gemini");

  const Asked many = ask(
      post("/v1/models/gem:batchEmbedContents",
           R"({"requests":[{"model":"models/gem","content":{}},{"content":{},)"
           R"("model":"gem"},{"content":{"model":"models/other"}}]})"));
  CHECK(many.status == 200);
  CHECK(many.upstream.url == base + ":batchEmbedContents");
  CHECK(many.upstream.body ==
        R"({"requests":[{"model":"models/gem/up","content":{}},{"content":{},)"
        R"("model":"gem/up"},{"content":{"model":"models/other"}}]})");

  const std::string as_is =
      R"({"requests":[{"model":"models/gem-1","content":{}}]})";
  CHECK(ask(post("/v1beta/models/gem-1:batchEmbedContents", as_is))
            .upstream.body == as_is);

  for (const char* body :
       {R"({"requests":[{"model":"models/gem"},{"model":"models/gem-1"}]})",
        R"({"requests":[{"model":"models/gem","model":"models/gem"}]})",
        R"({"requests":[{"Model":"models/gem-1"}]})",
        R"({"model":"models/models/gem"})", R"({"model":{}})"}) {
    CAPTURE(body);
    const Asked refused =
        ask(post("/v1beta/models/gem:batchEmbedContents", body));
    CHECK(refused.status == 400);
    CHECK(refused.upstream.url.empty());
  }
}

TEST_CASE("answers pass as they are, bytes and streams and errors") {
  const std::string audio("ID3\0\xff\xfb\r\n", 8);
  const Asked speech =
      ask(post("/v1/audio/speech", R"({"model":"gpt","input":"hi"})"),
          test_config(),
          Script().head(200, {{"content-type", "audio/mpeg"}}).body(audio));
  CHECK(speech.status == 200);
  CHECK(speech.body == audio);

  const std::string events =
      "data: {\"choices\":[{\"text\":\"a\"}]}\n\n"
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,"
      "\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
  const Asked stream =
      ask(post("/v1/completions", R"({"model":"gpt","stream":true})"),
          test_config(), Script().head(200, sse_head()).body(events));
  CHECK(stream.body == events);
  CHECK(stream.record.stream);
  CHECK(stream.record.input_tokens == 3);
  CHECK(stream.record.output_tokens == 2);

  const std::string error =
      R"({"error":{"message":"no such file","type":"invalid_request_error"}})";
  const Asked failed =
      ask(post("/v1/audio/transcriptions", part("model", "gpt") + kEnd,
               form_head()),
          test_config(), Script().head(422, json_head()).body(error));
  CHECK(failed.status == 422);
  CHECK(failed.body == error);
  CHECK(failed.record.outcome != "ok");

  // A key that an error repeats, and a redirect, which leads to no model.
  const Asked leak =
      ask(post("/v1/embeddings", R"({"model":"gpt"})"), test_config(),
          Script()
              .head(401, json_head())
              .body("{\"error\":\"" + kOpenAiKey + "\"}"));
  CHECK_FALSE(contains(leak.body, kOpenAiKey));
  const Asked moved = ask(
      post("/v1/embeddings", R"({"model":"gpt"})"), test_config(),
      Script().head(302, {{"location", "http://elsewhere.test/"}}).body(""));
  CHECK(moved.status == 502);
}

TEST_CASE("limits count other endpoints by their model") {
  Config config = test_config();
  config.limits.enabled = true;
  Limits one;
  one.requests_per_day = 1;
  config.limits.overrides.push_back({LimitKind::model, "gpt", one});
  for (const bool form : {false, true}) {
    GatewayFixture fixture(config);
    const auto again = [&](const std::string& model) {
      fixture.fresh_sink();
      fixture.upstream->play(Script().head(200, json_head()).body(kAnswer));
      std::string body = part("model", model);
      body.append(kFile).append(kEnd);
      HttpRequest request =
          form ? post("/v1/audio/transcriptions", body, form_head())
               : post("/v1/embeddings", R"({"model":")" + model + R"("})");
      fixture.handle(std::move(request));
      return fixture.sink->status();
    };
    CHECK(again("gpt") == 200);
    CHECK(again("gpt") == 429);
    CHECK(again("gpt-5") == 200);
  }
}

TEST_CASE("a prefix has the endpoints for its models, the rest is passed on") {
  const auto none = [](const std::string&) -> std::optional<std::string> {
    return std::nullopt;
  };
  const auto config = parse_config(
      "models:\n  - {frontend_model_name: m, frontend_base_url: /p, "
      "backend_model_name: real, backend_base_url: 'http://up.test', "
      "backend_api_key: ours}\n",
      "c.yaml", none);
  REQUIRE(config);
  const std::string form = part("model", "m") + kFile + kEnd;
  const std::string renamed = part("model", "real") + kFile + kEnd;
  // Of the table, and any other.
  for (const char* path : {"/p/v1/audio/transcriptions", "/p/v1/audio/odd"}) {
    CAPTURE(path);
    HttpRequest request = post(path, form, form_head());
    request.headers.push_back({"authorization", "Bearer client-own"});
    const Asked asked = ask(request, *config);
    CHECK(asked.upstream.url == "http://up.test" + std::string(path).substr(2));
    CHECK(asked.upstream.body == renamed);
    CHECK(find_header(asked.upstream.headers, "authorization") ==
          "Bearer ours");
    request.body.clear();
    request.large_body = std::make_shared<TextBody>(form);
    const Asked large = ask(request, *config);
    REQUIRE(large.upstream.large_body);
    CHECK(read_all(*large.upstream.large_body) == renamed);
  }
  CHECK(ask(post("/p/v1beta/models/m:embedContent",
                 R"({"model":"models/m","content":{}})"),
            *config)
            .upstream.url == "http://up.test/v1beta/models/real:embedContent");
  const std::string other = part("model", "other") + kEnd;
  CHECK(ask(post("/p/v1/audio/transcriptions", other, form_head()), *config)
            .upstream.body == other);
}

TEST_CASE("a large body comes only where forms are passed on") {
  GatewayFixture fixture(config_with_gemini());
  const auto takes = [&](const std::string& path, const Headers& head) {
    return fixture.gateway.takes_large_body(post(path, "", head));
  };
  CHECK(takes("/v1/audio/transcriptions", form_head()));
  CHECK(takes("/v1/images/edits", form_head()));
  CHECK(takes("/openai-side/v1/files", form_head()));
  CHECK_FALSE(takes("/v1/audio/transcriptions", json_head()));
  CHECK_FALSE(takes("/v1/audio/transcriptions", {}));
  CHECK_FALSE(takes("/v1/embeddings", form_head()));
  CHECK_FALSE(takes("/v1/chat/completions", form_head()));
  CHECK_FALSE(takes("/nowhere/v1/files", form_head()));

  // Of others it is taken into memory, and bounded as theirs.
  HttpRequest chat = openai_request("gpt");
  chat.large_body = std::make_shared<TextBody>(std::exchange(chat.body, ""));
  CHECK(ask(chat, test_config(),
            Script().head(200, json_head()).body(kOpenAiAnswer))
            .status == 200);
  Config small = test_config();
  small.server.max_body_bytes = 10;
  CHECK(ask(chat, small).status == 413);
  HttpRequest upload = post("/v1/audio/transcriptions",
                            part("model", "gpt") + kFile + kEnd, form_head());
  CHECK(ask(upload, small).status == 200);
  small.server.max_upload_bytes = 20;
  CHECK(ask(upload, small).status == 413);
  // A disk that fails.
  upload.large_body =
      std::make_shared<TextBody>(std::exchange(upload.body, ""), 7, 30);
  const Asked lost = ask(upload);
  CHECK(lost.status == 500);
  CHECK(lost.upstream.url.empty());
}

TEST_CASE("below a backend's name an upload passes as it is, and counts") {
  HttpRequest request = post("/openai-side/v1/files", "", form_head());
  const std::string body = part("purpose", "x") + kEnd;
  request.large_body = std::make_shared<TextBody>(body);
  const Asked asked = ask(request);
  CHECK(asked.status == 200);
  REQUIRE(asked.upstream.large_body);
  CHECK(read_all(*asked.upstream.large_body) == body);

  Config limited = test_config();
  limited.limits.enabled = true;
  limited.limits.limits.requests_per_day = 1;
  GatewayFixture fixture(limited);
  const auto again = [&](HttpRequest next) {
    fixture.fresh_sink();
    fixture.upstream->play(Script().head(200, json_head()).body("{}"));
    fixture.handle(std::move(next));
    return fixture.sink->status();
  };
  // What an upstream could take for a chat is counted or refused.
  HttpRequest chat = request;
  chat.large_body = std::make_shared<TextBody>("  {\"model\":\"gpt\"}");
  CHECK(again(chat) == 400);
  chat.large_body = request.large_body;
  chat.path = "/openai-side/v1/chat/completions";
  CHECK(again(chat) == 400);
  CHECK(again(request) == 200);
  CHECK(again(request) == 429);
}
