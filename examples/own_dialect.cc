// A vendor that the library does not know: a dialect, a provider with an auth
// scheme of its own, and an interceptor that shows what is sent.
//
// Acme's API is that of OpenAI, but for its path, an envelope around its
// answers, and how requests are signed.
#include <iostream>

#include "llmproxy/client.h"
#include "llmproxy/intercept.h"

using namespace llmproxy;

const Dialect& openai() { return *find_dialect("openai-chat"); }
constexpr std::string_view kOpen = R"({"result":)";

Result<ChatResponse> decode(const json::Value& body, Losses& losses) {
  // A host reads the text with the JSON library it has.
  std::string_view text = json_text(body);
  if (!text.starts_with(kOpen)) return upstream_malformed("no result");
  text.remove_prefix(kOpen.size());
  text.remove_suffix(1);
  return decode_response(openai(), std::string(text), losses);
}

// Only for those who serve the dialect too, as the demo does here.
void encode(const ChatResponse& response, const RequestContext& context,
            std::string& out, Losses& losses) {
  out += kOpen;
  openai().encode_response(response, context, out, losses);
  out += '}';
}

void sign(const Backend& backend, UpstreamRequest& request) {
  const auto sum =
      std::hash<std::string>()(request.body + backend.api_key.reveal());
  request.headers.push_back({"x-acme-signature", std::to_string(sum)});
}

struct Show : UpstreamInterceptor {
  Result<void> on_request(UpstreamRequest& request) override {
    const bool is_signed =
        !find_header(request.headers, "x-acme-signature").empty();
    std::cerr << request.method << ' ' << request.url
              << (is_signed ? " signed\n" : " bare\n");
    request.headers.push_back({"x-tenant", "blue"});
    return {};
  }
};

int main() {
  static Dialect acme = openai();
  acme.name = "acme";
  acme.upstream_path = "/acme/chat";
  acme.client_paths = {};
  acme.decode_response = decode;
  acme.encode_response = encode;
  const bool added =
      register_dialect(acme) &&
      register_provider({.name = "acme-cloud",
                         .dialect = "acme",
                         .base_url = "demo:",  // "https://api.acme.example"
                         .sign = sign});
  if (!added) return 1;

  const Client client(
      make_backend(*find_provider("acme-cloud"), Secret("acme-key")),
      make_intercepting_transport(make_demo_transport(),
                                  std::make_shared<Show>()));
  ChatRequest request;
  request.model = "demo";
  request.messages = {user_message("Who are you?")};
  const Result<ChatResponse> answer = client.send(request);
  if (!answer) return std::cerr << answer.error().message << '\n', 1;
  std::cout << answer->text() << '\n';
}
