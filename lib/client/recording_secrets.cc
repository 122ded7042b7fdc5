// What of a transfer may be written down. Allow-lists: a header or parameter
// that nobody thought of is left out.
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "client/recording.h"

namespace llmproxy {
namespace {

constexpr std::string_view kRedacted = "[redacted]";

/// Names of headers in lower case; a final "-" takes anything behind it.
constexpr std::array<std::string_view, 16> kHarmlessHeaders = {
    "accept",
    "accept-encoding",
    "anthropic-beta",
    "anthropic-ratelimit-",
    "anthropic-version",
    "content-length",
    "content-type",
    "date",
    "openai-processing-ms",
    "request-id",
    "retry-after",
    "user-agent",
    "x-amzn-bedrock-",
    "x-amzn-requestid",
    "x-ratelimit-",
    "x-request-id",
};
constexpr std::array<std::string_view, 3> kHarmlessParameters = {
    "alt", "api-version", "beta"};

// Local servers are given words such as "none" as a key; these protect
// nothing and may stand anywhere.
constexpr std::size_t kShortestSecret = 8;

bool is_harmless(std::string_view name) {
  const std::string known = lower(name);
  return std::any_of(kHarmlessHeaders.begin(), kHarmlessHeaders.end(),
                     [&](std::string_view row) {
                       return row.ends_with('-') ? known.starts_with(row)
                                                 : known == row;
                     });
}

void redact(Headers& headers) {
  for (Header& header : headers) {
    if (!is_harmless(header.name)) header.value = kRedacted;
  }
}

/// Values of what will be left out, and their last words ("Bearer <key>").
std::vector<std::string> secrets_of(const Headers& headers) {
  std::vector<std::string> secrets;
  for (const Header& header : headers) {
    if (is_harmless(header.name)) continue;
    const std::string word = header.value.substr(header.value.rfind(' ') + 1);
    for (const std::string& secret : {header.value, word}) {
      if (secret.size() >= kShortestSecret) secrets.push_back(secret);
    }
  }
  return secrets;
}

/// In place, so that the pieces of a body keep their lengths.
void mask(const std::vector<std::string>& secrets, std::string& text) {
  for (const std::string& secret : secrets) {
    for (std::size_t at = 0;
         (at = text.find(secret, at)) != std::string::npos;) {
      text.replace(at, secret.size(), secret.size(), '*');
    }
  }
}

/// A secret may lie across two pieces.
void mask(const std::vector<std::string>& secrets,
          std::vector<std::string>& pieces) {
  std::string whole;
  for (const std::string& piece : pieces) whole += piece;
  mask(secrets, whole);
  std::size_t at = 0;
  for (std::string& piece : pieces) {
    piece = whole.substr(at, piece.size());
    at += piece.size();
  }
}

}  // namespace

std::string without_secrets_in_url(std::string_view url) {
  std::string out(url.substr(0, url.find('?')));
  // "https://user:password@host/"
  const std::size_t host = out.find("://") + 3;
  const std::size_t at = out.substr(0, out.find('/', host)).rfind('@');
  if (at != std::string::npos) out.replace(host, at - host, kRedacted);
  const std::size_t mark = url.find('?');
  std::string_view query =
      mark == url.npos ? std::string_view() : url.substr(mark + 1);
  char before = '?';
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::string_view name = pair.substr(0, pair.find('='));
    const bool known =
        std::find(kHarmlessParameters.begin(), kHarmlessParameters.end(),
                  name) != kHarmlessParameters.end();
    out += before;
    before = '&';
    out += known ? pair : name;
    if (!known) out.append("=").append(kRedacted);
  }
  return out;
}

RecordedTransfer without_secrets(RecordedTransfer transfer) {
  const std::vector<std::string> secrets = secrets_of(transfer.request.headers);
  transfer.request.url = without_secrets_in_url(transfer.request.url);
  mask(secrets, transfer.request.url);
  mask(secrets, transfer.request.body);
  redact(transfer.request.headers);
  for (Header& header : transfer.reply.headers) mask(secrets, header.value);
  redact(transfer.reply.headers);
  mask(secrets, transfer.reply.pieces);
  if (!transfer.reply.end) mask(secrets, transfer.reply.end.error().message);
  return transfer;
}

}  // namespace llmproxy
