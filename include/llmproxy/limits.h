// Limits on requests and tokens: how much may pass in a minute and in a day,
// in total and by user, key, model and provider.
//
// A Limiter is asked before a request goes upstream, with a guess of its
// tokens, and told afterwards what it really took:
//
//   const auto then = LimitClock::now();
//   LimitVerdict verdict = limiter->reserve(scope, guess, then);
//   if (!verdict.allowed) ...              // 429, after verdict.retry_after
//   limiter->reconcile(scope, guess, used, then, LimitClock::now());
//
// A Limiter is thread-safe; all else here are plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Most that may pass in a window; 0 (or less) = unlimited. A token limit
/// lets one request pass while its window has counted no tokens yet, however
/// large: otherwise a request above the limit could never be made.
struct Limits {
  /// Requests in a minute of the UTC clock.
  std::int64_t requests_per_minute = 0;
  /// Requests in a day of the UTC clock.
  std::int64_t requests_per_day = 0;
  /// Tokens, input and output, in a minute.
  std::int64_t tokens_per_minute = 0;
  /// Tokens, input and output, in a day.
  std::int64_t tokens_per_day = 0;
};

/// What a limit may be set on.
enum class LimitKind : std::uint8_t {
  user,     ///< LimitScope::user
  key,      ///< LimitScope::key
  model,    ///< LimitScope::model
  provider  ///< LimitScope::provider
};

/// Limits of one user, key, model or provider; name "*" = of each that has no
/// row of its own, by itself. A row without any limit exempts its name from
/// "*". Of several rows with one name the last counts.
struct LimitOverride {
  /// What `name` is the name of.
  LimitKind kind = LimitKind::user;
  std::string name = {};  ///< compared exactly
  /// Of that name; all 0 = none.
  Limits limits = {};
};

/// How tokens are guessed before the upstream counted them. A divisor that is
/// not above 0 is taken for 4.
struct TokenEstimation {
  /// Of a larger body the text is not looked at: bytes / bytes_per_token.
  std::size_t max_sample_bytes = 20000;
  /// For bodies above max_sample_bytes.
  double bytes_per_token = 4;
  /// For the text of all others; characters, not bytes.
  double chars_per_token = 4;
  /// By name of the provider, instead of chars_per_token.
  std::vector<std::pair<std::string, double>> provider_chars_per_token = {};
};

/// Everything make_memory_limiter() is told.
struct LimitRules {
  /// False = everything passes and nothing is counted.
  bool enabled = false;
  /// Of everything together.
  Limits limits = {};
  /// Of single names, or of each name by itself.
  std::vector<LimitOverride> overrides = {};
  /// How tokens are guessed beforehand.
  TokenEstimation estimation = {};
  /// Most names counted by "*" rows at once, in equal parts for each kind
  /// that has such a row. Further names share one count of their kind until
  /// its window ends, so that made-up names neither take memory nor escape.
  /// Names with a row of their own always have their own count.
  std::size_t max_scopes = 100'000;
};

/// Who asks for what; empty = not known, no such limit applies.
struct LimitScope {
  std::string user = {};      ///< the end user, as the client says
  std::string key = {};       ///< the credential that the client sent
  std::string model = {};     ///< as the client names it
  std::string provider = {};  ///< name of the backend
};

/// Windows are the minutes and days of the UTC clock.
using LimitClock = std::chrono::system_clock;

/// Whether a request may pass. All but `allowed` is set for a refusal only;
/// of several limits that refuse it tells the one with the longest wait.
struct LimitVerdict {
  /// It may pass, and was counted.
  bool allowed = true;
  /// Until the window ends, rounded up; at least 1.
  std::chrono::seconds retry_after{0};
  /// "all", "user:alice", "model:gpt-5", "provider:openai", or "key" (never
  /// the key itself).
  std::string scope = {};
  std::string metric = {};  ///< "requests" or "tokens"
  std::string window = {};  ///< "minute" or "day"
  std::int64_t limit = 0;   ///< requests or tokens in the window
  /// What is left of it, not enough for this request; at least 0.
  std::int64_t remaining = 0;
};

/// Counts requests and tokens. One interface, so that a host can count in a
/// store that several processes share and give that to its Gateways
/// (GatewayHooks::limiter). Thread-safe. Give all calls for a request the same
/// scope. Token numbers below 0 count as 0, absurdly large ones as
/// 10^15.
class Limiter {
 public:
  virtual ~Limiter() = default;
  /// Counts one request and `tokens` in every limit that applies, or, if any
  /// would be exceeded, nothing.
  virtual LimitVerdict reserve(const LimitScope& scope, std::int64_t tokens,
                               LimitClock::time_point now) = 0;
  /// What the request really took, instead of `reserved` tokens. `then` is
  /// the time given to reserve(): a window that is over is left alone. May
  /// bring a count above its limit; later requests are refused then.
  virtual void reconcile(const LimitScope& scope, std::int64_t reserved,
                         std::int64_t actual, LimitClock::time_point then,
                         LimitClock::time_point now) = 0;
  /// Takes a reservation of `tokens`, made at `then`, back (the upstream
  /// failed). Not after reconcile().
  virtual void cancel(const LimitScope& scope, std::int64_t tokens,
                      LimitClock::time_point then,
                      LimitClock::time_point now) = 0;
};

/// Counts in the memory of this process; a restart begins anew. Keys are kept
/// as hashes only. `rules` is read here and not kept.
std::unique_ptr<Limiter> make_memory_limiter(const LimitRules& rules);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
