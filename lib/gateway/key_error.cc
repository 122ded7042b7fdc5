#include "gateway/key_error.h"

#include <string_view>

#include <fmt/format.h>

#include "gateway/auth.h"
#include "gateway/credentials.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kWhose =
    "the keys are PROXY_API_KEY and server.client_keys where it runs";

std::string_view place_for(const Dialect& dialect) {
  return dialect.setup != nullptr ? dialect.setup->key : DialectSetup().key;
}

}  // namespace

Error key_error(const Dialect& dialect, const HttpRequest& request) {
  Error error;
  error.kind = ErrorKind::unauthenticated;
  error.fault = Fault::client;
  const std::string_view authorization =
      find_header(request.headers, "authorization");
  if (!access_key_id(authorization).empty()) {
    error.message =
        "the AWS access key id that the request is signed with is none of "
        "this proxy's; those are in server.client_access_keys where it runs";
    return error;
  }
  const auto sent = credentials_of(request);
  if (sent.empty()) {
    error.message = fmt::format(
        "a valid key of this proxy is required and none was sent; send one as "
        "{} ({})",
        place_for(dialect), kWhose);
    return error;
  }
  const bool bare = sent.front().data() == authorization.data();
  error.message = fmt::format(
      "a valid key of this proxy is required, and the one that was sent is "
      "not known here ({}){}",
      kWhose, bare ? "; authorization must be \"Bearer KEY\"" : "");
  return error;
}

}  // namespace llmproxy::gateway
