#include "gateway/path_errors.h"

#include <vector>

#include <fmt/format.h>

#include "gateway/log_text.h"
#include "gateway/model_paths.h"
#include "gateway/own_url.h"
#include "llmproxy/dialect_serving.h"
#include "llmproxy/suggest.h"

namespace llmproxy::gateway {
namespace {

/// What stands in a pattern before a verb.
constexpr std::string_view kVerb = "{model}:";

}  // namespace

std::string base_url_for(const Dialect& dialect, std::string_view url) {
  const DialectSetup setup =
      dialect.setup != nullptr ? *dialect.setup : DialectSetup();
  return fmt::format("{}: {}{}", setup.base_url, url, setup.base_url_end);
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
      fmt::format("there is no {} {} here; {} ({}/ lists the endpoints)",
                  short_name(request.method), short_name(request.path),
                  base_url_for(dialect, url + std::string(mount.prefix)), url);
  return error;
}

std::optional<Error> unknown_verb(const HttpRequest& request,
                                  const Dialect& dialect,
                                  std::string_view path) {
  if (request.method != "POST") return std::nullopt;
  std::vector<std::string_view> verbs;
  const auto add = [&](std::string_view pattern) {
    const std::size_t at = pattern.find(kVerb);
    if (at == std::string_view::npos) return;
    if (!path.starts_with(pattern.substr(0, at))) return;
    verbs.push_back(pattern.substr(at + kVerb.size()));
  };
  for (const ClientPath& row : dialect.client_paths) add(row.pattern);
  for (const ModelPath& row : model_paths()) {
    if (row.api == dialect.api) add(row.path);
  }
  if (verbs.empty()) return std::nullopt;
  const std::string_view last = path.substr(path.rfind('/') + 1);
  const std::size_t colon = last.rfind(':');
  const bool named = colon != std::string_view::npos;
  Error error;
  error.kind = ErrorKind::not_found;
  error.fault = Fault::client;
  error.code = kUnknownUrl;
  error.message = fmt::format(
      "there is no POST {} here; behind the model stands a colon and {}{}",
      short_name(request.path), list_of(verbs),
      named ? did_you_mean(last.substr(colon + 1), verbs) : "");
  return error;
}

Error wrong_method(const HttpRequest& request, std::string_view allowed) {
  Error error = invalid_request(fmt::format(
      "the method {} is not supported for {}; use {}",
      short_name(request.method), short_name(request.path), allowed));
  error.status = 405;
  return error;
}

}  // namespace llmproxy::gateway
