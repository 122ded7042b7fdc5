#include "gateway/forward.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/backend_error.h"
#include "gateway/credentials.h"
#include "gateway/destination.h"
#include "gateway/details.h"
#include "gateway/headers.h"
#include "gateway/limits.h"
#include "gateway/log_text.h"
#include "gateway/model_body.h"
#include "gateway/mounts.h"
#include "gateway/offload.h"
#include "gateway/path_form.h"
#include "gateway/redact.h"
#include "gateway/relay.h"
#include "gateway/usage_members.h"
#include "gateway/usage_reader.h"
#include "json/count.h"
#include "json/json.h"
#include "json/text.h"
#include "translate/parsed_root.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kEventStream = "text/event-stream";
constexpr std::string_view kAwsEventStream =
    "application/vnd.amazon.eventstream";

constexpr std::string_view kBuffering = "x-accel-buffering";
constexpr std::string_view kCacheControl = "cache-control";

constexpr int kFirstError = 400;

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         same_header_name(text.substr(0, word.size()), word);
}

bool is_stream(const Headers& headers) {
  const std::string_view type = find_header(headers, "content-type");
  return begins_with(type, kEventStream) || begins_with(type, kAwsEventStream);
}

/// Events are not to be collected on their way, by nginx and those who copy it
/// nor by a cache.
void add_stream_headers(Headers& headers) {
  if (find_header(headers, kBuffering).empty()) {
    headers.push_back({std::string(kBuffering), "no"});
  }
  if (find_header(headers, kCacheControl).empty()) {
    headers.push_back({std::string(kCacheControl), "no-cache"});
  }
}

/// Words, not pictures or frames with sums of their own.
bool is_text(const Headers& headers) {
  constexpr std::array<std::string_view, 3> kText = {
      "text/", "application/json", "application/x-ndjson"};
  const std::string_view type = find_header(headers, "content-type");
  const bool text = std::any_of(
      kText.begin(), kText.end(),
      [type](std::string_view word) { return begins_with(type, word); });
  return text && find_header(headers, "content-encoding").empty();
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
    if (upstream_.status >= kFirstError || redirects()) return;
    // So may what is said with 200. Lengths have been told by then.
    if (is_text(upstream_.headers)) {
      redactor_.emplace(backend_, exchange_.request);
      if (form_.by_model) members_.emplace();
    }
    start();
  }

  /// It leads to no model.
  bool redirects() const {
    return form_.by_model && !is_success(upstream_.status);
  }

  void start() {
    Headers headers = passable_answer_headers(upstream_.headers);
    redact(backend_, exchange_.request, headers);
    if (is_stream(headers)) add_stream_headers(headers);
    answer_.start(upstream_.status, std::move(headers));
  }

  Flow take(std::string_view bytes) override {
    usage_.feed(bytes);
    if (members_) members_->feed(bytes);
    if (redactor_) {
      redactor_->feed(bytes, out_);
    } else {
      out_ += bytes;
    }
    if (answer_.started()) return send();
    too_large_ = out_.size() > kMaxError;
    const bool kept = out_.size() <= kPiece || keep();
    return too_large_ || !kept ? Flow::stop : Flow::go_on;
  }

  bool complete() const override { return whole_; }
  bool breaks_off() const override {
    return broken_ && breaks_failed_streams(written());
  }

  void end(Lock&) override {
    if (!answer_.started()) {
      if (!result() || upstream_.status < kFirstError) return fail();
      start_error();
    }
    if (redactor_) redactor_->finish(out_);
    // Else not finished: the client must see that something is missing.
    whole_ = static_cast<bool>(result());
    broken_ = !whole_;
    if (broken_) answer_.note(result().error());
    write();
  }

  void fail() {
    out_.clear();
    Error error = too_large_  ? too_large_error()
                  : !result() ? at_backend(backend_, result().error())
                  : upstream_.status != 0
                      ? no_answer(upstream_)
                      : upstream_malformed("the upstream sent no answer");
    redact(backend_, exchange_.request, error.message);
    answer_.send_error(exchange_.dialect, error);
  }

  Error too_large_error() const {
    return upstream_malformed(
        fmt::format("the upstream answered with status {} and an error of "
                    "more than {} bytes",
                    upstream_.status, kMaxError));
  }

  void start_error() {
    redact(backend_, exchange_.request, out_);
    Headers& headers = upstream_.headers;
    std::erase_if(headers, [](const Header& header) {
      return same_header_name(header.name, "content-length");
    });
    add_retry_after(exchange_.dialect, said_by_upstream(), headers);
    // The answer to HEAD has a length and no body.
    if (!out_.empty()) {
      headers.push_back({"content-length", std::to_string(out_.size())});
    }
    start();
  }

  void account() override {
    note_usage(with_told(members_ ? members_->usage() : usage_.usage()),
               answer_.record());
    RequestRecord& record = answer_.record();
    if (record.status >= 400 && record.outcome == "ok") {
      answer_.note(said_by_upstream());
    }
  }

  /// What the answer is in.
  const Dialect& written() const {
    return form_.dialect != nullptr ? *form_.dialect : exchange_.dialect;
  }

  Error said_by_upstream() const {
    return written().decode_error(upstream_.status, upstream_.headers, out_);
  }

  /// A proxy behind us may have counted already.
  Usage with_told(Usage usage) const {
    std::int64_t told = 0;
    const std::string_view text =
        find_header(upstream_.headers, "x-llm-input-tokens");
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, told);
    if (!text.empty() && code == std::errc() && stop == end && told >= 0 &&
        told <= json::kMaxCount) {
      usage.input_tokens = told;
    }
    return usage;
  }

  const Backend& backend_;
  const AnswerForm form_;
  UsageReader usage_;
  std::optional<UsageMembers> members_;
  std::optional<Redactor> redactor_;
  bool whole_ = false;
  bool broken_ = false;     ///< in the middle
  bool too_large_ = false;  ///< an error, to be held
};

const Dialect* dialect_of_chat(std::string_view path) {
  for (const Dialect* dialect : dialects()) {
    const auto match = match_path(*dialect, path);
    if (match && match->path->operation == Operation::chat) return dialect;
  }
  return nullptr;
}

/// The request as one of a chat, where it is one; its body is borrowed.
std::optional<ParsedRequest> read_chat(const Exchange& exchange,
                                       std::string_view rest) {
  const std::string path = usual_path(rest);
  const Dialect* dialect = dialect_of_chat(path);
  if (dialect == nullptr) return std::nullopt;
  RequestHead head;
  head.path = path;
  head.query = exchange.request.query;
  auto parsed = ParsedRoot::borrow(*dialect, exchange.request.body, head,
                                   exchange.core.parse_limits());
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

/// Notes and counts what the request asks for, and says what its answer is.
Result<AnswerForm> look_at(Exchange& exchange, const Backend& backend,
                           std::string_view rest) {
  const auto parsed = read_chat(exchange, rest);
  if (!parsed) {
    LLMPROXY_TRY(reserve_unread(exchange, backend.name));
    return AnswerForm{};
  }
  note_request(*parsed, exchange.answer.record());
  LLMPROXY_TRY(
      reserve(exchange, read_for_limits(exchange, *parsed), backend.name));
  return form_of(*parsed);
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

/// Below a prefix a key of ours stands instead of all that the client sends;
/// below a backend's name the client's own comes first.
OwnCredentials own_credentials(const Exchange& exchange,
                               const Backend& backend) {
  const bool asked = exchange.mount.prefix.empty() ||
                     (backend.pass_credentials && backend.api_key.empty());
  return asked ? OwnCredentials::passed : OwnCredentials::dropped;
}

/// Puts the model that a form's own leads to below the prefix in its place.
/// What cannot be read goes on as it is.
std::vector<BodyEdit> form_edits(const Exchange& exchange) {
  const Result<ModelBody> form = run_sized(body_bytes(exchange.request), [&] {
    return read_form_model(exchange.request);
  });
  if (!form || form->model.empty()) return {};
  const auto target =
      exchange.core.routes().find(form->model, exchange.mount.prefix);
  if (!target || target->model == form->model) return {};
  return edits_for(*form, target->model);
}

/// The body with the model that its own leads to below the prefix.
std::string with_backend_model(const Exchange& exchange, std::string body) {
  json::Document document;
  const auto root = document.parse(body);
  if (!root || !(*root)["model"].is_string()) return body;
  const std::string_view name = (*root)["model"].string();
  const auto target = exchange.core.routes().find(name, exchange.mount.prefix);
  if (!target || target->model == name) return body;
  const std::string_view text = document.text();
  const std::string_view old = (*root)["model"].raw();
  const auto start = static_cast<std::size_t>(old.data() - text.data());
  std::string out(text.substr(0, start));
  out += '"';
  json::append_escaped(out, target->model);
  out += '"';
  return out.append(text.substr(start + old.size()));
}

UpstreamRequest request_to(Exchange& exchange, const Backend& backend,
                           std::string_view rest) {
  HttpRequest& request = exchange.request;
  const ServerConfig& server = exchange.core.config().server;
  const OwnCredentials own = own_credentials(exchange, backend);
  UpstreamRequest out;
  out.method = request.method;
  out.url = join_version(resolved_base_url(backend), rest);
  std::string query = passable_query(server, request, own);
  if (!backend.query.empty()) {
    query += (query.empty() ? "" : "&") + backend.query;
  }
  if (!query.empty()) out.url += "?" + query;
  out.headers = passable_headers(server, request, own);
  out.headers.push_back({"accept-encoding", "identity"});
  put_configured_headers(backend.headers, out.headers);
  const bool has_own =
      own == OwnCredentials::passed && !own_credential(server, request).empty();
  const bool renamed = own == OwnCredentials::dropped;
  const bool form = has_form(request);
  std::vector<BodyEdit> edits;
  if (renamed && form) edits = form_edits(exchange);
  out.body = std::move(request.body);
  out.large_body = std::move(request.large_body);
  edit_body(std::move(edits), out.body, out.large_body);
  if (renamed && !form) {
    out.body = with_backend_model(exchange, std::move(out.body));
  }
  out.deadlines = backend.deadlines;
  if (!has_own) authorize(backend, out);
  return out;
}

}  // namespace

void forward(Exchange& exchange, const Backend& backend,
             std::string_view rest) {
  if (has_dot_segment(rest)) {
    return exchange.answer.send_error(
        exchange.dialect,
        invalid_request("the path may not have . or .. between slashes"));
  }
  exchange.answer.record().backend = backend.name;
  Result<AnswerForm> form = run_sized(body_bytes(exchange.request), [&] {
    return look_at(exchange, backend, rest);
  });
  if (!form) {
    return exchange.answer.send_error(exchange.dialect, form.error());
  }

  UpstreamRequest out = request_to(exchange, backend, rest);
  const Result<void> near = see_off(exchange, backend, out);
  if (!near) return exchange.answer.send_error(exchange.dialect, near.error());
  tell_forwarded(exchange, backend, out);
  when_free(exchange, backend, [&] {
    relay_bytes(exchange, backend, std::move(out), *std::move(form));
  });
}

void relay_bytes(Exchange& exchange, const Backend& backend,
                 UpstreamRequest request, AnswerForm form) {
  request.unpack = false;  // the headers that say how it came go on as well
  ByteCall(exchange, backend, std::move(form)).run(std::move(request));
}

}  // namespace llmproxy::gateway
