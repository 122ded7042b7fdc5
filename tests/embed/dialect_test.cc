// A dialect, a provider and an auth scheme of the host's.
#include <catch2/catch.hpp>
#include <string>

#include "host.h"
#include "llmproxy/intercept.h"

namespace host {
namespace {

const Dialect& base() { return *find_dialect("openai-chat"); }

constexpr std::string_view kOpen = R"({"result":)";

// Acme's API is that of OpenAI, but for its path and the envelope its answers
// come in.
constexpr ClientPath kPaths[] = {{"/acme/chat"}};

void encode(const ChatResponse& response, const RequestContext& context,
            std::string& out, Losses& losses) {
  out += kOpen;
  base().encode_response(response, context, out, losses);
  out += '}';
}

Result<ChatResponse> decode(const json::Value& body, Losses& losses) {
  std::string_view text = json_text(body);
  if (!text.starts_with(kOpen)) return upstream_malformed("no result");
  text.remove_prefix(kOpen.size());
  text.remove_suffix(1);
  return decode_response(base(), std::string(text), losses);
}

const Dialect& acme() {
  static const Dialect dialect = [] {
    Dialect own = base();
    own.name = "acme";
    own.title = "Acme Chat";
    own.upstream_path = "/acme/chat";
    own.client_paths = kPaths;
    own.encode_response = encode;
    own.decode_response = decode;
    return own;
  }();
  static const bool registered = register_dialect(dialect);
  REQUIRE(registered);
  return dialect;
}

TEST_CASE("a dialect of the host's is found by name, once") {
  CHECK(find_dialect("acme") == nullptr);
  const Dialect& own = acme();
  CHECK(find_dialect("acme") == &own);
  CHECK(dialects().back() == &own);
  CHECK_FALSE(register_dialect(own));
  Dialect half = own;
  half.name = "half";
  half.decode_error = nullptr;
  CHECK_FALSE(register_dialect(half));
  CHECK(find_dialect("half") == nullptr);
}

TEST_CASE("a client speaks it to an upstream") {
  static const Provider row{.name = "acme",
                            .dialect = acme().name,
                            .base_url = "demo:",
                            .auth = AuthScheme::none};
  REQUIRE(register_provider(row));
  const Client client(make_backend(*find_provider("acme"), Secret()),
                      make_demo_transport());
  const auto answer = client.send(question());
  REQUIRE(answer);
  CHECK(text_of(*answer) == "You said: Hello?");
  Accumulator sum;
  const auto status = client.stream(
      question(), [&](const StreamEvent& event) { sum.on_event(event); });
  REQUIRE(status);
  CHECK(text_of(sum.response()) == "You said: Hello?");
}

TEST_CASE("a gateway's clients speak it, over a backend that does not") {
  acme();
  Config config;
  config.backends = {demo_backend("anthropic")};
  config.routes = {{"*", "anthropic", ""}};
  Gateway gateway(config, nullptr);
  Sink sink;
  gateway.handle(
      post("/acme/chat",
           R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})"),
      sink);
  CHECK(sink.status == 200);
  CHECK(sink.body.starts_with(kOpen));
  CHECK(sink.body.find("You said: Hi") != std::string::npos);
}

struct LastRecord final : Observer {
  void on_request(const RequestRecord& record) override { last = record; }
  RequestRecord last;
};

TEST_CASE("what an answer cost is read by the decoder of the host's") {
  Config config;
  config.backends = {demo_backend("openai")};
  config.backends[0].dialect = &acme();
  config.routes = {{"*", "openai", "demo"}};
  LastRecord record;
  Gateway gateway(config, nullptr, &record);
  Sink sink;
  gateway.handle(
      post("/acme/chat",
           R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})"),
      sink);
  CHECK(sink.status == 200);
  CHECK(sink.body.starts_with(kOpen));
  CHECK(record.last.input_tokens.value_or(0) > 0);
  CHECK(record.last.output_tokens.value_or(0) > 0);
}

/// Keeps the headers of what is sent.
struct Watch final : UpstreamInterceptor {
  Result<void> on_request(UpstreamRequest& request) override {
    sent = request.headers;
    return {};
  }
  Headers sent;
};

TEST_CASE("an auth scheme of the host's takes the place of the provider's") {
  const auto watch = std::make_shared<Watch>();
  const auto transport =
      make_intercepting_transport(make_demo_transport(), watch);
  Backend backend = demo_backend("anthropic");
  SECTION("of one backend") {
    backend.sign = [token = std::string("t-1")](UpstreamRequest& request) {
      request.headers.push_back(
          {"x-signature", token + std::to_string(request.body.size())});
    };
  }
  static const Provider row{
      .name = "signing",
      .dialect = "claude",
      .base_url = "demo:",
      .sign = [](const Backend& own, UpstreamRequest& request) {
        request.headers.push_back(
            {"x-signature", "t-1" + std::to_string(request.body.size()) +
                                own.api_key.reveal()});
      }};
  SECTION("of a provider") {
    REQUIRE(register_provider(row));
    backend = make_backend(*find_provider("signing"), Secret(""));
  }
  REQUIRE(Client(backend, transport).send(question()));
  CHECK(find_header(watch->sent, "x-signature").starts_with("t-1"));
  CHECK(find_header(watch->sent, "x-signature").size() > 3);
  CHECK(find_header(watch->sent, "x-api-key").empty());
}

}  // namespace
}  // namespace host
