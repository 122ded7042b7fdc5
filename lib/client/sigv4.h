// AWS Signature Version 4 of a request, for Bedrock.
//
// Our own and not libcurl's: CURLOPT_AWS_SIGV4 does not encode the path a
// second time, so that model ids with a colon get a wrong signature. Source:
// AWS "Signature Version 4 signing process"; checked against the AWS SDK's
// own signer (tests/e2e/sigv4_test.mjs).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "llmproxy/provider.h"
#include "llmproxy/transport.h"

namespace llmproxy {

/// Adds x-amz-date, x-amz-content-sha256, x-amz-security-token (for temporary
/// credentials) and authorization. Every header that stands in the request is
/// signed, but for those that hops may change; the host is the URL's.
void sign_v4(const AwsCredentials& credentials, std::string_view service,
             std::chrono::system_clock::time_point now,
             UpstreamRequest& request);

}  // namespace llmproxy
