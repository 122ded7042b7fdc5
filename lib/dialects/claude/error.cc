// Anthropic Messages: error bodies, both ways.
// Source: Anthropic API reference, "Errors".
#include "chat/error_text.h"
#include "dialects/claude/tables.h"

namespace llmproxy::claude {
namespace {

using json::Value;

/// Types that several kinds have mean the first of these.
constexpr auto kErrors = enum_table<ErrorKind>({
    {ErrorKind::invalid_request, "invalid_request_error"},
    {ErrorKind::unsupported, "invalid_request_error"},
    {ErrorKind::context_length_exceeded, "invalid_request_error"},
    {ErrorKind::content_filtered, "invalid_request_error"},
    {ErrorKind::unauthenticated, "authentication_error"},
    {ErrorKind::permission_denied, "permission_error"},
    {ErrorKind::permission_denied, "billing_error"},
    {ErrorKind::not_found, "not_found_error"},
    {ErrorKind::request_too_large, "request_too_large"},
    {ErrorKind::rate_limited, "rate_limit_error"},
    {ErrorKind::overloaded, "overloaded_error"},
    {ErrorKind::timeout, "timeout_error"},
    {ErrorKind::upstream_failed, "api_error"},
    {ErrorKind::upstream_unreachable, "api_error"},
    {ErrorKind::upstream_malformed, "api_error"},
    {ErrorKind::upstream_truncated, "api_error"},
    {ErrorKind::cancelled, "api_error"},
    {ErrorKind::internal, "api_error"},
});
static_assert(covers(kErrors, kLastErrorKind));

/// All that the members say; settle_error() comes behind it.
Error read_members(const Value& object, int status) {
  Error error = upstream_error(object, status);
  error.code = object["type"].string();
  const ErrorKind usual =
      status != 0 ? error_kind_from_status(status) : ErrorKind::upstream_failed;
  error.kind = from_wire(kErrors, error.code).value_or(usual);
  // In a stream errors come without a status; overloaded has one of its own,
  // and SDKs of this dialect know it.
  if (status == 0 && error.kind == ErrorKind::overloaded) error.status = 529;
  return error;
}

/// SDKs retry without a feature that is refused by name.
void write_details(const Error& error, json::Writer& w) {
  const auto at = error.code.rfind(kUnsupportedRequest);
  if (at == std::string::npos) return;
  w.begin_object("details");
  w.member("error_code", error.code);
  w.begin_array("unsupported");
  w.string(std::string_view(error.code).substr(0, at));
  w.end_array();
  w.end_object();
}

}  // namespace

Error read_error(const Value& object, int status) {
  Error error = read_members(object, status);
  settle_error(error, object);
  return error;
}

Error decode_error(int status, const Headers& headers, std::string_view body) {
  json::Document document;
  const auto parsed = document.parse(body);
  const Value root = parsed ? *parsed : Value();
  Error error = read_error_body(root, status, body, read_members);
  error.request_id = root["request_id"].string();
  add_headers(error, headers, "request-id");
  return error;
}

bool is_error(const Value& body) {
  const Value error = body["error"];
  return body["type"].string() == "error" && error["type"].is_string() &&
         error["message"].is_string();
}

int encode_error(const Error& error, std::string& out) {
  json::Writer w(out);
  w.begin_typed("error");
  w.begin_object("error");
  w.member("type", to_wire(kErrors, error.kind));
  w.member("message", message_with_place(error));
  write_details(error, w);
  w.end_object();
  w.member_or_null("request_id", error.request_id);
  w.end_object();
  return http_status(error);
}

}  // namespace llmproxy::claude
