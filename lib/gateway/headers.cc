// The tables of headers that cross.
#include "gateway/headers.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

namespace llmproxy::gateway {
namespace {

constexpr std::size_t kMaxLossHeader = 2000;
constexpr std::size_t kMaxRequestId = 128;

constexpr std::array<std::string_view, 3> kOpenAiRequest = {
    "openai-organization", "openai-project", "openai-beta"};
constexpr std::array<std::string_view, 1> kOpenAiLimits = {"x-ratelimit-"};
constexpr std::array<std::string_view, 2> kClaudeRequest = {"anthropic-version",
                                                            "anthropic-beta"};
constexpr std::array<std::string_view, 2> kClaudeLimits = {
    "anthropic-ratelimit-", "anthropic-priority-"};

constexpr std::array<std::string_view, 8> kBedrockRequest = {
    "x-amzn-bedrock-accept",
    "x-amzn-bedrock-trace",
    "x-amzn-bedrock-guardrailidentifier",
    "x-amzn-bedrock-guardrailversion",
    "x-amzn-bedrock-performanceconfig-latency",
    "x-amzn-bedrock-service-tier",
    "x-amzn-bedrock-request-metadata",
    "anthropic-beta"};
// Token counts and the type of an error: SDKs and bills read them.
constexpr std::array<std::string_view, 2> kBedrockFacts = {"x-amzn-bedrock-",
                                                           "x-amzn-error"};

/// The headers of one dialect's API.
struct DialectHeaders {
  std::string_view dialect;
  /// Where its clients look for the id of a request.
  std::string_view request_id;
  /// Sent by clients, meant for the API, and no secret.
  std::span<const std::string_view> request;
  /// How the names of its rate-limit headers begin.
  std::span<const std::string_view> limits;
};
constexpr std::array kDialectHeaders = {
    DialectHeaders{"openai-chat", "x-request-id", kOpenAiRequest,
                   kOpenAiLimits},
    DialectHeaders{"claude", "request-id", kClaudeRequest, kClaudeLimits},
    DialectHeaders{"openai-responses", "x-request-id", kOpenAiRequest,
                   kOpenAiLimits},
    DialectHeaders{"gemini", "x-request-id", {}, {}},
    DialectHeaders{"bedrock", "x-amzn-requestid", kBedrockRequest,
                   kBedrockFacts},
    DialectHeaders{"bedrock-converse", "x-amzn-requestid", kBedrockRequest,
                   kBedrockFacts},
};

/// Retry hints: every SDK reads them, whatever API they came from.
constexpr std::array<std::string_view, 3> kRetryHints = {
    kRetryAfter, "retry-after-ms", "x-should-retry"};

const DialectHeaders& headers_of(const Dialect& dialect) {
  for (const DialectHeaders& row : kDialectHeaders) {
    if (row.dialect == dialect.name) return row;
  }
  return kDialectHeaders.front();
}

// Every value of that name, joined as RFC 9110, section 5.3, allows.
std::string joined(const Headers& headers, std::string_view name) {
  std::string out;
  for (const Header& header : headers) {
    if (!same_header_name(header.name, name)) continue;
    if (!is_header_value(header.value)) continue;
    if (!out.empty()) out += ',';
    out += header.value;
  }
  return out;
}

void set_header(Headers& headers, std::string_view name, std::string value) {
  std::erase_if(headers, [name](const Header& header) {
    return same_header_name(header.name, name);
  });
  headers.push_back({std::string(name), std::move(value)});
}

bool has_prefix(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() &&
         same_header_name(name.substr(0, prefix.size()), prefix);
}

std::string_view upstream_request_id(const Headers& headers) {
  for (const DialectHeaders& row : kDialectHeaders) {
    const std::string_view id = find_header(headers, row.request_id);
    if (is_header_value(id) && id.size() <= kMaxRequestId) return id;
  }
  return {};
}

void add_printable(std::string_view text, std::string& out) {
  for (const char c : text) {
    out += c >= ' ' && c < '\x7f' ? c : '?';
  }
}

}  // namespace

bool is_header_value(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c < '\x7f';
  });
}

bool is_header_name(std::string_view text) {
  static constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || kSigns.find(c) != std::string_view::npos;
  });
}

void forward_request_headers(const Dialect& dialect, const Headers& client,
                             Headers& upstream) {
  for (const std::string_view name : headers_of(dialect).request) {
    std::string value = joined(client, name);
    if (!value.empty()) set_header(upstream, name, std::move(value));
  }
}

void add_request_id(const Dialect& dialect, std::string_view id,
                    Headers& headers) {
  const std::string_view name = headers_of(dialect).request_id;
  if (!find_header(headers, name).empty()) return;
  headers.push_back({std::string(name), std::string(id)});
}

Headers relay_response_headers(const Dialect& client, const Dialect& upstream,
                               const Headers& headers,
                               std::string_view own_id) {
  Headers out;
  for (const std::string_view name : kRetryHints) {
    const std::string_view value = find_header(headers, name);
    if (!is_header_value(value)) continue;
    out.push_back({std::string(name), std::string(value)});
  }
  const DialectHeaders& row = headers_of(client);
  const std::string_view id = upstream_request_id(headers);
  out.push_back(
      {std::string(row.request_id), std::string(id.empty() ? own_id : id)});
  if (&client != &upstream) return out;
  for (const Header& header : headers) {
    for (const std::string_view prefix : row.limits) {
      if (has_prefix(header.name, prefix) && is_header_value(header.value)) {
        out.push_back(header);
      }
    }
  }
  return out;
}

void add_loss_header(const Losses& losses, Headers& headers) {
  if (losses.empty()) return;
  std::string value;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    std::string entry;
    if (i > 0) entry += "; ";
    add_printable(losses[i].path, entry);
    entry += ": ";
    add_printable(losses[i].what, entry);
    if (value.size() + entry.size() > kMaxLossHeader) {
      value +=
          fmt::format("{}and {} more", i > 0 ? "; " : "", losses.size() - i);
      break;
    }
    value += entry;
  }
  headers.push_back({std::string(kLossHeader), std::move(value)});
}

}  // namespace llmproxy::gateway
