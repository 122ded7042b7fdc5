#include "gateway/path_errors.h"

#include <fmt/format.h>

#include "gateway/log_text.h"
#include "gateway/own_url.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy::gateway {

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

Error wrong_method(const HttpRequest& request, std::string_view allowed) {
  Error error = invalid_request(fmt::format(
      "the method {} is not supported for {}; use {}",
      short_name(request.method), short_name(request.path), allowed));
  error.status = 405;
  return error;
}

}  // namespace llmproxy::gateway
