// Copies of our dialects under other names and paths, and gateways in front of
// an original and of its copy that are asked the same.
#pragma once

#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "host.h"
#include "llmproxy/dialect_serving.h"

namespace host {

/// Stands for the model in paths.
inline constexpr std::string_view kModel = "{model}";

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

inline void move_paths(Copy& copy) {
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

inline std::vector<std::unique_ptr<Copy>> make_copies() {
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

inline const std::vector<std::unique_ptr<Copy>>& copies() {
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
inline std::string settled(std::string text, const std::string& prefix) {
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

}  // namespace host
