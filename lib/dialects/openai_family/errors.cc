#include "dialects/openai_family/errors.h"

#include <array>
#include <optional>

#include "chat/error_text.h"

namespace llmproxy::openai_family {
namespace {

using json::Value;

/// What an error of ours looks like to clients.
struct ErrorRow {
  ErrorKind kind;
  std::string_view type;
  std::string_view code;  ///< empty = null
};
constexpr std::array kErrors = {
    ErrorRow{ErrorKind::invalid_request, "invalid_request_error", ""},
    ErrorRow{ErrorKind::unauthenticated, "invalid_request_error",
             "invalid_api_key"},
    ErrorRow{ErrorKind::permission_denied, "permission_error", ""},
    ErrorRow{ErrorKind::not_found, "invalid_request_error", "model_not_found"},
    ErrorRow{ErrorKind::unsupported, "invalid_request_error",
             "unsupported_parameter"},
    ErrorRow{ErrorKind::request_too_large, "invalid_request_error",
             "request_too_large"},
    ErrorRow{ErrorKind::context_length_exceeded, "invalid_request_error",
             "context_length_exceeded"},
    ErrorRow{ErrorKind::content_filtered, "invalid_request_error",
             "content_filter"},
    ErrorRow{ErrorKind::rate_limited, "rate_limit_error",
             "rate_limit_exceeded"},
    ErrorRow{ErrorKind::overloaded, "server_error", "overloaded"},
    ErrorRow{ErrorKind::timeout, "server_error", "timeout"},
    ErrorRow{ErrorKind::cancelled, "server_error", "cancelled"},
    ErrorRow{ErrorKind::upstream_unreachable, "server_error",
             "upstream_unreachable"},
    ErrorRow{ErrorKind::upstream_malformed, "server_error",
             "upstream_malformed"},
    ErrorRow{ErrorKind::upstream_truncated, "server_error",
             "upstream_truncated"},
    ErrorRow{ErrorKind::upstream_failed, "server_error", ""},
    ErrorRow{ErrorKind::internal, "server_error", ""},
};
static_assert(kErrors.size() == static_cast<std::size_t>(kLastErrorKind) + 1);

/// Codes and types that say more than the status.
struct CodeRow {
  std::string_view word;
  ErrorKind kind;
};
constexpr std::array kCodes = {
    CodeRow{"context_length_exceeded", ErrorKind::context_length_exceeded},
    CodeRow{"string_above_max_length", ErrorKind::context_length_exceeded},
    CodeRow{"previous_response_not_found", ErrorKind::invalid_request},
    CodeRow{"content_filter", ErrorKind::content_filtered},
    CodeRow{"content_policy_violation", ErrorKind::content_filtered},
    CodeRow{"model_not_found", ErrorKind::not_found},
    CodeRow{"unknown_url", ErrorKind::not_found},
    CodeRow{"invalid_api_key", ErrorKind::unauthenticated},
    CodeRow{"authentication_error", ErrorKind::unauthenticated},
    CodeRow{"permission_error", ErrorKind::permission_denied},
    CodeRow{"not_found_error", ErrorKind::not_found},
    CodeRow{"rate_limit_exceeded", ErrorKind::rate_limited},
    CodeRow{"rate_limit_error", ErrorKind::rate_limited},
    CodeRow{"insufficient_quota", ErrorKind::rate_limited},
    CodeRow{"server_is_overloaded", ErrorKind::overloaded},
    CodeRow{"overloaded", ErrorKind::overloaded},
    CodeRow{"service_unavailable_error", ErrorKind::overloaded},
    CodeRow{"upstream_truncated", ErrorKind::upstream_truncated},
    CodeRow{"invalid_request_error", ErrorKind::invalid_request},
    CodeRow{"server_error", ErrorKind::upstream_failed},
};

std::optional<ErrorKind> kind_of_word(std::string_view word) {
  for (const CodeRow& row : kCodes) {
    if (row.word == word) return row.kind;
  }
  return std::nullopt;
}

/// All that the members say; settle_error() comes behind it.
Error read_members(const Value& object, int status) {
  Error error = upstream_error(object, status);
  const Value code = object["code"];
  const std::string_view type = object["type"].string();
  // Compatible servers write the status as a numeric code.
  error.code = std::string(code.is_string() ? code.string()
                           : type.empty()   ? code.raw()
                                            : type);
  if (error.code == "null") error.code.clear();
  const int numeric = static_cast<int>(code.integer().value_or(0));
  const int known = status != 0 ? status : numeric;
  if (const auto kind = kind_of_word(code.string())) {
    error.kind = *kind;
  } else if (known >= 400) {
    error.kind = error_kind_from_status(known);
  } else {
    error.kind = kind_of_word(type).value_or(ErrorKind::upstream_failed);
  }
  return error;
}

}  // namespace

Error read_error(const Value& object, int status) {
  Error error = read_members(object, status);
  settle_error(error, object);
  return error;
}

Error decode_error(int status, const Headers& headers, std::string_view body) {
  return read_error_answer(status, headers, body, read_members, "x-request-id");
}

bool is_error(const Value& body) {
  const Value error = body["error"];
  return error["message"].is_string() && error["type"].is_string();
}

void write_error(const Error& error, const std::string& place,
                 std::string_view code, json::Writer& w) {
  const ErrorRow& row = row_of(kErrors, error.kind);
  // A code of this dialect's own wins over our word for the kind.
  const bool own = kind_of_word(error.code).has_value() &&
                   error.code.find("_error") == std::string::npos;
  if (code.empty()) code = own ? std::string_view(error.code) : row.code;
  w.begin_object("error");
  w.member("message", message_of(error));
  w.member("type", row.type);
  w.member_or_null("param", place);
  w.member_or_null("code", code);
  w.end_object();
}

int encode_error(const Error& error, const std::string& place,
                 std::string& out) {
  json::Writer w(out);
  w.begin_object();
  write_error(error, place, {}, w);
  w.end_object();
  // 529 is Anthropic's; OpenAI clients know 503.
  const int status = http_status(error);
  return status == 529 ? 503 : status;
}

}  // namespace llmproxy::openai_family
