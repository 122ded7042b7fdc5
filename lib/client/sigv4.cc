#include "client/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <vector>

#include "base/text.h"

namespace llmproxy {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kHex = "0123456789abcdef";
// Of a large body, read at once. Bytes.
constexpr std::size_t kPiece = std::size_t{64} << 10;

/// Headers that hops add, remove or change.
constexpr std::array<std::string_view, 15> kUnsigned = {
    "authorization",  "cache-control",
    "connection",     "expect",
    "from",           "keep-alive",
    "max-forwards",   "pragma",
    "referer",        "te",
    "trailer",        "transfer-encoding",
    "upgrade",        "user-agent",
    "x-amzn-trace-id"};

/// Headers that signing adds.
constexpr std::array<std::string_view, 4> kOwn = {
    "x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
    "authorization"};

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(),
             nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

/// Of a body that is read in pieces.
std::string sha256(const LargeBody& body) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(
      EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::vector<char> piece(kPiece);
  std::uint64_t at = 0;
  while (const std::size_t got = body.read(at, piece.data(), piece.size())) {
    EVP_DigestUpdate(context.get(), piece.data(), got);
    at += got;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

/// Blanks around gone, runs of blanks one.
std::string collapsed(std::string_view text) {
  std::string out;
  bool blank = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t') {
      blank = !out.empty();
      continue;
    }
    if (blank) out += ' ';
    blank = false;
    out += c;
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// The path as it is sent, dot segments resolved, encoded once more.
std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  for (const std::string_view segment : kept) {
    out += '/';
    out += segment;
  }
  if (out.empty() || path.ends_with('/')) out += '/';
  return percent_encoded(out, "/");
}

/// Sorted by name, then value. The query is percent-encoded already.
std::string canonical_query(std::string_view query) {
  std::vector<std::string> pairs;
  for (const std::string_view pair : split(query, '&')) {
    if (pair.empty()) continue;
    const bool valued = pair.find('=') != std::string_view::npos;
    pairs.push_back(std::string(pair) + (valued ? "" : "="));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const std::string& pair : pairs) {
    if (!out.empty()) out += '&';
    out += pair;
  }
  return out;
}

struct UrlParts {
  std::string_view host;
  std::string_view path;
  std::string_view query;
};

UrlParts parts_of(std::string_view url) {
  UrlParts out;
  const std::size_t scheme = url.find("://");
  const bool tls = url.starts_with("https");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  const std::size_t slash = std::min(url.find_first_of("/?"), url.size());
  out.host = url.substr(0, slash);
  // Clients leave the scheme's own port out of the host header.
  const std::string_view port = tls ? ":443" : ":80";
  if (out.host.ends_with(port)) out.host.remove_suffix(port.size());
  url.remove_prefix(slash);
  const std::size_t query = url.find('?');
  out.path = url.substr(0, query);
  if (query != std::string_view::npos) out.query = url.substr(query + 1);
  return out;
}

bool is_signed(std::string_view name) {
  return std::find(kUnsigned.begin(), kUnsigned.end(), name) ==
             kUnsigned.end() &&
         !name.starts_with("proxy-") && !name.starts_with("sec-");
}

/// "20260102T030405Z"
std::string amz_date(std::chrono::system_clock::time_point now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, sizeof("20260102T030405Z")> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return text.data();
}

/// "name:value\n" each, and the names in a row.
struct SignedHeaders {
  std::string lines;
  std::string names;
};

SignedHeaders signed_headers(const Headers& headers, std::string_view host) {
  std::vector<std::pair<std::string, std::string>> rows;
  rows.emplace_back("host", host);
  for (const Header& header : headers) {
    std::string name = lower(header.name);
    if (name == "host" || !is_signed(name)) continue;
    rows.emplace_back(std::move(name), collapsed(header.value));
  }
  std::sort(rows.begin(), rows.end());
  SignedHeaders out;
  for (const auto& [name, value] : rows) {
    out.lines.append(name).append(":").append(value).append("\n");
    if (!out.names.empty()) out.names += ';';
    out.names += name;
  }
  return out;
}

}  // namespace

void sign_v4(const AwsCredentials& credentials, std::string_view service,
             std::chrono::system_clock::time_point now,
             UpstreamRequest& request) {
  const std::string date = amz_date(now);
  const std::string day = date.substr(0, 8);
  const std::string body_hash =
      hex(request.large_body ? sha256(*request.large_body)
                             : sha256(std::string_view(request.body)));
  // What a client sent under these names was signed by somebody else.
  std::erase_if(request.headers, [](const Header& header) {
    return std::any_of(kOwn.begin(), kOwn.end(), [&](std::string_view name) {
      return same_header_name(header.name, name);
    });
  });
  request.headers.push_back({"x-amz-date", date});
  request.headers.push_back({"x-amz-content-sha256", body_hash});
  if (!credentials.session_token.empty()) {
    request.headers.push_back(
        {"x-amz-security-token", credentials.session_token.reveal()});
  }
  const UrlParts url = parts_of(request.url);
  const SignedHeaders headers = signed_headers(request.headers, url.host);
  std::string canonical = request.method;
  for (const std::string& line :
       {canonical_path(url.path), canonical_query(url.query), headers.lines,
        headers.names, body_hash}) {
    canonical.append("\n").append(line);
  }
  const std::string scope = day + "/" + credentials.region + "/" +
                            std::string(service) + "/aws4_request";
  std::string to_sign(kAlgorithm);
  to_sign.append("\n").append(date).append("\n").append(scope).append("\n");
  to_sign += hex(sha256(canonical));

  std::string key = hmac("AWS4" + credentials.secret_access_key.reveal(), day);
  key = hmac(key, credentials.region);
  key = hmac(key, service);
  key = hmac(key, "aws4_request");
  std::string value(kAlgorithm);
  value.append(" Credential=").append(credentials.access_key_id);
  value.append("/").append(scope);
  value.append(", SignedHeaders=").append(headers.names);
  value.append(", Signature=").append(hex(hmac(key, to_sign)));
  request.headers.push_back({"authorization", std::move(value)});
}

}  // namespace llmproxy
