// Result<T> and Error: how every call of this library reports failure.
//
// Errors are values; no exception crosses the public API. The kinds are few
// and chosen by what the caller can do about them; each kind has one row in
// lib/base/error.cc with its HTTP status, whether a retry can help, and a
// sentence. Plain values, safe to copy between threads.
//
//   Result<ChatRequest> request = decode(...);
//   if (!request) return request.error();
//   use(*request);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// What went wrong, by what the caller can do about it.
enum class ErrorKind : std::uint8_t {
  invalid_request,          ///< the client's request is wrong; fix it
  unauthenticated,          ///< no key, or a wrong one
  permission_denied,        ///< the key may not do this
  not_found,                ///< no such model, path or object
  unsupported,              ///< correct, but the target cannot do it
  request_too_large,        ///< the body is over the limit
  context_length_exceeded,  ///< the prompt does not fit the model
  content_filtered,         ///< refused by a filter before any answer
  rate_limited,             ///< try later
  overloaded,               ///< the upstream (or we) have no capacity
  timeout,                  ///< a deadline passed
  cancelled,                ///< the caller gave up
  upstream_unreachable,     ///< no connection, DNS, TLS
  upstream_malformed,       ///< the upstream's answer makes no sense
  upstream_truncated,       ///< the upstream stopped in mid-answer
  upstream_failed,          ///< the upstream reported an internal error
  internal,                 ///< our fault
};
/// The last one, for loops over all.
inline constexpr ErrorKind kLastErrorKind = ErrorKind::internal;

/// Where an error comes from. What a provider tells is `upstream`, also when it
/// blames the request: `kind` says that.
enum class Fault : std::uint8_t {
  client,    ///< of who asks, as found here; or they gave up
  upstream,  ///< told by the provider, or of the way to it
  proxy      ///< ours
};

/// One failure. Holds no secret: the message never repeats a key.
struct Error {
  /// What went wrong.
  ErrorKind kind = ErrorKind::internal;
  /// Where it comes from.
  Fault fault = Fault::proxy;
  /// A sentence a user can act on.
  std::string message = {};
  /// JSON pointer into the client's body ("/messages/2/role"), or empty.
  std::string path = {};
  /// HTTP status the upstream used, or 0: the kind's own status applies.
  int status = 0;
  /// The provider's own error code or type ("insufficient_quota"), or empty.
  std::string code = {};
  /// What the provider put into `retry-after` (seconds or a date), or empty.
  std::string retry_after = {};
  /// The provider's request id, for support tickets, or empty.
  std::string request_id = {};

  bool operator==(const Error&) const = default;
};

/// HTTP status for an error: the upstream's if that is one of errors, else
/// the kind's.
int http_status(const Error& error);
/// The kind's name as written in logs ("rate_limited").
std::string_view to_string(ErrorKind kind);
/// "client", "upstream" or "proxy". Static storage.
std::string_view to_string(Fault fault);
/// True when the same request may succeed later or elsewhere.
bool retryable(ErrorKind kind);
/// The kind that an HTTP status from an upstream stands for.
ErrorKind error_kind_from_status(int status);

/// An error the client must fix. `path` is a JSON pointer.
[[gnu::cold]] Error invalid_request(std::string message, std::string path = {});
/// Correct, but not possible for this target.
[[gnu::cold]] Error unsupported(std::string message, std::string path = {});
/// An upstream's answer that cannot be read.
[[gnu::cold]] Error upstream_malformed(std::string message);

namespace detail {
/// Asked for a value where there is an error: std::terminate() with a
/// std::logic_error whose text is the error's kind, message and path, which
/// the run-time writes to stderr. Null = there is neither.
[[noreturn]] void result_has_no_value(const Error* error);
/// The same, asked for an error where there is none.
[[noreturn]] void result_has_no_error();
}  // namespace detail

/// A value or an Error. Member names follow std::expected (C++23). To ask for
/// what is not there is a mistake in the program: it ends at once, in every
/// build, and says on stderr which error it was.
template <class T>
class [[nodiscard]] Result {
 public:
  /// Success.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  /// Failure.
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  /// True = value() may be called, false = error().
  bool has_value() const { return state_.index() == 0; }
  /// The same.
  explicit operator bool() const { return has_value(); }
  /// The value; ends the program where there is none.
  /// @{
  T& value() & { return *the_value(); }
  const T& value() const& { return *the_value(); }
  T&& value() && { return std::move(*the_value()); }
  /// @}
  /// As value().
  /// @{
  T& operator*() & { return *the_value(); }
  const T& operator*() const& { return *the_value(); }
  T&& operator*() && { return std::move(*the_value()); }
  T* operator->() { return the_value(); }
  const T* operator->() const { return the_value(); }
  /// @}
  /// The error; ends the program where there is a value.
  /// @{
  Error& error() & { return *the_error(); }
  const Error& error() const& { return *the_error(); }
  Error&& error() && { return std::move(*the_error()); }
  /// @}

 private:
  const T* the_value() const {
    const T* value = std::get_if<0>(&state_);
    if (value == nullptr) {
      detail::result_has_no_value(std::get_if<1>(&state_));
    }
    return value;
  }
  T* the_value() { return const_cast<T*>(std::as_const(*this).the_value()); }
  const Error* the_error() const {
    const Error* error = std::get_if<1>(&state_);
    if (error == nullptr) detail::result_has_no_error();
    return error;
  }
  Error* the_error() {
    return const_cast<Error*>(std::as_const(*this).the_error());
  }

  std::variant<T, Error> state_;
};

/// Success or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  /// Success.
  Result() = default;
  /// Failure.
  Result(Error error) : error_(std::move(error)) {}

  /// True = success, false = error() may be called.
  bool has_value() const { return !error_.has_value(); }
  /// The same.
  explicit operator bool() const { return has_value(); }
  /// The error; ends the program where there is none.
  /// @{
  Error& error() & { return *the_error(); }
  const Error& error() const& { return *the_error(); }
  Error&& error() && { return std::move(*the_error()); }
  /// @}

 private:
  const Error* the_error() const {
    if (!error_) detail::result_has_no_error();
    return &*error_;
  }
  Error* the_error() {
    return const_cast<Error*>(std::as_const(*this).the_error());
  }

  std::optional<Error> error_;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END

/// Returns from the calling function when `expr` (a Result) holds an error.
#define LLMPROXY_TRY(expr)                           \
  do {                                               \
    if (auto llmproxy_try_ = (expr); !llmproxy_try_) \
      return std::move(llmproxy_try_).error();       \
  } while (false)

#define LLMPROXY_JOIN_(a, b) a##b
#define LLMPROXY_JOIN(a, b) LLMPROXY_JOIN_(a, b)
#define LLMPROXY_ASSIGN_(tmp, decl, expr)  \
  auto tmp = (expr);                       \
  if (!tmp) return std::move(tmp).error(); \
  decl = std::move(*tmp)
/// Declares or assigns `decl` from a Result, or returns its error.
#define LLMPROXY_ASSIGN(decl, expr) \
  LLMPROXY_ASSIGN_(LLMPROXY_JOIN(llmproxy_result_, __LINE__), decl, expr)
