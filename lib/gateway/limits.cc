#include "gateway/limits.h"

#include <utility>

#include <fmt/format.h>

#include "gateway/credentials.h"
#include "gateway/headers.h"
#include "gateway/log_text.h"
#include "gateway/token_guess.h"

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

struct Reading {
  std::size_t characters = 0;
  std::string user;
};

Reading read(const ParsedRequest& request) {
  Reading out;
  const Result<ChatRequest> chat = request.decode();
  if (!chat) {
    out.characters = request.body().size();
    return out;
  }
  for (const Message& message : chat->messages) {
    out.characters += text_size(message.content);
  }
  out.user = chat->user_id;
  return out;
}

/// The key a client is counted by: its own, or the one of ours it sent.
std::string key_of(const Exchange& exchange) {
  const ServerConfig& server = exchange.core.config().server;
  const std::string_view own = own_credential(server, exchange.request);
  if (!own.empty()) return std::string(own);
  const std::size_t number = exchange.client;
  if (number == 0 || number > server.client_keys.size()) return {};
  return server.client_keys[number - 1].reveal();
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

}  // namespace

Result<void> reserve(Exchange& exchange, const ParsedRequest& request,
                     const std::string& provider) {
  const LimitRules& rules = exchange.core.config().limits;
  if (!rules.enabled) return {};
  Reading reading;
  // Above it only the size counts, and nothing need be read.
  const std::size_t bytes = request.body().size();
  if (bytes <= rules.estimation.max_sample_bytes) reading = read(request);
  if (reading.user.empty()) {
    reading.user = find_header(exchange.request.headers, kUserHeader);
  }
  Reservation reservation;
  reservation.scope = {std::move(reading.user), key_of(exchange),
                       std::string(request.model()), provider};
  reservation.tokens =
      guess_tokens(rules.estimation, provider, bytes, reading.characters);
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
