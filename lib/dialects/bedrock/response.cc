// Amazon Bedrock InvokeModel: finished answers, both ways. They are those of
// the Messages API.
#include "dialects/bedrock/tables.h"

namespace llmproxy::bedrock {

Result<ChatResponse> decode_response(const json::Value& body, Losses& losses) {
  LLMPROXY_ASSIGN(ChatResponse response, claude::decode_response(body, losses));
  response.dialect = kName;
  std::erase_if(response.extensions, [](const Extension& extension) {
    return extension.name == kMetrics;
  });
  return response;
}

Usage read_answer_usage(const json::Value& body) {
  return claude::read_answer_usage(body);
}

void encode_response(const ChatResponse& response, const RequestContext&,
                     std::string& out, Losses& losses) {
  claude::write_answer(response, kHost, out, losses);
}

}  // namespace llmproxy::bedrock
