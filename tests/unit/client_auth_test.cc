// Who may use the gateway, in every way in which SDKs send a key.
#include "gateway/auth.h"

#include <catch2/catch.hpp>

namespace llmproxy::gateway {
namespace {

ServerConfig server_with_keys() {
  ServerConfig server;
  server.client_keys.emplace_back("first-key");
  server.client_keys.emplace_back("second-key");
  server.client_access_keys.emplace_back("AKIDLISTED");
  return server;
}

std::optional<std::uint64_t> client_of(const Headers& headers,
                                       const std::string& query = {}) {
  HttpRequest request;
  request.headers = headers;
  request.query = query;
  return find_client(server_with_keys(), request);
}

TEST_CASE("a key may stand where any of the APIs has it") {
  CHECK(client_of({{"authorization", "Bearer first-key"}}) == 1);
  CHECK(client_of({{"Authorization", "bearer second-key"}}) == 2);
  CHECK(client_of({{"x-api-key", "first-key"}}) == 1);
  CHECK(client_of({{"x-goog-api-key", "second-key"}}) == 2);
  CHECK(client_of({{"api-key", "first-key"}}) == 1);
  CHECK(client_of({}, "alt=sse&key=first-key") == 1);
}

TEST_CASE("without a listed key nobody comes in") {
  CHECK_FALSE(client_of({}));
  CHECK_FALSE(client_of({{"authorization", "Bearer wrong"}}));
  CHECK_FALSE(client_of({{"authorization", "Bearer "}}));
  CHECK_FALSE(client_of({{"x-api-key", ""}}));
  CHECK_FALSE(client_of({}, "monkey=first-key"));
  CHECK_FALSE(client_of({}, "key="));
}

TEST_CASE("signed requests are told by a listed access key id") {
  const auto sent = [](const std::string& id) {
    return client_of(
        {{"authorization", "AWS4-HMAC-SHA256 Credential=" + id +
                               "/20260102/us-east-1/bedrock/aws4_request, "
                               "SignedHeaders=host, Signature=00"}});
  };
  CHECK(sent("AKIDLISTED") == 3);
  CHECK_FALSE(sent("AKIDOTHER"));
  // A key is no access key id, nor the other way round.
  CHECK_FALSE(sent("first-key"));
  CHECK_FALSE(client_of({{"x-api-key", "AKIDLISTED"}}));
  CHECK_FALSE(client_of({{"authorization", "AWS4-HMAC-SHA256 "}}));
}

TEST_CASE("where no key is asked for everybody is one client") {
  CHECK(find_client(ServerConfig{}, HttpRequest{}) == 0);
}

}  // namespace
}  // namespace llmproxy::gateway
