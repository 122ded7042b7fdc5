#include "gateway/limits.h"

#include <utility>

#include <fmt/format.h>

#include "gateway/credentials.h"
#include "gateway/headers.h"
#include "gateway/log_text.h"
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

/// What a request says of itself.
struct Reading {
  std::string model;
  std::string user;
  std::size_t bytes = 0;
  std::size_t characters = 0;
};

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

Result<void> reserve(Exchange& exchange, Reading reading,
                     const std::string& provider) {
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

}  // namespace

Result<void> reserve(Exchange& exchange, const ParsedRequest& request,
                     const std::string& provider) {
  const LimitRules& rules = exchange.core.config().limits;
  if (!rules.enabled) return {};
  return reserve(exchange, read(request, rules.estimation), provider);
}

Result<void> reserve_unread(Exchange& exchange, const std::string& provider) {
  const std::string& body = exchange.request.body;
  if (!exchange.core.config().limits.enabled || body.empty()) return {};
  Reading reading;
  reading.bytes = reading.characters = body.size();
  json::Document document;
  if (const auto root = document.parse(body)) {
    reading.model = (*root)["model"].string();
  }
  return reserve(exchange, std::move(reading), provider);
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
