// OpenAI Responses: errors, both ways. They are those of all of OpenAI's APIs,
// but for the codes of a failed response.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "chat/error_text.h"
#include "dialects/openai_responses/tables.h"

namespace llmproxy::openai_responses {
namespace {

/// Codes that a failed response may have: a closed enum of the API
/// (ResponseError.code in the types of npm openai 7.55), by which clients
/// decide whether to ask again.
constexpr std::array<std::string_view, 18> kResponseCodes = {
    "server_error",
    "rate_limit_exceeded",
    "invalid_prompt",
    "vector_store_timeout",
    "invalid_image",
    "invalid_image_format",
    "invalid_base64_image",
    "invalid_image_url",
    "image_too_large",
    "image_too_small",
    "image_parse_error",
    "image_content_policy_violation",
    "invalid_image_mode",
    "image_file_too_large",
    "unsupported_image_media_type",
    "empty_image_file",
    "failed_to_download_image",
    "image_file_not_found",
};

/// The errors that stay whatever is tried again: "invalid_prompt".
constexpr std::array kOfRequest = {ErrorKind::invalid_request,
                                   ErrorKind::unauthenticated,
                                   ErrorKind::permission_denied,
                                   ErrorKind::not_found,
                                   ErrorKind::unsupported,
                                   ErrorKind::request_too_large,
                                   ErrorKind::context_length_exceeded,
                                   ErrorKind::content_filtered};

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

/// The `code` of a failed response.
std::string_view response_code(const Error& error) {
  if (listed(kResponseCodes, error.code)) return error.code;
  if (error.kind == ErrorKind::rate_limited) return "rate_limit_exceeded";
  const bool of_request = std::find(kOfRequest.begin(), kOfRequest.end(),
                                    error.kind) != kOfRequest.end();
  return of_request ? "invalid_prompt" : "server_error";
}

}  // namespace

void write_response_error(const Error* error, json::Writer& w) {
  if (error == nullptr) return w.member_null("error");
  w.begin_object("error");
  w.member("code", response_code(*error));
  w.member("message", message_of(*error));
  w.end_object();
}

void write_stream_error(const Error& error, json::Writer& w) {
  // Our words for what failed on the way mean nothing to clients.
  std::string_view code = response_code(error);
  if (code != "server_error") code = {};
  openai_family::write_error(error, bracketed(error.path), code, w);
}

Error decode_error(int status, const Headers& headers, std::string_view body) {
  return openai_family::decode_error(status, headers, body);
}

bool is_error(const json::Value& body) { return openai_family::is_error(body); }

int encode_error(const Error& error, std::string& out) {
  return openai_family::encode_error(error, bracketed(error.path), out);
}

}  // namespace llmproxy::openai_responses
