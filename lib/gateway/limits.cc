#include "gateway/limits.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "gateway/credentials.h"
#include "gateway/headers.h"
#include "gateway/log_text.h"
#include "gateway/path_form.h"
#include "gateway/token_guess.h"
#include "json/json.h"

namespace llmproxy::gateway {
namespace {

/// Who the client says is using it, where the body does not.
constexpr std::string_view kUserHeader = "x-user-id";

std::size_t text_size(const std::vector<ContentPart>& content);

struct PartSize {
  std::size_t operator()(const TextPart& part) const {
    return part.text.size();
  }
  std::size_t operator()(const ThinkingPart& part) const {
    return part.text.size();
  }
  std::size_t operator()(const ToolCallPart& part) const {
    return part.name.size() + part.arguments.size();
  }
  std::size_t operator()(const ToolResultPart& part) const {
    return text_size(part.content);
  }
  // Pictures and sounds are no text: see docs/configuration.md.
  template <class Other>
  std::size_t operator()(const Other&) const {
    return 0;
  }
};

std::size_t text_size(const std::vector<ContentPart>& content) {
  std::size_t sum = 0;
  for (const ContentPart& part : content) {
    sum += std::visit(PartSize{}, part.value);
  }
  return sum;
}

Reading read(const ParsedRequest& request, const TokenEstimation& estimation) {
  Reading out;
  out.model = request.model();
  out.characters = out.bytes = request.body().size();
  // Above it only the size counts, and nothing need be read.
  if (out.bytes > estimation.max_sample_bytes) return out;
  const Result<ChatRequest> chat = request.decode();
  if (!chat) return out;
  out.characters = 0;
  for (const Message& message : chat->messages) {
    out.characters += text_size(message.content);
  }
  out.user = chat->user_id;
  return out;
}

/// The key a client is counted by: the one of ours that let it in, which it
/// cannot make up; only where none is asked for, its own.
std::string key_of(const Exchange& exchange) {
  const ServerConfig& server = exchange.core.config().server;
  if (exchange.client == 0) {
    return std::string(own_credential(server, exchange.request));
  }
  const std::size_t index = exchange.client - 1;
  const std::size_t keys = server.client_keys.size();
  return (index < keys ? server.client_keys[index]
                       : server.client_access_keys[index - keys])
      .reveal();
}

/// Readers differ in whether blanks and NULs around a name belong to it; for
/// counting they do not.
std::string trimmed_name(std::string_view name) {
  const auto is_ink = [](unsigned char c) { return c > ' ' && c != 0x7f; };
  const auto first = std::find_if(name.begin(), name.end(), is_ink);
  const auto last = std::find_if(name.rbegin(), name.rend(), is_ink).base();
  return first < last ? std::string(first, last) : std::string();
}

std::string printable(std::string_view text) {
  std::string out = short_name(text);
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

Headers limit_headers(const LimitVerdict& verdict) {
  return {
      {"x-ratelimit-limit", std::to_string(verdict.limit)},
      {"x-ratelimit-remaining", std::to_string(verdict.remaining)},
      {"x-ratelimit-reset", std::to_string(verdict.retry_after.count())},
      {"x-ratelimit-metric", verdict.metric},
      {"x-ratelimit-window", verdict.window},
      {"x-ratelimit-scope", printable(verdict.scope)},
  };
}

Error refused(const LimitVerdict& verdict) {
  Error error;
  error.kind = ErrorKind::rate_limited;
  error.fault = Fault::client;
  error.message = fmt::format(
      "the limit of {} {} per {} ({}) is reached; try again in {} s",
      verdict.limit, verdict.metric, verdict.window, printable(verdict.scope),
      verdict.retry_after.count());
  error.code = "rate_limit_exceeded";
  error.retry_after = std::to_string(verdict.retry_after.count());
  return error;
}

Result<void> reserve_read(Exchange& exchange, Reading reading,
                          const std::string& provider) {
  reading.model = trimmed_name(reading.model);
  if (reading.user.empty()) {
    reading.user = find_header(exchange.request.headers, kUserHeader);
  }
  Reservation reservation;
  reservation.scope = {std::move(reading.user), key_of(exchange),
                       std::move(reading.model), provider};
  reservation.tokens =
      guess_tokens(exchange.core.config().limits.estimation, provider,
                   reading.bytes, reading.characters);
  reservation.then = LimitClock::now();
  const LimitVerdict verdict = exchange.core.limiter().reserve(
      reservation.scope, reservation.tokens, reservation.then);
  if (!verdict.allowed) {
    exchange.answer.add_headers(limit_headers(verdict));
    return refused(verdict);
  }
  exchange.reservation = std::move(reservation);
  return {};
}

Error unreadable() {
  return invalid_request(
      "the body cannot be read as JSON, so that it cannot be counted; limits "
      "are set");
}

/// The member `model`, in whatever case an upstream may read it.
Result<std::string> named_model(const json::Value& root) {
  std::string model;
  std::size_t count = 0;
  for (const json::Value member : root.children()) {
    if (!same_header_name(member.key(), "model")) continue;
    model = member.string();
    ++count;
  }
  if (count > 1) {
    return invalid_request("model is given more than once", "/model");
  }
  return model;
}

/// True for a text that some reader may take for a JSON object: behind a byte
/// order mark, in UTF-16, nested too deep for ours.
bool looks_like_json(std::string_view body) {
  constexpr std::string_view kBefore("\xef\xbb\xbf\xfe\xff \t\r\n\0", 10);
  const std::size_t first = body.find_first_not_of(kBefore);
  return first != std::string_view::npos && body[first] == '{';
}

std::string beginning_of(const LargeBody& body) {
  constexpr std::size_t kBytes = 4096;
  std::string out(kBytes, '\0');
  out.resize(body.read(0, out.data(), out.size()));
  return out;
}

/// What an upstream could read although we cannot.
bool must_be_readable(const HttpRequest& request) {
  const std::string_view coding =
      find_header(request.headers, "content-encoding");
  return looks_like_json(request.body) || is_chat_path(request.path) ||
         !(coding.empty() || same_header_name(coding, "identity"));
}

}  // namespace

Reading read_for_limits(const Exchange& exchange,
                        const ParsedRequest& request) {
  const LimitRules& rules = exchange.core.config().limits;
  return rules.enabled ? read(request, rules.estimation) : Reading{};
}

Result<void> reserve(Exchange& exchange, Reading reading,
                     const std::string& provider) {
  if (!exchange.core.config().limits.enabled) return {};
  return reserve_read(exchange, std::move(reading), provider);
}

Result<void> reserve_unread(Exchange& exchange, const std::string& provider) {
  const std::string& body = exchange.request.body;
  const auto& large = exchange.request.large_body;
  if (!exchange.core.config().limits.enabled || (body.empty() && !large)) {
    return {};
  }
  Reading reading;
  if (large) {
    // A form, by its head; what looks like JSON to an upstream is none.
    if (looks_like_json(beginning_of(*large)) ||
        is_chat_path(exchange.request.path)) {
      return unreadable();
    }
    reading.bytes = reading.characters =
        static_cast<std::size_t>(large->size());
    return reserve_read(exchange, std::move(reading), provider);
  }
  reading.bytes = reading.characters = body.size();
  json::Document document;
  const auto root = document.parse_view(body, exchange.core.parse_limits());
  if (root) {
    LLMPROXY_ASSIGN(reading.model, named_model(*root));
  } else if (must_be_readable(exchange.request)) {
    // What has more values than we count the upstream could read all the same.
    return root.error().kind == ErrorKind::request_too_large ? root.error()
                                                             : unreadable();
  }
  return reserve_read(exchange, std::move(reading), provider);
}

void refuse_reserved(Exchange& exchange) {
  if (!exchange.reservation) return;
  const Reservation& made = *exchange.reservation;
  exchange.core.limiter().reconcile(made.scope, made.tokens, 0, made.then,
                                    LimitClock::now());
  exchange.reservation.reset();
}

void settle(const Core& core, const RequestRecord& record,
            const Reservation& reservation) {
  Limiter& limiter = core.limiter();
  const auto now = LimitClock::now();
  const bool counted = record.input_tokens || record.output_tokens;
  if (counted) {
    const std::int64_t actual =
        record.input_tokens.value_or(reservation.tokens) +
        record.output_tokens.value_or(0);
    limiter.reconcile(reservation.scope, reservation.tokens, actual,
                      reservation.then, now);
  } else if (record.status >= 500) {
    // Nothing was spent for an upstream that failed.
    limiter.cancel(reservation.scope, reservation.tokens, reservation.then,
                   now);
  }
}

}  // namespace llmproxy::gateway
