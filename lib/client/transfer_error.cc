#include "client/transfer_error.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

namespace llmproxy {
namespace {

struct CodeRow {
  CURLcode code;
  ErrorKind kind;
  std::string_view what;  ///< put before the host
};
constexpr std::string_view kConnect = "cannot connect to";
constexpr std::string_view kTls = "no secure connection to";
constexpr std::string_view kCut = "the connection was closed early by";
constexpr std::string_view kOdd = "malformed HTTP from";
constexpr std::string_view kOurs = "cannot send a request to";
constexpr auto kUnreachable = ErrorKind::upstream_unreachable;
constexpr auto kTruncated = ErrorKind::upstream_truncated;
constexpr auto kMalformed = ErrorKind::upstream_malformed;

constexpr std::array kCodes = {
    CodeRow{CURLE_COULDNT_RESOLVE_PROXY, kUnreachable, kConnect},
    CodeRow{CURLE_COULDNT_RESOLVE_HOST, kUnreachable, kConnect},
    CodeRow{CURLE_COULDNT_CONNECT, kUnreachable, kConnect},
    CodeRow{CURLE_PROXY, kUnreachable, kConnect},
    CodeRow{CURLE_INTERFACE_FAILED, kUnreachable, kConnect},
    CodeRow{CURLE_SSL_CONNECT_ERROR, kUnreachable, kTls},
    CodeRow{CURLE_PEER_FAILED_VERIFICATION, kUnreachable, kTls},
    CodeRow{CURLE_SSL_CERTPROBLEM, kUnreachable, kTls},
    CodeRow{CURLE_SSL_CIPHER, kUnreachable, kTls},
    CodeRow{CURLE_SSL_CACERT_BADFILE, kUnreachable, kTls},
    CodeRow{CURLE_SSL_ISSUER_ERROR, kUnreachable, kTls},
    CodeRow{CURLE_SSL_INVALIDCERTSTATUS, kUnreachable, kTls},
    // From here on the upstream may have seen the request.
    CodeRow{CURLE_GOT_NOTHING, kTruncated, kCut},
    CodeRow{CURLE_PARTIAL_FILE, kTruncated, kCut},
    CodeRow{CURLE_SEND_ERROR, kTruncated, kCut},
    CodeRow{CURLE_RECV_ERROR, kTruncated, kCut},
    CodeRow{CURLE_WEIRD_SERVER_REPLY, kMalformed, kOdd},
    CodeRow{CURLE_UNSUPPORTED_PROTOCOL, kMalformed, kOdd},  // HTTP/0.9
    CodeRow{CURLE_BAD_CONTENT_ENCODING, kMalformed, kOdd},
};
constexpr CodeRow kOther{CURLE_OK, ErrorKind::internal, kOurs};

const CodeRow& find_row(CURLcode code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return row;
  }
  return kOther;
}

/// What to do about it, where libcurl's sentence or OpenSSL's in it tells.
struct HintRow {
  std::string_view said;
  std::string_view hint;
};
constexpr std::string_view kNoTls =
    "the server does not speak TLS there; write http:// instead of https://";
constexpr std::string_view kUnknownRoot =
    "to trust it, name its root certificate in SSL_CERT_FILE (a PEM file; "
    "CurlOptions::ca_file in a program)";
constexpr std::array kTlsHints = {
    HintRow{"wrong version number", kNoTls},
    HintRow{"packet length too long", kNoTls},
    HintRow{"record layer failure", kNoTls},
    HintRow{"http request", kNoTls},
    HintRow{"unknown protocol", kNoTls},
    HintRow{"self-signed", kUnknownRoot},
    HintRow{"self signed", kUnknownRoot},
    HintRow{"local issuer", kUnknownRoot},
    HintRow{"verify the first certificate", kUnknownRoot},
    HintRow{"subject name",
            "its certificate is for another name; is the base "
            "URL right?"},
    HintRow{"expired",
            "its certificate is too old, or the clock here is "
            "wrong"},
    HintRow{"not yet valid",
            "its certificate is too new, or the clock here "
            "is wrong"},
};

// How servers that wait for TLS answer what is none.
constexpr std::array<CURLcode, 3> kNoPlainHttp = {
    CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_UNSUPPORTED_PROTOCOL};

std::string_view hint_for(CURLcode code, std::string_view cause,
                          const Origin& origin, bool answered) {
  if (find_row(code).what == kTls) {
    for (const HintRow& row : kTlsHints) {
      if (cause.find(row.said) != std::string_view::npos) return row.hint;
    }
  }
  const bool plain = std::find(kNoPlainHttp.begin(), kNoPlainHttp.end(),
                               code) != kNoPlainHttp.end();
  return plain && !origin.tls && !answered
             ? "if the server speaks TLS, write https:// instead of http://"
             : "";
}

/// "300s" or "150ms".
std::string to_text(std::chrono::milliseconds limit) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(limit);
  return seconds == limit ? fmt::format("{}", seconds)
                          : fmt::format("{}", limit);
}

}  // namespace

Error transfer_error(CURLcode code, std::string_view detail, long os_error,
                     const Origin& origin, bool answered) {
  const CodeRow& found = find_row(code);
  std::string cause(detail);
  // libcurl says no more than "couldn't connect"; the system knows why.
  if (code == CURLE_COULDNT_CONNECT && os_error != 0) {
    cause = std::system_category().message(static_cast<int>(os_error));
  }
  // Of a bad URL libcurl may repeat pieces, which can hold a key.
  if (cause.empty() || code == CURLE_URL_MALFORMAT) {
    cause = curl_easy_strerror(code);
  }
  Error error;
  error.kind = found.kind;
  error.fault =
      found.kind == ErrorKind::internal ? Fault::proxy : Fault::upstream;
  error.message = fmt::format("{} {}: {}", found.what, origin.host, cause);
  const std::string_view hint = hint_for(code, cause, origin, answered);
  if (!hint.empty()) error.message += fmt::format(" ({})", hint);
  return error;
}

Error deadline_error(const DeadlineClock::Passed& passed,
                     const Origin& origin) {
  Error error;
  error.kind = ErrorKind::timeout;
  error.fault = Fault::upstream;
  error.message = fmt::format("{}: the {} deadline of {} passed", origin.host,
                              passed.name, to_text(passed.limit));
  return error;
}

Error oversized_head_error(const Origin& origin) {
  Error error;
  error.kind = kMalformed;
  error.fault = Fault::upstream;
  error.message =
      fmt::format("{} {}: its header lines are too large", kOdd, origin.host);
  return error;
}

Error cancelled_error() {
  Error error;
  error.kind = ErrorKind::cancelled;
  error.fault = Fault::client;
  error.message = "the call was cancelled";
  return error;
}

Error thrown_error(std::string_view whose, std::string_view what) {
  Error error = cancelled_error();
  error.message = fmt::format("{} threw an exception{}{}", whose,
                              what.empty() ? "" : ": ", what);
  return error;
}

Error internal_error(std::string message) {
  Error error;
  error.kind = ErrorKind::internal;
  error.fault = Fault::proxy;
  error.message = std::move(message);
  return error;
}

}  // namespace llmproxy
