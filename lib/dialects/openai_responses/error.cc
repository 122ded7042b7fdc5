// OpenAI Responses: errors. The API shares its error body, statuses and codes
// with Chat Completions, so that dialect's table is the one table of both.
// Source: OpenAI API reference, "Error codes".
#include "dialects/openai_chat/tables.h"
#include "dialects/openai_responses/tables.h"

namespace llmproxy::openai_responses {

Error read_error(const json::Value& object, int status) {
  return openai_chat::read_error(object, status);
}

Error decode_error(int status, const Headers& headers, std::string_view body) {
  return openai_chat::decode_error(status, headers, body);
}

bool is_error(const json::Value& body) { return openai_chat::is_error(body); }

int encode_error(const Error& error, std::string& out) {
  return openai_chat::encode_error(error, out);
}

}  // namespace llmproxy::openai_responses
