// The error table: one row per kind.
#include <array>
#include <exception>
#include <stdexcept>

#include "base/bounded.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"

namespace llmproxy {
namespace {

struct ErrorRow {
  ErrorKind kind;
  std::string_view name;
  int status;
  bool retryable;
};

constexpr std::array kErrors = {
    ErrorRow{ErrorKind::invalid_request, "invalid_request", 400, false},
    ErrorRow{ErrorKind::unauthenticated, "unauthenticated", 401, false},
    ErrorRow{ErrorKind::permission_denied, "permission_denied", 403, false},
    ErrorRow{ErrorKind::not_found, "not_found", 404, false},
    ErrorRow{ErrorKind::unsupported, "unsupported", 400, false},
    ErrorRow{ErrorKind::request_too_large, "request_too_large", 413, false},
    ErrorRow{ErrorKind::context_length_exceeded, "context_length_exceeded", 400,
             false},
    ErrorRow{ErrorKind::content_filtered, "content_filtered", 400, false},
    ErrorRow{ErrorKind::rate_limited, "rate_limited", 429, true},
    ErrorRow{ErrorKind::overloaded, "overloaded", 503, true},
    ErrorRow{ErrorKind::timeout, "timeout", 504, true},
    // 499 is nginx's word for a client that left; it never reaches one.
    ErrorRow{ErrorKind::cancelled, "cancelled", 499, false},
    ErrorRow{ErrorKind::upstream_unreachable, "upstream_unreachable", 502,
             true},
    ErrorRow{ErrorKind::upstream_malformed, "upstream_malformed", 502, true},
    ErrorRow{ErrorKind::upstream_truncated, "upstream_truncated", 502, true},
    ErrorRow{ErrorKind::upstream_failed, "upstream_failed", 500, true},
    ErrorRow{ErrorKind::internal, "internal", 500, false},
};
static_assert(kErrors.size() == static_cast<std::size_t>(kLastErrorKind) + 1);

const ErrorRow& row(ErrorKind kind) {
  for (const ErrorRow& row : kErrors) {
    if (row.kind == kind) return row;
  }
  return kErrors.back();
}

/// Statuses that say more than their class.
struct StatusRow {
  int status;
  ErrorKind kind;
};
constexpr std::array kStatuses = {
    StatusRow{401, ErrorKind::unauthenticated},
    StatusRow{402, ErrorKind::permission_denied},
    StatusRow{403, ErrorKind::permission_denied},
    StatusRow{404, ErrorKind::not_found},
    StatusRow{408, ErrorKind::timeout},
    StatusRow{413, ErrorKind::request_too_large},
    StatusRow{429, ErrorKind::rate_limited},
    StatusRow{503, ErrorKind::overloaded},
    StatusRow{504, ErrorKind::timeout},
    StatusRow{529, ErrorKind::overloaded},
};

/// The core writes nothing itself. What std::terminate finds in flight, the
/// run-time's handler writes, or the host's own.
[[noreturn]] void end_program(const std::string& why) {
  try {
    throw std::logic_error("llmproxy::Result: " + why);
  } catch (...) {
    std::terminate();
  }
}

}  // namespace

namespace detail {

void result_has_no_value(const Error* error) {
  if (error == nullptr) end_program("there is no value");
  std::string why = "there is no value, but the error ";
  why += to_string(error->kind);
  why += ": " + error->message;
  if (!error->path.empty()) why += " (at " + error->path + ")";
  end_program(why);
}

void result_has_no_error() { end_program("there is no error, but a value"); }

}  // namespace detail

int http_status(const Error& error) {
  // An error that came with a 2xx or 3xx is one all the same.
  const bool is_error = error.status >= 400 && error.status < 600;
  return is_error ? error.status : row(error.kind).status;
}

std::string_view to_string(ErrorKind kind) { return row(kind).name; }

std::string_view to_string(Fault fault) {
  constexpr std::array<std::string_view, 3> kNames = {"client", "upstream",
                                                      "proxy"};
  return kNames[static_cast<std::size_t>(fault)];
}

std::string_view to_string(LossKind kind) {
  return kind == LossKind::dropped ? "dropped" : "approximated";
}

bool retryable(ErrorKind kind) { return row(kind).retryable; }

ErrorKind error_kind_from_status(int status) {
  for (const StatusRow& row : kStatuses) {
    if (row.status == status) return row.kind;
  }
  return status >= 400 && status < 500 ? ErrorKind::invalid_request
                                       : ErrorKind::upstream_failed;
}

Error invalid_request(std::string message, std::string path) {
  Error error;
  error.kind = ErrorKind::invalid_request;
  error.fault = Fault::client;
  error.message = cut_short(std::move(message), kMaxSentence);
  error.path = cut_short(std::move(path), kMaxPointer);
  return error;
}

Error unsupported(std::string message, std::string path) {
  Error error = invalid_request(std::move(message), std::move(path));
  error.kind = ErrorKind::unsupported;
  return error;
}

Error upstream_malformed(std::string message) {
  Error error;
  error.kind = ErrorKind::upstream_malformed;
  error.fault = Fault::upstream;
  error.message = cut_short(std::move(message), kMaxSentence);
  return error;
}

}  // namespace llmproxy
