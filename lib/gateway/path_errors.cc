#include "gateway/path_errors.h"

#include <array>

#include <fmt/format.h>

#include "gateway/log_text.h"
#include "gateway/own_url.h"

namespace llmproxy::gateway {
namespace {

/// What a dialect's clients put before their paths.
struct BaseUrlRow {
  std::string_view dialect;
  std::string_view rule;
  std::string_view end;
};
constexpr std::array kBaseUrls = {
    BaseUrlRow{"openai-chat", "the base URL of an OpenAI client ends in /v1",
               "/v1"},
    BaseUrlRow{"openai-responses",
               "the base URL of an OpenAI client ends in /v1", "/v1"},
    BaseUrlRow{"claude", "the base URL of an Anthropic client ends without /v1",
               ""},
    BaseUrlRow{"gemini",
               "the base URL of a Gemini client ends without a version", ""},
    BaseUrlRow{"bedrock", "the endpoint URL of a Bedrock client has no path",
               ""},
    BaseUrlRow{"bedrock-converse",
               "the endpoint URL of a Bedrock client has no path", ""},
};
/// For dialects of hosts.
constexpr BaseUrlRow kOther = {"", "the base URL is", ""};

const BaseUrlRow& row_of(const Dialect& dialect) {
  for (const BaseUrlRow& row : kBaseUrls) {
    if (row.dialect == dialect.name) return row;
  }
  return kOther;
}

}  // namespace

std::string base_url_for(const Dialect& dialect, std::string_view url) {
  const BaseUrlRow& row = row_of(dialect);
  return fmt::format("{}: {}{}", row.rule, url, row.end);
}

Error unknown_path(const HttpRequest& request, const Dialect& dialect,
                   const Mount& mount) {
  std::string url = own_url(request);
  if (url.empty()) url = "http://THIS-PROXY";
  Error error;
  error.kind = ErrorKind::not_found;
  error.fault = Fault::client;
  error.code = kUnknownUrl;
  error.message =
      fmt::format("there is no {} {} here; {} ({}/ says what there is)",
                  short_name(request.method), short_name(request.path),
                  base_url_for(dialect, url + std::string(mount.prefix)), url);
  return error;
}

Error wrong_method(const HttpRequest& request, std::string_view allowed) {
  Error error = invalid_request(fmt::format(
      "there is no {} {} here; this path takes {}", short_name(request.method),
      short_name(request.path), allowed));
  error.status = 405;
  return error;
}

}  // namespace llmproxy::gateway
