// What the tests of embedding share: a client of the demo, and a place for a
// gateway's answer.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "llmproxy/client.h"
#include "llmproxy/gateway.h"

namespace host {

using namespace llmproxy;

/// A backend of `provider` that the demo transport serves.
inline Backend demo_backend(std::string_view provider,
                            std::string key = "canary-key-of-the-host") {
  return make_backend(*find_provider(provider), Secret(std::move(key)),
                      "demo:");
}

inline ChatRequest question(std::string text = "Hello?") {
  ChatRequest request;
  request.model = "demo";
  request.max_output_tokens = 100;
  request.messages = {user_message(std::move(text))};
  return request;
}

inline std::string text_of(const ChatResponse& response) {
  std::string text;
  for (const ContentPart& part : response.content) {
    if (const auto* words = part.as<TextPart>()) text += words->text;
  }
  return text;
}

/// Keeps an answer. Not synchronised: look at it after handle().
class Sink final : public ResponseSink {
 public:
  void start(int head_status, const Headers& head_headers) override {
    status = head_status;
    headers = head_headers;
  }
  Written write(std::string_view bytes) override {
    body += bytes;
    return Written::ok;
  }
  Written finish() override { return Written::ok; }
  Written drain(std::chrono::milliseconds) override { return Written::ok; }
  bool client_gone() override { return false; }

  int status = 0;
  Headers headers;
  std::string body;
};

inline constexpr const char* kClaudeBody =
    R"({"model": "demo", "max_tokens": 50,
        "messages": [{"role": "user", "content": "Hello?"}]})";

inline HttpRequest post(std::string path, std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.path = std::move(path);
  request.body = std::move(body);
  return request;
}

/// All models are the demo's.
inline Config demo_config() {
  Config config;
  config.backends = {demo_backend("demo", "")};
  config.routes = {{"*", "demo", ""}};
  return config;
}

}  // namespace host
