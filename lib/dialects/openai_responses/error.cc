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

namespace {

/// "/input/1/content/0" -> "input[1].content[0]"
std::string bracketed(std::string_view pointer) {
  std::string out;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // the slash
    const std::string_view word = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(word.size());
    const bool index = !word.empty() && word.find_first_not_of("0123456789") ==
                                            std::string_view::npos;
    if (index) {
      out.append("[").append(word).append("]");
    } else {
      out.append(out.empty() ? "" : ".").append(word);
    }
  }
  return out;
}

}  // namespace

int encode_error(const Error& error, std::string& out) {
  return openai_chat::encode_error_at(error, bracketed(error.path), out);
}

}  // namespace llmproxy::openai_responses
