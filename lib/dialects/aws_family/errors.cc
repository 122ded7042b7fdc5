#include "dialects/aws_family/errors.h"

#include <algorithm>
#include <array>

#include "chat/error_text.h"
#include "json/text.h"
#include "json/writer.h"
#include "wire/event_stream.h"

namespace llmproxy {
namespace {

/// Names that services use. Kinds go by name: the statuses of a quota, of a
/// failing model and of a wrong key say something else.
struct NameRow {
  std::string_view name;
  ErrorKind kind;
  int status;
};
constexpr std::array kNames = {
    NameRow{"ValidationException", ErrorKind::invalid_request, 400},
    NameRow{"ThrottlingException", ErrorKind::rate_limited, 429},
    NameRow{"TooManyRequestsException", ErrorKind::rate_limited, 429},
    NameRow{"ServiceQuotaExceededException", ErrorKind::rate_limited, 400},
    NameRow{"ModelNotReadyException", ErrorKind::overloaded, 429},
    NameRow{"ServiceUnavailableException", ErrorKind::overloaded, 503},
    NameRow{"InternalServerException", ErrorKind::upstream_failed, 500},
    NameRow{"ModelErrorException", ErrorKind::upstream_failed, 424},
    NameRow{"ModelStreamErrorException", ErrorKind::upstream_failed, 424},
    NameRow{"ModelTimeoutException", ErrorKind::timeout, 408},
    NameRow{"ResourceNotFoundException", ErrorKind::not_found, 404},
    NameRow{"ConflictException", ErrorKind::invalid_request, 400},
    NameRow{"AccessDeniedException", ErrorKind::permission_denied, 403},
    NameRow{"UnrecognizedClientException", ErrorKind::unauthenticated, 403},
    NameRow{"InvalidSignatureException", ErrorKind::unauthenticated, 403},
    NameRow{"IncompleteSignatureException", ErrorKind::unauthenticated, 403},
    NameRow{"ExpiredTokenException", ErrorKind::unauthenticated, 403},
    NameRow{"MissingAuthenticationToken", ErrorKind::unauthenticated, 403},
    NameRow{"MissingAuthenticationTokenException", ErrorKind::unauthenticated,
            403},
    NameRow{"RequestEntityTooLargeException", ErrorKind::request_too_large,
            413},
};

/// What we write. Streams know a few names only, in camel case.
struct KindRow {
  ErrorKind kind;
  std::string_view name;
  std::string_view in_stream;
};
constexpr std::string_view kInvalid = "validationException";
constexpr std::string_view kBroken = "modelStreamErrorException";
constexpr std::array kKinds = {
    KindRow{ErrorKind::invalid_request, "ValidationException", kInvalid},
    KindRow{ErrorKind::unauthenticated, "UnrecognizedClientException",
            kInvalid},
    KindRow{ErrorKind::permission_denied, "AccessDeniedException", kInvalid},
    KindRow{ErrorKind::not_found, "ResourceNotFoundException", kInvalid},
    KindRow{ErrorKind::unsupported, "ValidationException", kInvalid},
    KindRow{ErrorKind::request_too_large, "RequestEntityTooLargeException",
            kInvalid},
    KindRow{ErrorKind::context_length_exceeded, "ValidationException",
            kInvalid},
    KindRow{ErrorKind::content_filtered, "ValidationException", kInvalid},
    KindRow{ErrorKind::rate_limited, "ThrottlingException",
            "throttlingException"},
    KindRow{ErrorKind::overloaded, "ServiceUnavailableException",
            "serviceUnavailableException"},
    KindRow{ErrorKind::timeout, "ModelTimeoutException", kBroken},
    KindRow{ErrorKind::cancelled, "InternalServerException", kBroken},
    KindRow{ErrorKind::upstream_unreachable, "InternalServerException",
            kBroken},
    KindRow{ErrorKind::upstream_malformed, "InternalServerException", kBroken},
    KindRow{ErrorKind::upstream_truncated, "InternalServerException", kBroken},
    KindRow{ErrorKind::upstream_failed, "InternalServerException", kBroken},
    KindRow{ErrorKind::internal, "InternalServerException",
            "internalServerException"},
};
static_assert(kKinds.size() == static_cast<std::size_t>(kLastErrorKind) + 1);

const KindRow& row_of(ErrorKind kind) {
  return *std::find_if(kKinds.begin(), kKinds.end(),
                       [kind](const KindRow& row) { return row.kind == kind; });
}

/// "Throttling..." in answers, "throttling..." in streams.
bool same_name(std::string_view a, std::string_view b) {
  constexpr char kCaseBit = 'a' - 'A';
  return a.size() == b.size() && !a.empty() &&
         (a[0] | kCaseBit) == (b[0] | kCaseBit) && a.substr(1) == b.substr(1);
}

const NameRow* row_of(std::string_view name) {
  for (const NameRow& row : kNames) {
    if (same_name(row.name, name)) return &row;
  }
  return nullptr;
}

/// "com.amazon#ValidationException:http://..." names a ValidationException.
std::string_view bare_name(std::string_view name) {
  name = name.substr(0, name.find_first_of(",:"));
  return name.substr(name.find('#') + 1);
}

std::string_view name_in(const json::Value& body) {
  for (const std::string_view member : {"__type", "code", "Code"}) {
    if (!body[member].string().empty()) return body[member].string();
  }
  return {};
}

Error error_of(std::string_view name, const json::Value& body, int status) {
  Error error;
  error.fault = Fault::upstream;
  // The name comes from a header, which may hold any bytes.
  error.code = json::replace_invalid_utf8(bare_name(name));
  error.message = body["message"].string();
  if (error.message.empty()) {
    error.message = body["Message"].string();
  }
  error.kind =
      status != 0 ? error_kind_from_status(status) : ErrorKind::upstream_failed;
  error.status = status;
  if (const NameRow* row = row_of(error.code)) {
    // A status that says something else is of this API alone.
    if (row->kind != error.kind) error.status = 0;
    error.kind = row->kind;
  }
  return error;
}

}  // namespace

Error decode_aws_error(int status, const Headers& headers,
                       std::string_view body) {
  json::Document document;
  const auto parsed = document.parse(body);
  const json::Value root =
      parsed && parsed->is_object() ? *parsed : json::Value();
  std::string_view name = find_header(headers, "x-amzn-errortype");
  if (name.empty()) name = name_in(root);
  Error error = error_of(name, root, status);
  if (error.message.empty() && !root) error.message = text_of_page(body);
  settle_error(error, root);
  add_headers(error, headers, "x-amzn-requestid");
  return error;
}

bool is_aws_error(const json::Value& body) {
  return body["__type"].is_string() && body["message"].is_string();
}

int encode_aws_error(const Error& error, std::string& out) {
  // A name of this API stays what it is.
  const NameRow* row = row_of(error.code);
  if (row == nullptr || row->kind != error.kind) {
    row = row_of(row_of(error.kind).name);
  }
  json::Writer w(out);
  w.begin_object();
  // SDKs read the name from here where the header is missing.
  w.member("__type", row->name);
  w.member("message", message_with_place(error));
  w.end_object();
  // 529 is unknown to these SDKs; other server errors are retried by status.
  constexpr int kOverloaded = 529;
  const int status = http_status(error);
  const bool plain =
      row->status == 500 && status >= 500 && status < kOverloaded;
  return plain ? status : row->status;
}

Error read_aws_exception(std::string_view name, std::string_view data) {
  json::Document document;
  const auto parsed = document.parse(data);
  const bool object = parsed && parsed->is_object();
  Error error = error_of(name, object ? *parsed : json::Value(), 0);
  if (error.message.empty() && !object && !data.empty()) {
    error.message = text_of_page(data);
  }
  if (error.message.empty()) error.message = error.code;
  settle_error(error, object ? *parsed : json::Value());
  return error;
}

void append_aws_exception(std::string& out, const Error& error) {
  std::string json;
  json::Writer w(json);
  w.object("message", message_with_place(error));
  wire::append_exception_frame(out, row_of(error.kind).in_stream, json);
}

}  // namespace llmproxy
