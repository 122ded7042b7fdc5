// The smallest user of llmproxy::gateway: one request, answered by the
// built-in demo model, without an HTTP server.
#include <string>

#include "llmproxy/gateway.h"

using namespace llmproxy;

namespace {

struct Answer : ResponseSink {
  int status = 0;
  std::string body;

  void start(int code, const Headers&) override { status = code; }
  Written write(std::string_view bytes) override {
    body += bytes;
    return Written::ok;
  }
  Written finish() override { return Written::ok; }
  Written drain(std::chrono::milliseconds) override { return Written::ok; }
  bool client_gone() override { return false; }
};

}  // namespace

int main() {
  auto config = parse_config("models: {demo: demo}", "built in",
                             [](const std::string&) { return std::nullopt; });
  if (!config) return 2;
  Gateway gateway(std::move(*config), make_curl_transport());
  HttpRequest request;
  request.method = "POST";
  request.path = "/v1/messages";
  request.body = R"({"model":"demo","max_tokens":64,)"
                 R"("messages":[{"role":"user","content":"hi"}]})";
  Answer answer;
  gateway.handle(std::move(request), answer);
  return answer.status == 200 &&
                 answer.body.find("end_turn") != std::string::npos
             ? 0
             : 1;
}
