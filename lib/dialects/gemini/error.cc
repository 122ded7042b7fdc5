// Gemini: error bodies, both ways. Source: Google's API design guide,
// "Errors" (google.rpc.Status), and the Gemini API's troubleshooting guide.
#include "chat/error_text.h"
#include "dialects/gemini/tables.h"

namespace llmproxy::gemini {
namespace {

using json::Value;

/// What an error of ours looks like to this dialect's clients, and what a
/// status word means; INVALID_ARGUMENT says no more than the status.
constexpr std::string_view kInvalid = "INVALID_ARGUMENT";
constexpr auto kErrors = enum_table<ErrorKind>({
    {ErrorKind::invalid_request, kInvalid},
    {ErrorKind::unsupported, kInvalid},
    {ErrorKind::context_length_exceeded, kInvalid},
    {ErrorKind::content_filtered, kInvalid},
    {ErrorKind::request_too_large, kInvalid},
    {ErrorKind::unauthenticated, "UNAUTHENTICATED"},
    {ErrorKind::permission_denied, "PERMISSION_DENIED"},
    {ErrorKind::not_found, "NOT_FOUND"},
    {ErrorKind::rate_limited, "RESOURCE_EXHAUSTED"},
    {ErrorKind::overloaded, "UNAVAILABLE"},
    {ErrorKind::timeout, "DEADLINE_EXCEEDED"},
    {ErrorKind::cancelled, "CANCELLED"},
    {ErrorKind::upstream_unreachable, "UNAVAILABLE"},
    {ErrorKind::upstream_failed, "INTERNAL"},
    {ErrorKind::upstream_malformed, "INTERNAL"},
    {ErrorKind::upstream_truncated, "UNAVAILABLE"},
    {ErrorKind::internal, "INTERNAL"},
    // Read only.
    {ErrorKind::invalid_request, "FAILED_PRECONDITION"},
    {ErrorKind::invalid_request, "OUT_OF_RANGE"},
    {ErrorKind::invalid_request, "ALREADY_EXISTS"},
    {ErrorKind::overloaded, "ABORTED"},
    {ErrorKind::upstream_failed, "UNKNOWN"},
    {ErrorKind::upstream_failed, "DATA_LOSS"},
    {ErrorKind::unsupported, "UNIMPLEMENTED"},
});
static_assert(covers(kErrors, kLastErrorKind));

bool is_whole(std::string_view number) {
  return !number.empty() &&
         number.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "34.4s" as whole seconds, rounded up; empty = no duration.
std::string seconds_of(std::string_view duration) {
  if (!duration.ends_with('s')) return {};
  duration.remove_suffix(1);
  const std::string whole(duration.substr(0, duration.find('.')));
  if (!is_whole(whole) || whole.size() > 9) return {};
  const bool more = duration.find_first_of("123456789", whole.size()) !=
                    std::string_view::npos;
  return std::to_string(std::stol(whole) + (more ? 1 : 0));
}

void read_details(const Value& details, Error& error) {
  for (const Value detail : details.children()) {
    const std::string_view type = detail["@type"].string();
    if (type.ends_with("RetryInfo")) {
      error.retry_after = seconds_of(detail["retryDelay"].string());
    } else if (detail["reason"].string() == "API_KEY_INVALID") {
      error.kind = ErrorKind::unauthenticated;
      error.status = 401;
    }
  }
}

/// All that the members say; settle_error() comes behind it.
Error read_members(const Value& object, int status) {
  Error error = upstream_error(object, status);
  error.code = object["status"].string();
  const int own = static_cast<int>(object["code"].integer().value_or(0));
  error.status = status != 0 ? status : own;
  const auto kind = from_wire(kErrors, error.code);
  if (kind && error.code != kInvalid) {
    error.kind = *kind;
  } else if (error.status >= 400) {
    error.kind = error_kind_from_status(error.status);
  } else {
    error.kind = ErrorKind::upstream_failed;
  }
  read_details(object["details"], error);
  return error;
}

/// What is wrong where, and when to try again.
void write_details(const Error& error, json::Writer& w) {
  const bool retry = is_whole(error.retry_after);
  if (error.path.empty() && !retry) return;
  w.begin_array("details");
  if (!error.path.empty()) {
    w.begin_object();
    w.member("@type", "type.googleapis.com/google.rpc.BadRequest");
    w.begin_array("fieldViolations");
    w.begin_object();
    w.member("field", dotted(error.path));
    w.member("description", error.message);
    w.end_object();
    w.end_array();
    w.end_object();
  }
  if (retry) {
    w.begin_object();
    w.member("@type", "type.googleapis.com/google.rpc.RetryInfo");
    w.member("retryDelay", error.retry_after + "s");
    w.end_object();
  }
  w.end_array();
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
  Value root = parsed ? *parsed : Value();
  // On the path of streams errors come in an array, too.
  if (root.is_array() && root.size() > 0) root = *root.children().begin();
  Error error = read_error_body(root, status, body, read_members);
  add_headers(error, headers, "x-request-id");
  return error;
}

bool is_error(const Value& body) {
  const Value error = body["error"];
  return error["message"].is_string() && error["status"].is_string();
}

int encode_error(const Error& error, std::string& out) {
  // 529 is Anthropic's; Google's clients know 503.
  const int asked = http_status(error);
  const int status = asked == 529 ? 503 : asked;
  json::Writer w(out);
  w.begin_object();
  w.begin_object("error");
  w.member("code", std::int64_t{status});
  w.member("message", message_of(error));
  w.member("status", to_wire(kErrors, error.kind));
  write_details(error, w);
  w.end_object();
  w.end_object();
  return status;
}

}  // namespace llmproxy::gemini
