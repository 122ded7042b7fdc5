// Our signatures against those of the AWS SDK's own signer.
#include "client/sigv4.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "json/json.h"
#include "support/test_data.h"

namespace llmproxy {
namespace {

AwsCredentials credentials_of(const json::Value& row) {
  AwsCredentials out;
  out.access_key_id = "AKIDEXAMPLE";
  out.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  out.session_token = Secret(std::string(row["token"].string()));
  out.region = row["region"].string();
  return out;
}

// What the AWS SDK signs (tests/e2e/sigv4_vectors.mjs), we sign alike.
TEST_CASE("SigV4 agrees with the AWS SDK's signer byte for byte") {
  const std::string text = testing::read_data("sigv4.json");
  json::Document document;
  const auto rows = document.parse(text);
  REQUIRE(rows);
  REQUIRE(rows->size() >= 20);
  for (const json::Value row : rows->children()) {
    CAPTURE(row["name"].string());
    UpstreamRequest request;
    request.url = row["url"].string();
    request.body = row["body"].string();
    for (const json::Value header : row["headers"].children()) {
      request.headers.push_back(
          {std::string(header.key()), std::string(header.string())});
    }
    const std::chrono::seconds time(*row["time"].integer());
    sign_v4(credentials_of(row), "bedrock",
            std::chrono::system_clock::time_point(time), request);
    CHECK(find_header(request.headers, "authorization") ==
          row["authorization"].string());
  }
}

TEST_CASE("SigV4 signs every byte of the request") {
  AwsCredentials credentials;
  credentials.region = "us-east-1";
  credentials.access_key_id = "AKID";
  credentials.secret_access_key = Secret("secret");
  const auto signature = [&](const std::string& url, const std::string& body) {
    UpstreamRequest request;
    request.url = url;
    request.body = body;
    sign_v4(credentials, "bedrock", {}, request);
    return std::string(find_header(request.headers, "authorization"));
  };
  const std::string plain = signature("https://h/model/m/invoke", "{}");
  CHECK(plain == signature("https://h:443/model/m/invoke", "{}"));
  CHECK(plain != signature("https://h/model/n/invoke", "{}"));
  CHECK(plain != signature("https://h/model/m/invoke", "{ }"));
  CHECK(plain != signature("https://i/model/m/invoke", "{}"));
  CHECK(plain.find("secret") == std::string::npos);
}

}  // namespace
}  // namespace llmproxy
