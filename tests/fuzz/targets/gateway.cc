// Whole requests through a Gateway, with every kind of path, key and page:
// nothing goes to a host that is not configured, no key goes where it does
// not belong, and everybody gets one answer.
//
// The input is a request with plain line ends, its body in one line, and
// behind a line "---" the answer of the upstream.
#include <algorithm>
#include <array>
#include <memory>

#include "fuzz/kit/properties.h"
#include "fuzz/kit/upstream.h"
#include "llmproxy/gateway.h"
#include "server/request_head.h"

namespace llmproxy::fuzz {
namespace {

constexpr std::string_view kClientKey = "canary-client-key-0001";
constexpr std::string_view kAccessKey = "AKIACANARYCLIENT0001";
constexpr std::string_view kBackendKey = "canary-backend-key-";

struct Row {
  std::string_view name;
  std::string_view provider;
  std::string_view base_url;
};
constexpr std::array<Row, 7> kBackends = {{
    {"openai", "openai", "https://openai.test/v1"},
    {"responses", "openai-responses", "https://responses.test/v1"},
    {"anthropic", "anthropic", "https://anthropic.test"},
    {"gemini", "gemini", "https://gemini.test:8443"},
    {"bedrock", "bedrock", "http://bedrock.test:80"},
    {"bedrock-claude", "bedrock-claude", "https://bedrock-claude.test"},
    {"deepseek", "deepseek", "https://deepseek.test"},
}};

std::string key_of(const Row& row) {
  return std::string(kBackendKey).append(row.name);
}

/// The row whose host `url` leads to, as a reader of RFC 3986 sees it.
const Row* row_of(std::string_view url) {
  for (const Row& row : kBackends) {
    if (!url.starts_with(row.base_url)) continue;
    const std::string_view rest = url.substr(row.base_url.size());
    // A base URL that names a path may be followed by more of that.
    const bool bare = row.base_url.find('/', row.base_url.find("//") + 2) ==
                      std::string_view::npos;
    if (!bare || rest.empty() || rest.front() == '/' || rest.front() == '?') {
      return &row;
    }
  }
  return nullptr;
}

/// What is wrong with a request as it goes to an upstream.
std::string judge(const UpstreamRequest& request, bool may_hold_client_key) {
  const Row* row = row_of(request.url);
  if (row == nullptr) return "leads to another host: " + request.url;
  if (request.url.find_first_of(std::string_view(" \r\n\0", 4)) !=
      std::string::npos) {
    return "is no URL: " + request.url;
  }
  if (request.method == "TRACE" || request.method == "CONNECT") {
    return "has the method " + request.method;
  }
  for (const Header& header : request.headers) {
    if (header.value.find_first_of(std::string_view("\r\n\0", 3)) !=
        std::string::npos) {
      return "has a header of two lines: " + header.name;
    }
    const std::size_t key = header.value.find(kBackendKey);
    if (key != std::string::npos && header.value.substr(key) != key_of(*row)) {
      return "has the key of another backend: " + header.value;
    }
    const bool client = header.value.find(kClientKey) != std::string::npos ||
                        header.value.find(kAccessKey) != std::string::npos;
    if (client && !may_hold_client_key) {
      return "has the client's key: " + header.name;
    }
  }
  if (!may_hold_client_key &&
      request.url.find(kClientKey) != std::string::npos) {
    return "has the client's key: " + request.url;
  }
  return {};
}

Config make_config(bool keys) {
  Config config;
  for (const Row& row : kBackends) {
    Backend backend =
        make_backend(*find_provider(row.provider), Secret(key_of(row)),
                     std::string(row.base_url));
    backend.name = row.name;
    config.backends.push_back(std::move(backend));
    config.routes.push_back(
        {std::string(row.name) + "/*", std::string(row.name), "*"});
    config.routes.push_back(
        {"m-" + std::string(row.name), std::string(row.name), "up"});
  }
  config.routes.push_back({"below", "openai", "up", "/team"});
  config.routes.push_back({"below-2", "anthropic", "", "/team/two"});
  config.routes.push_back({"*", "openai", ""});
  config.images.enabled = false;
  if (!keys) return config;
  config.server.client_keys.emplace_back(std::string(kClientKey));
  config.server.client_access_keys.emplace_back(std::string(kAccessKey));
  return config;
}

/// A client that keeps what it gets and sees mistakes in it.
class Client final : public ResponseSink {
 public:
  void start(int status, const Headers& headers) override {
    if (status_ != 0) fault_ = "two answers";
    status_ = status;
    headers_ = headers;
  }
  Written write(std::string_view bytes) override {
    if (status_ == 0 || finished_) fault_ = "a body outside an answer";
    body_ += bytes;
    return Written::ok;
  }
  Written finish() override {
    if (status_ == 0 || finished_) fault_ = "two ends";
    finished_ = true;
    return Written::ok;
  }
  Written drain(std::chrono::milliseconds) override { return Written::ok; }
  bool client_gone() override { return false; }
  // Leaving is not this target's; without this the client is asked again and
  // again.
  bool on_client_gone(std::function<void()>) override { return true; }

  void expect_answer() const {
    expect(fault_.empty(), "one answer", fault_);
    expect(status_ >= 100 && status_ <= 999, "an answer has a status",
           std::to_string(status_));
    for (const Header& header : headers_) {
      expect(header.value.find_first_of(std::string_view("\r\n\0", 3)) ==
                 std::string::npos,
             "a header is one line", header.name);
    }
    const std::string_view length = find_header(headers_, "content-length");
    expect(!finished_ || length.empty() || body_.empty() ||
               length == std::to_string(body_.size()),
           "a body is as long as promised", length);
  }
  int status() const { return status_; }
  const std::string& body() const { return body_; }

 private:
  int status_ = 0;
  Headers headers_;
  std::string body_;
  std::string fault_;
  bool finished_ = false;
};

struct World {
  explicit World(bool keys)
      : upstream(std::make_shared<ScriptedUpstream>(
            [this](const UpstreamRequest& request) {
              asked = true;
              return judge(request, may_hold_client_key);
            })),
        gateway(make_config(keys), upstream, nullptr) {}

  std::shared_ptr<ScriptedUpstream> upstream;
  Gateway gateway;
  bool may_hold_client_key = false;
  bool asked = false;
};

/// One that was not used before: what is kept between requests would make
/// them depend on each other.
World& world_of(bool keys) {
  static World with_keys(true);
  static World without(false);
  return keys ? with_keys : without;
}

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

/// As a host of its own might fill it in, unchecked.
HttpRequest loose_request(std::string_view& text) {
  HttpRequest request;
  std::string_view line = take_line(text);
  request.method = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(request.method.size() + 1, line.size()));
  const std::string_view target = line.substr(0, line.find(' '));
  const std::size_t query = target.find('?');
  request.path = target.substr(0, query);
  if (query != std::string_view::npos) request.query = target.substr(query + 1);
  for (line = take_line(text); !line.empty(); line = take_line(text)) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    request.headers.push_back({std::string(line.substr(0, colon)),
                               std::string(line.substr(colon + 2))});
  }
  return request;
}

/// As our own server reads it; nullopt = it would be refused.
std::optional<HttpRequest> strict_request(std::string_view& text) {
  std::string head;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    head.append(line).append("\r\n");
    if (line.empty()) break;
  }
  HeadScanner scanner{HeadLimits{}};
  if (scanner.scan(head) != HeadState::complete) return std::nullopt;
  RequestLine line;
  const std::string_view whole(head);
  if (!parse_head(whole.substr(0, scanner.size()), "localhost", line)) {
    return std::nullopt;
  }
  return std::move(line.request);
}

ScriptedAnswer choose_answer(Input& input, std::string_view body) {
  constexpr int kStatuses[] = {200, 200, 200, 400, 401,
                               429, 500, 302, 204, 404};
  constexpr std::string_view kTypes[] = {
      "application/json", "text/event-stream",
      "application/vnd.amazon.eventstream", "text/html", ""};
  ScriptedAnswer answer;
  answer.status = kStatuses[input.below(std::size(kStatuses))];
  const std::string_view type = kTypes[input.below(std::size(kTypes))];
  if (!type.empty()) {
    answer.headers.push_back({"content-type", std::string(type)});
  }
  const std::uint8_t more = input.byte();
  if ((more & 1) != 0) answer.headers.push_back({"retry-after", "7"});
  if ((more & 2) != 0) answer.headers.push_back({"connection", "x-hop"});
  if ((more & 2) != 0) answer.headers.push_back({"x-hop", "1"});
  answer.breaks_off = (more & 4) != 0;
  answer.body = body;
  if ((more & 8) != 0 && answer.status >= 400) {
    answer.body = R"({"error":{"message":"bad key )" +
                  std::string(ScriptedAnswer::kKey) + R"(","type":"x"}})";
  }
  return answer;
}

void run(Input& input) {
  const bool keys = input.flag();
  World& world = world_of(keys);
  const bool strict = input.below(4) != 0;
  std::string_view text = input.rest();
  const std::size_t mark = text.find("\n---\n");
  const std::string_view answer =
      mark == std::string_view::npos ? "" : text.substr(mark + 5);
  text = text.substr(0, mark);
  HttpRequest request;
  if (strict) {
    auto read = strict_request(text);
    if (!read) return;
    request = *std::move(read);
  } else {
    request = loose_request(text);
  }
  request.body = text;
  request.peer = "192.0.2.7";
  // Elsewhere than where keys stand it is a text like any other.
  const auto holds = [](std::string_view where) {
    return where.find(kClientKey) != std::string_view::npos ||
           where.find(kAccessKey) != std::string_view::npos;
  };
  // And where no keys are asked for it is nobody's.
  world.may_hold_client_key =
      !keys || holds(request.path) || holds(request.query);
  for (const Header& header : request.headers) {
    const bool exact = header.value == kClientKey ||
                       header.value == "Bearer " + std::string(kClientKey);
    constexpr std::array<std::string_view, 4> kPlaces = {
        "authorization", "x-api-key", "x-goog-api-key", "api-key"};
    const bool place =
        std::any_of(kPlaces.begin(), kPlaces.end(), [&](std::string_view name) {
          return same_header_name(name, header.name);
        });
    if (holds(header.value) && !(exact && place)) {
      world.may_hold_client_key = true;
    }
  }
  const bool echoes = text.find(kBackendKey) != std::string_view::npos ||
                      answer.find(kBackendKey) != std::string_view::npos;
  world.upstream->set_answer(choose_answer(input, answer));
  Client client;
  world.gateway.handle(std::move(request), client);
  const std::string fault = world.upstream->take_fault();
  expect(fault.empty(), "an upstream's request is right", fault);
  client.expect_answer();
  expect(echoes || client.body().find(kBackendKey) == std::string::npos,
         "a client sees no key", client.body());
}

const Registered kRegistered({"gateway", Form::events, 8192, run});

}  // namespace
}  // namespace llmproxy::fuzz
