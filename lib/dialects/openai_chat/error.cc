// OpenAI Chat Completions: errors, both ways. They are those of all of OpenAI's
// APIs.
#include "chat/error_text.h"
#include "dialects/openai_chat/tables.h"

namespace llmproxy::openai_chat {

Error decode_error(int status, const Headers& headers, std::string_view body) {
  return openai_family::decode_error(status, headers, body);
}

bool is_error(const json::Value& body) { return openai_family::is_error(body); }

int encode_error(const Error& error, std::string& out) {
  return openai_family::encode_error(error, dotted(error.path), out);
}

}  // namespace llmproxy::openai_chat
