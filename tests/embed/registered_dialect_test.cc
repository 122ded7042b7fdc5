// A copy of each of our dialects under another name and other paths does what
// its original does: the same requests at its own paths get the same answers,
// byte for byte, and upstreams are asked the same.
#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <regex>
#include <string>
#include <vector>

#include "host.h"
#include "llmproxy/dialect_serving.h"
#include "llmproxy/translate.h"

namespace host {
namespace {

constexpr std::string_view kModel = "{model}";

// --- The copies.

/// A dialect of the host's, and all that its views show.
struct Copy {
  const Dialect* original = nullptr;
  Dialect dialect;
  std::string prefix;  ///< before every path: "/copy-claude"
  std::deque<std::string> texts;
  std::vector<ClientPath> client_paths;
  std::vector<std::string_view> model_paths;
  CountTokens count_tokens;
  ModelListShape model_list;

  std::string_view keep(std::string text) {
    return texts.emplace_back(std::move(text));
  }
  std::string_view moved(std::string_view path) {
    return path.empty() ? path : keep(prefix + std::string(path));
  }
};

void move_paths(Copy& copy) {
  Dialect& own = copy.dialect;
  own.upstream_path = copy.moved(own.upstream_path);
  own.upstream_stream_path = copy.moved(own.upstream_stream_path);
  own.stored_path = copy.moved(own.stored_path);
  for (ClientPath path : own.client_paths) {
    path.pattern = copy.moved(path.pattern);
    copy.client_paths.push_back(path);
  }
  own.client_paths = copy.client_paths;
  if (own.count_tokens != nullptr) {
    copy.count_tokens = *own.count_tokens;
    copy.count_tokens.upstream_path =
        copy.moved(copy.count_tokens.upstream_path);
    own.count_tokens = &copy.count_tokens;
  }
  if (own.model_list != nullptr) {
    copy.model_list = *own.model_list;
    for (const std::string_view path : copy.model_list.client_paths) {
      copy.model_paths.push_back(copy.moved(path));
    }
    copy.model_list.client_paths = copy.model_paths;
    own.model_list = &copy.model_list;
  }
}

std::vector<std::unique_ptr<Copy>> make_copies() {
  std::vector<std::unique_ptr<Copy>> out;
  for (const char* name : {"openai-chat", "claude", "openai-responses",
                           "gemini", "bedrock", "bedrock-converse"}) {
    auto copy = std::make_unique<Copy>();
    copy->original = find_dialect(name);
    copy->dialect = *copy->original;
    copy->dialect.name = copy->keep(std::string("copy-") + name);
    copy->prefix = "/" + std::string(copy->dialect.name);
    move_paths(*copy);
    const bool registered = register_dialect(copy->dialect);
    REQUIRE(registered);
    out.push_back(std::move(copy));
  }
  return out;
}

const std::vector<std::unique_ptr<Copy>>& copies() {
  static const std::vector<std::unique_ptr<Copy>> all = make_copies();
  return all;
}

// --- The upstream.

/// Adds what upstreams of all kinds say in their heads.
class Adding final : public ResponseHandler {
 public:
  explicit Adding(ResponseHandler& inner) : inner_(inner) {}
  void on_head(int status, const Headers& headers) override {
    Headers all = headers;
    for (const char* name :
         {"x-request-id", "request-id", "x-amzn-requestid",
          "x-ratelimit-remaining-requests",
          "anthropic-ratelimit-requests-remaining",
          "x-amzn-bedrock-input-token-count", "set-cookie", "retry-after"}) {
      all.push_back({name, "7"});
    }
    inner_.on_head(status, all);
  }
  Flow on_body(std::string_view bytes) override {
    return inner_.on_body(bytes);
  }
  void on_done(const Result<void>& result) override { inner_.on_done(result); }

 private:
  ResponseHandler& inner_;
};

/// The demo, which counts tokens as well, and keeps what it is asked.
class Upstream final : public Transport {
 public:
  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled& cancelled) override {
    note(request);
    Adding adding(handler);
    const bool counts = request.url.find("ount") != std::string::npos ||
                        request.url.find("input_tokens") != std::string::npos;
    if (!counts) return demo_->perform(request, adding, cancelled);
    adding.on_head(200, {{"content-type", "application/json"}});
    adding.on_body(R"({"input_tokens":7,"totalTokens":7})");
    adding.on_done({});
  }

  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) override {
    note(request);
    Adding* adding = nullptr;
    {
      const std::lock_guard lock(mutex_);
      adding = adding_.emplace_back(std::make_unique<Adding>(handler)).get();
    }
    return demo_->start(std::move(request), *adding);
  }

  std::string take_requests() {
    const std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }

 private:
  void note(const UpstreamRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_ += request.method + " " + request.url + "\n";
    for (const Header& header : request.headers) {
      if (header.name == "x-llmproxy-hops") continue;  // each gateway's own
      requests_ += header.name + ": " + header.value + "\n";
    }
    requests_ += request.body + "\n";
  }

  const std::shared_ptr<Transport> demo_ = make_demo_transport();
  std::mutex mutex_;
  std::string requests_;
  std::vector<std::unique_ptr<Adding>> adding_;
};

// --- Both sides.

/// `text` without what differs each time, random ids and times, and without
/// what a copy's paths have before them.
std::string settled(std::string text, const std::string& prefix) {
  static const std::regex id("[0-9a-f]{16,}");
  static const std::regex seconds("\\b1[0-9]{9}\\b");
  static const std::regex date("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+");
  text = std::regex_replace(text, id, "ID");
  text = std::regex_replace(text, seconds, "SECONDS");
  text = std::regex_replace(text, date, "DATE");
  for (std::size_t at = text.find(prefix); at != std::string::npos;
       at = text.find(prefix, at)) {
    text.erase(at, prefix.size());
  }
  return text;
}

struct LastRecord final : Observer {
  void on_request(const RequestRecord& record) override { last = record; }
  RequestRecord last;
};

/// A gateway in front of one dialect: the original or its copy.
class Side {
 public:
  Side(const Dialect& dialect, std::string prefix)
      : dialect_(dialect),
        prefix_(std::move(prefix)),
        gateway_(config(), upstream_, &record_) {}

  const Dialect& dialect() const { return dialect_; }
  const RequestRecord& record() const { return record_.last; }
  const std::string& body() const { return body_; }

  /// All that can be seen of an answer, and of what was asked for it.
  std::string ask(HttpRequest request) {
    Sink sink;
    gateway_.handle(std::move(request), sink);
    body_ = sink.body;
    std::string seen = std::to_string(sink.status) + "\n";
    for (const Header& header : sink.headers) {
      if (header.name == "content-length") continue;  // messages name paths
      seen += header.name + ": " + header.value + "\n";
    }
    seen += sink.body + "\n---\n" + upstream_->take_requests();
    return settled(std::move(seen), prefix_);
  }

  std::string path(Operation operation, bool stream,
                   const std::string& model) const {
    for (const ClientPath& row : dialect_.client_paths) {
      const bool fits = row.stream == StreamChoice::in_body ||
                        (row.stream == StreamChoice::always) == stream;
      if (row.operation != operation || !fits) continue;
      std::string path(row.pattern);
      const std::size_t at = path.find(kModel);
      if (at == std::string::npos) return path;
      return path.replace(at, kModel.size(), model);
    }
    return {};
  }

 private:
  /// Models "own" at a backend of the dialect, "edited" the same with another
  /// system prompt, "far" at one of another dialect.
  Config config() const {
    Config config;
    const DialectSetup setup =
        dialect_.setup != nullptr ? *dialect_.setup : DialectSetup();
    Backend own = backend_of(setup.provider);
    own.name = "own";
    own.dialect = &dialect_;
    Backend far = backend_of(far_provider());
    far.name = "far";
    config.backends = {own, far};
    config.routes = {{"own", "own", "demo"},
                     {"edited", "own", "demo"},
                     {"busy", "own", "demo-error-429"},
                     {"cut", "own", "demo-cut"},
                     {"far", "far", "demo"},
                     {"team-*", "own", ""}};
    config.routes[1].system.append = "Be brief.";
    return config;
  }

  static Backend backend_of(std::string_view provider) {
    Backend backend = make_backend(*find_provider(provider),
                                   Secret("canary-key"), "http://up.test");
    backend.aws.region = "eu-central-1";
    return backend;
  }

  std::string_view far_provider() const {
    return dialect_.wire_name() == "openai-chat" ? "anthropic" : "openai";
  }

  const Dialect& dialect_;
  const std::string prefix_;
  const std::shared_ptr<Upstream> upstream_ = std::make_shared<Upstream>();
  LastRecord record_;
  Gateway gateway_;
  std::string body_;
};

/// The original and its copy, asked the same.
class Both {
 public:
  static constexpr int kAny = 0;

  explicit Both(const Copy& copy)
      : original_(*copy.original, copy.prefix),
        copy_(copy.dialect, copy.prefix) {}

  Side& original() { return original_; }
  Side& copy() { return copy_; }

  /// Asks each at its own path; `make` writes the request for a side.
  template <class Make>
  void compare(const Make& make, int status) {
    const std::string expected = original_.ask(make(original_));
    const std::string seen = copy_.ask(make(copy_));
    CHECK(seen == expected);
    if (status != kAny) CHECK(copy_.record().status == status);
    CHECK(copy_.record().losses == original_.record().losses);
    CHECK(copy_.record().input_tokens == original_.record().input_tokens);
    CHECK(copy_.record().output_tokens == original_.record().output_tokens);
  }

 private:
  Side original_;
  Side copy_;
};

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
  const Result<TranslatedRequest> written = translate_request(
      *find_dialect("openai-chat"), side.dialect(), body, options);
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
        405);
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
