#include "gateway/forward.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "gateway/credentials.h"
#include "gateway/headers.h"
#include "gateway/limits.h"
#include "gateway/log_text.h"
#include "gateway/mounts.h"
#include "gateway/percent.h"
#include "gateway/redact.h"
#include "gateway/relay.h"
#include "gateway/usage_reader.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kEventStream = "text/event-stream";
constexpr std::string_view kAwsEventStream =
    "application/vnd.amazon.eventstream";

// Which pages may read an answer is for our own settings to say.
constexpr std::string_view kCors = "access-control-";

// The connection's own, or what a browser must not take for ours.
constexpr std::array<std::string_view, 8> kNotPassed = {
    "connection", "keep-alive",        "proxy-authenticate", "trailer",
    "upgrade",    "transfer-encoding", "set-cookie",         "proxy-connection",
};

constexpr int kFirstError = 400;
// Errors are held whole. Bytes.
constexpr std::size_t kMaxError = std::size_t{16} << 20;

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         same_header_name(text.substr(0, word.size()), word);
}

bool is_stream(const Headers& headers) {
  const std::string_view type = find_header(headers, "content-type");
  return begins_with(type, kEventStream) || begins_with(type, kAwsEventStream);
}

Headers passed_headers(const Headers& upstream) {
  Headers out;
  for (const Header& header : upstream) {
    const bool own = std::any_of(kNotPassed.begin(), kNotPassed.end(),
                                 [&](std::string_view name) {
                                   return same_header_name(name, header.name);
                                 });
    if (!own && !begins_with(header.name, kCors) &&
        !same_header_name(header.name, kRequestIdHeader)) {
      out.push_back(header);
    }
  }
  return out;
}

/// The answer as it comes.
class ByteCall final : public Relay {
 public:
  ByteCall(Exchange& exchange, const Backend& backend, AnswerForm form)
      : Relay(exchange, backend), backend_(backend), form_(std::move(form)) {}

 private:
  void take_head() override {
    const bool stream = is_stream(upstream_.headers);
    if (stream) answer_.record().stream = true;
    if (form_.dialect != nullptr && is_success(upstream_.status)) {
      usage_.begin(*form_.dialect, form_.context,
                   stream || form_.context.json_array);
    }
    // An error may repeat the key it refuses: it is looked at first.
    if (upstream_.status < kFirstError) start();
  }

  void start() {
    answer_.start(upstream_.status, passed_headers(upstream_.headers));
  }

  Flow take(std::string_view bytes) override {
    usage_.feed(bytes);
    out_ += bytes;
    if (answer_.started()) return send();
    return out_.size() <= kMaxError ? Flow::go_on : Flow::stop;
  }

  bool complete() const override { return whole_; }

  void end() override {
    if (!answer_.started()) {
      if (!result() || upstream_.status == 0) return fail();
      start_error();
    }
    // Else not finished: the client must see that something is missing.
    whole_ = static_cast<bool>(result());
    if (!whole_) answer_.note(result().error());
    // What a slow client still has to read goes first, see Relay::drain.
    if (!blocked()) write();
  }

  void fail() {
    out_.clear();
    Error error = result() ? upstream_malformed("the upstream sent no answer")
                           : result().error();
    redact(backend_, exchange_.request, error.message);
    answer_.send_error(exchange_.dialect, error);
  }

  void start_error() {
    redact(backend_, exchange_.request, out_);
    Headers& headers = upstream_.headers;
    for (Header& header : headers)
      redact(backend_, exchange_.request, header.value);
    std::erase_if(headers, [](const Header& header) {
      return same_header_name(header.name, "content-length");
    });
    // The answer to HEAD has a length and no body.
    if (!out_.empty()) {
      headers.push_back({"content-length", std::to_string(out_.size())});
    }
    start();
  }

  void account() override {
    note_usage(with_told(usage_.usage()), answer_.record());
    RequestRecord& record = answer_.record();
    if (record.status >= 400 && record.outcome == "ok") {
      answer_.note(exchange_.dialect.decode_error(upstream_.status,
                                                  upstream_.headers, {}));
    }
  }

  /// A proxy behind us may have counted already.
  Usage with_told(Usage usage) const {
    std::int64_t told = 0;
    const std::string_view text =
        find_header(upstream_.headers, "x-llm-input-tokens");
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, told);
    if (!text.empty() && code == std::errc() && stop == end && told >= 0) {
      usage.input_tokens = told;
    }
    return usage;
  }

  const Backend& backend_;
  const AnswerForm form_;
  UsageReader usage_;
  bool whole_ = false;
};

/// The request as one of a chat, where it is one; for the record only.
std::optional<ParsedRequest> read_chat(const Exchange& exchange,
                                       std::string_view rest) {
  const auto match = match_path(exchange.dialect, rest);
  if (!match || match->path->operation != Operation::chat) return std::nullopt;
  RequestHead head;
  head.path = rest;
  head.query = exchange.request.query;
  auto parsed =
      ParsedRequest::parse(exchange.dialect, exchange.request.body, head);
  if (!parsed) return std::nullopt;
  return *std::move(parsed);
}

void note_request(const ParsedRequest& parsed, RequestRecord& record) {
  record.model = record.upstream_model = short_name(parsed.model());
  record.stream = parsed.stream();
}

AnswerForm form_of(const ParsedRequest& parsed) {
  auto context = request_context(parsed, parsed.dialect());
  if (!context) return {};
  return {&parsed.dialect(), *std::move(context)};
}

/// "." and ".." would lead out of what the base URL names.
bool has_dot_segment(std::string_view path) {
  const std::string decoded = percent_decoded(path);
  std::string_view left = decoded;
  while (!left.empty()) {
    const std::size_t end = left.find_first_of("/\\");
    const std::string_view segment = left.substr(0, end);
    if (segment == "." || segment == "..") return true;
    if (end == std::string_view::npos) return false;
    left.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

void forward(Exchange& exchange, const Backend& backend,
             std::string_view rest) {
  HttpRequest& request = exchange.request;
  const ServerConfig& server = exchange.core.config().server;
  if (has_dot_segment(rest)) {
    return exchange.answer.send_error(
        exchange.dialect,
        invalid_request("the path may not have . or .. between slashes"));
  }
  const auto parsed = read_chat(exchange, rest);
  RequestRecord& record = exchange.answer.record();
  record.backend = backend.name;
  if (parsed) note_request(*parsed, record);
  const Result<void> allowed = parsed ? reserve(exchange, *parsed, backend.name)
                                      : reserve_unread(exchange, backend.name);
  if (!allowed) {
    return exchange.answer.send_error(exchange.dialect, allowed.error());
  }

  UpstreamRequest out;
  out.method = request.method;
  out.url = join_version(resolved_base_url(backend), rest);
  std::string query = passable_query(server, request, true);
  if (!backend.query.empty()) {
    query += (query.empty() ? "" : "&") + backend.query;
  }
  if (!query.empty()) out.url += "?" + query;
  out.headers = passable_headers(server, request);
  out.headers.push_back({"accept-encoding", "identity"});
  for (const Header& header : backend.headers) {
    if (find_header(out.headers, header.name).empty()) {
      out.headers.push_back(header);
    }
  }
  const bool has_own = !own_credential(server, request).empty();
  out.body = std::move(request.body);
  out.deadlines = backend.deadlines;
  if (!has_own) authorize(backend, out);
  when_free(exchange, backend, [&] {
    ByteCall(exchange, backend, parsed ? form_of(*parsed) : AnswerForm{})
        .run(std::move(out));
  });
}

void relay_bytes(Exchange& exchange, const Backend& backend,
                 UpstreamRequest request, AnswerForm form) {
  ByteCall(exchange, backend, std::move(form)).run(std::move(request));
}

}  // namespace llmproxy::gateway
