// A copy of each of our dialects under another name and other paths does what
// its original does: the same requests at its own paths get the same answers,
// byte for byte, and upstreams are asked the same.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "copies.h"
#include "llmproxy/translate.h"

namespace host {
namespace {

/// All that its clients may send, and a secret.
Headers client_headers(const Dialect& dialect) {
  Headers out = {{"cookie", "secret"}};
  if (dialect.headers == nullptr) return out;
  for (const std::string_view name : dialect.headers->request) {
    out.push_back({std::string(name), "sent-by-the-client"});
  }
  return out;
}

/// A chat as a Chat Completions client writes it.
struct Chat {
  const char* name;
  const char* body;
};
constexpr Chat kChats[] = {
    {"plain",
     R"({"model":"m","max_tokens":64,"temperature":0.5,"stop":["END"],
         "messages":[{"role":"system","content":"Be kind."},
                     {"role":"user","content":"Hello?"}]})"},
    {"tools",
     R"({"model":"m","max_tokens":64,
         "messages":[{"role":"user","content":"Use get_weather for Paris"}],
         "tools":[{"type":"function","function":{"name":"get_weather",
           "description":"The weather","parameters":{"type":"object",
           "properties":{"city":{"type":"string"}},"required":["city"]}}}],
         "tool_choice":"required"})"},
    {"results",
     R"({"model":"m","max_tokens":64,
         "messages":[{"role":"user","content":"The weather?"},
           {"role":"assistant","content":null,"tool_calls":[{"id":"call_1",
             "type":"function","function":{"name":"get_weather",
             "arguments":"{\"city\":\"Paris\"}"}}]},
           {"role":"tool","tool_call_id":"call_1","content":"sunny"}],
         "tools":[{"type":"function","function":{"name":"get_weather",
           "parameters":{"type":"object","properties":{}}}}]})"},
    {"thinking",
     R"({"model":"m","max_tokens":4096,"reasoning_effort":"low",
         "messages":[{"role":"user","content":"Think."}]})"},
    {"image",
     R"({"model":"m","max_tokens":64,"messages":[{"role":"user","content":[
         {"type":"text","text":"What is it?"},
         {"type":"image_url","image_url":{"url":
           "data:image/png;base64,iVBORw0KGgo="}}]}]})"},
};

/// The chat in the dialect's own words, for `model`.
HttpRequest chat(const Side& side, const Chat& row, const std::string& model,
                 bool stream) {
  std::string body = row.body;
  if (stream) body.insert(1, R"("stream":true,)");
  TranslateOptions options;
  options.model = model;
  // By the original on both sides: what is compared are their answers.
  const Dialect& original = *find_dialect(side.dialect().wire_name());
  const Result<TranslatedRequest> written =
      translate_request(*find_dialect("openai-chat"), original, body, options);
  REQUIRE(written);
  HttpRequest request =
      post(side.path(Operation::chat, stream, model), written->body);
  if (stream) request.query = written->query;
  request.headers = client_headers(side.dialect());
  return request;
}

TEST_CASE("a copy of a dialect answers chats and streams as its original") {
  for (const auto& copy : copies()) {
    Both both(*copy);
    for (const Chat& row : kChats) {
      for (const bool stream : {false, true}) {
        for (const char* model : {"own", "edited", "far"}) {
          INFO(copy->dialect.name << " " << row.name << " " << model
                                  << (stream ? " stream" : ""));
          both.compare(
              [&](const Side& side) { return chat(side, row, model, stream); },
              200);
          CHECK(both.copy().record().client_dialect == copy->dialect.name);
        }
      }
    }
  }
}

TEST_CASE("clients of other dialects reach a copy as they reach its original") {
  const Dialect& openai = *find_dialect("openai-chat");
  for (const auto& copy : copies()) {
    if (copy->original == &openai) continue;  // there bytes pass
    Both both(*copy);
    for (const Chat& row : kChats) {
      for (const bool stream : {false, true}) {
        INFO(copy->dialect.name << " " << row.name
                                << (stream ? " stream" : ""));
        std::string body = row.body;
        body.replace(body.find("\"m\""), 3, "\"own\"");
        if (stream) body.insert(1, R"("stream":true,)");
        both.compare(
            [&](const Side&) { return post("/v1/chat/completions", body); },
            200);
      }
    }
  }
}

TEST_CASE("errors of a copy are those of its original") {
  for (const auto& copy : copies()) {
    Both both(*copy);
    const Chat& row = kChats[0];
    INFO(copy->dialect.name);
    const auto asks = [&](const char* model, bool stream) {
      return [&row, model, stream](const Side& side) {
        return chat(side, row, model, stream);
      };
    };
    both.compare(asks("nobody", false), 404);
    both.compare(asks("nobody", true), 404);
    both.compare(asks("busy", false), 429);
    both.compare(asks("busy", true), 429);
    both.compare(asks("cut", true), Both::kAny);
    both.compare(
        [](const Side& side) {
          return post(side.path(Operation::chat, false, "own"), "{");
        },
        400);
    both.compare(
        [](const Side& side) {
          HttpRequest request =
              post(side.path(Operation::chat, false, "own"), "");
          request.method = "GET";
          return request;
        },
        Both::kAny);  // AWS has its own status for it
  }
}

TEST_CASE("a copy counts tokens as its original") {
  for (const auto& copy : copies()) {
    Both both(*copy);
    INFO(copy->dialect.name);
    if (both.copy().path(Operation::count_tokens, false, "own").empty()) {
      continue;
    }
    for (const char* model : {"own", "far"}) {
      both.compare(
          [model](const Side& side) {
            HttpRequest request = chat(side, kChats[0], model, false);
            request.path = side.path(Operation::count_tokens, false, model);
            return request;
          },
          200);
      CHECK(both.copy().body().find("okens\":") != std::string::npos);
    }
  }
}

TEST_CASE("a dialect of its own that counts need not say how") {
  static constexpr ClientPath kPaths[] = {
      {"/bare/chat"}, {"/bare/count", Operation::count_tokens}};
  static const Dialect bare = [] {
    Dialect own = *find_dialect("claude");
    own.name = "bare";
    own.client_paths = kPaths;
    own.headers = nullptr;
    own.setup = nullptr;
    own.count_tokens = nullptr;
    own.model_list = nullptr;
    own.system_shape = nullptr;
    own.limits = nullptr;
    return own;
  }();
  const bool registered = register_dialect(bare);
  REQUIRE(registered);
  Side side(bare, "/bare");
  for (const char* path : {"/bare/chat", "/bare/count"}) {
    side.ask(post(path, R"({"model":"far","max_tokens":9,
                            "messages":[{"role":"user","content":"Hi"}]})"));
    CHECK(side.record().status == 200);
  }
  CHECK(side.body().starts_with(R"({"input_tokens":)"));
}

TEST_CASE("lists of models have a copy's shape at its own paths") {
  for (const auto& copy : copies()) {
    if (copy->dialect.model_list == nullptr) continue;
    Both both(*copy);
    INFO(copy->dialect.name);
    for (const char* tail : {"", "?", "/own", "/team%2Fown", "/nobody"}) {
      const auto asks = [&](const Side& side) {
        std::string path(side.dialect().model_list->client_paths.front());
        path.pop_back();
        HttpRequest request = post(std::move(path), "");
        request.method = "GET";
        for (const ClientMark& mark : side.dialect().marks) {
          if (mark.header.empty()) continue;
          request.headers.push_back({std::string(mark.header), "1"});
        }
        const std::string_view limit = side.dialect().model_list->limit;
        if (*tail == '?') {
          request.query = limit.empty() ? "" : std::string(limit) + "=2";
        } else {
          request.path += tail;
        }
        return request;
      };
      INFO(tail);
      const bool unknown = std::string_view(tail).size() > 4;
      both.compare(asks, unknown ? 404 : 200);
      CHECK(both.copy().record().client_dialect == copy->dialect.name);
    }
  }
}

/// The id of an answer that was kept.
std::string id_in(const std::string& body) {
  const std::size_t at = body.find("\"resp_");
  if (at == std::string::npos) return {};
  return body.substr(at + 1, body.find('"', at + 1) - at - 1);
}

TEST_CASE("answers are kept for clients of a copy") {
  for (const auto& copy : copies()) {
    if (copy->dialect.stored_path.empty()) continue;
    Both both(*copy);
    both.compare(
        [](const Side& side) {
          return post(side.path(Operation::chat, false, "far"),
                      R"({"model":"far","input":"Hello?"})");
        },
        200);
    std::vector<int> statuses;
    for (const char* method : {"GET", "DELETE", "GET"}) {
      const std::string was[] = {id_in(both.original().body()),
                                 id_in(both.copy().body())};
      INFO(method);
      const auto get = [&](const Side& side) {
        const bool original = &side == &both.original();
        HttpRequest request = post(
            std::string(side.dialect().stored_path) + was[original ? 0 : 1],
            "");
        request.method = method;
        return request;
      };
      const std::string expected = both.original().ask(get(both.original()));
      CHECK(both.copy().ask(get(both.copy())) == expected);
      statuses.push_back(both.copy().record().status);
    }
    CHECK(statuses == std::vector<int>{200, 200, 404});
  }
}

TEST_CASE("a copy keeps what models take, and its limits") {
  for (const auto& copy : copies()) {
    CHECK(copy->dialect.limits == copy->original->limits);
    for (const char* model : {"claude-opus-4-8", "gpt-5", "gemini-2.5-flash",
                              "amazon.nova-pro-v1:0", "anything"}) {
      INFO(copy->dialect.name << " " << model);
      CHECK(traits_for(copy->dialect, model) ==
            traits_for(*copy->original, model));
    }
  }
}

}  // namespace
}  // namespace host
