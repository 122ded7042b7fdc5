// Amazon Bedrock InvokeModel: requests, both ways. The model and `stream` are
// in the path, the version is in the body.
#include "base/text.h"
#include "dialects/bedrock/tables.h"

namespace llmproxy::bedrock {
namespace {

constexpr std::string_view kVersionField = "anthropic_version";

/// Headers of the Messages API that are members here. Betas stay what they
/// are: only this API reads them from the body.
Result<void> read_version(json::ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const std::string version,
                  reader.required_string(kVersionField));
  if (!listed(kKnownVersions, version)) {
    request.extensions.push_back({std::string(kVersionField),
                                  reader.object()[kVersionField].raw_json()});
  }
  return {};
}

}  // namespace

Result<ChatRequest> decode_request(const json::Value& body,
                                   const RequestHead& head) {
  json::ObjectReader reader(body, "");
  ChatRequest request;
  request.dialect = kName;
  request.model = std::string(head.model);
  request.stream = head.stream;
  LLMPROXY_TRY(read_version(reader, request));
  LLMPROXY_TRY(claude::read_body(reader, request));
  return request;
}

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options, RequestContext&,
                            std::string& out, Losses& losses) {
  return claude::write_body(request, options, kHost, out, losses);
}

}  // namespace llmproxy::bedrock
