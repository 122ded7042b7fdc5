// A Gateway between doubles: two scripted backends of different dialects, a
// client that records, an observer that keeps every record.
//
//   GatewayFixture fixture;
//   fixture.upstream->play(Script().head(200, json_head()).body("..."));
//   fixture.handle(post("/v1/messages", body));
//   CHECK(fixture.sink->status() == 200);
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "json/json.h"
#include "llmproxy/gateway.h"
#include "support/recording_sink.h"
#include "support/scripted_transport.h"

namespace llmproxy::testing {

/// Keys that must never be seen on the wrong side.
inline const std::string kOpenAiKey = "canary-openai-key";
inline const std::string kClaudeKey = "canary-claude-key";
inline const std::string kClientKey = "canary-client-key";

class RecordingObserver final : public Observer {
 public:
  void on_request(const RequestRecord& record) override {
    const std::lock_guard lock(mutex_);
    records_.push_back(record);
  }
  std::vector<RequestRecord> records() const {
    const std::lock_guard lock(mutex_);
    return records_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<RequestRecord> records_;
};

inline Backend test_backend(std::string name, std::string_view provider,
                            std::string url, std::string key) {
  Backend backend = make_backend(*find_provider(provider),
                                 Secret(std::move(key)), std::move(url));
  backend.name = std::move(name);
  return backend;
}

/// Models "gpt" and "claude" at a backend of their own dialect, under names
/// of its own; "gpt-*" as they are.
inline Config test_config() {
  Config config;
  config.backends.push_back(test_backend("openai-side", "openai",
                                         "http://openai.test/v1", kOpenAiKey));
  config.backends.push_back(test_backend("claude-side", "anthropic",
                                         "http://claude.test", kClaudeKey));
  config.routes = {{"gpt", "openai-side", "gpt-up"},
                   {"gpt-*", "openai-side", ""},
                   {"claude", "claude-side", "claude-up"},
                   {"team/claude", "claude-side", "claude-up"}};
  return config;
}

inline HttpRequest get(std::string path, Headers headers = {}) {
  return {"GET", std::move(path), "", std::move(headers), "", "192.0.2.7"};
}
inline HttpRequest post(std::string path, std::string body,
                        Headers headers = {}) {
  HttpRequest request = get(std::move(path), std::move(headers));
  request.method = "POST";
  request.body = std::move(body);
  return request;
}

inline constexpr const char* kOpenAiPath = "/v1/chat/completions";
inline constexpr const char* kClaudePath = "/v1/messages";

/// A small request of either dialect for `model`.
inline HttpRequest openai_request(const std::string& model,
                                  bool stream = false) {
  return post(kOpenAiPath, R"({"model":")" + model + R"(","stream":)" +
                               (stream ? "true" : "false") +
                               R"(,"messages":[{"role":"user",)"
                               R"("content":"hi"}]})");
}
inline HttpRequest claude_request(const std::string& model,
                                  bool stream = false) {
  return post(kClaudePath, R"({"model":")" + model + R"(","stream":)" +
                               (stream ? "true" : "false") +
                               R"(,"max_tokens":64,"messages":[{"role":)"
                               R"("user","content":"hi"}]})");
}

class GatewayFixture {
 public:
  explicit GatewayFixture(Config config = test_config())
      : upstream(std::make_shared<ScriptedTransport>()),
        sink(std::make_shared<RecordingSink>()),
        gateway(std::move(config), upstream, &observer) {}
  ~GatewayFixture() { join(); }

  /// Answers on this thread.
  void handle(HttpRequest request) {
    gateway.handle(std::move(request), *sink);
  }
  /// Answers on a thread of its own; join() waits for its end.
  void start(HttpRequest request) {
    thread_ = std::thread([this, request = std::move(request)]() mutable {
      gateway.handle(std::move(request), *sink);
    });
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  /// Forgets the last answer.
  void fresh_sink() { sink = std::make_shared<RecordingSink>(); }

  /// The only record so far, or the last.
  RequestRecord record() const {
    const auto records = observer.records();
    return records.empty() ? RequestRecord{} : records.back();
  }

  std::shared_ptr<ScriptedTransport> upstream;
  std::shared_ptr<RecordingSink> sink;
  RecordingObserver observer;
  Gateway gateway;

 private:
  std::thread thread_;
};

/// One member of a JSON text by the names and indexes that lead to it, as
/// its source text; strings without quotes; "" = no such member.
template <class... Steps>
std::string at(const std::string& text, Steps... steps) {
  json::Document document;
  const Result<json::Value> root = document.parse(text);
  if (!root) return "not JSON: " + text;
  json::Value value = *root;
  const auto step = [&value](auto where) {
    if constexpr (std::is_integral_v<decltype(where)>) {
      json::Value found;
      int index = 0;
      for (const json::Value child : value.children()) {
        if (index++ == where) found = child;
      }
      value = found;
    } else {
      value = value[where];
    }
  };
  (step(steps), ...);
  return std::string(value.is_string() ? value.string() : value.raw());
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace llmproxy::testing
