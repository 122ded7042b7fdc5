// OpenAI Responses: errors, both ways. They are those of all of OpenAI's APIs,
// but for the codes of a failed response.
#include <array>

#include "base/text.h"
#include "chat/error_text.h"
#include "dialects/openai_responses/tables.h"

namespace llmproxy::openai_responses {

Error decode_error(int status, const Headers& headers, std::string_view body) {
  return openai_family::decode_error(status, headers, body);
}

bool is_error(const json::Value& body) { return openai_family::is_error(body); }

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

/// The one of them that stands for a kind of error.
struct CodeRow {
  ErrorKind kind;
  std::string_view code;
};
constexpr std::string_view kServerError = "server_error";
constexpr std::string_view kInvalidPrompt = "invalid_prompt";
constexpr std::array kCodes = {
    CodeRow{ErrorKind::invalid_request, kInvalidPrompt},
    CodeRow{ErrorKind::unauthenticated, kInvalidPrompt},
    CodeRow{ErrorKind::permission_denied, kInvalidPrompt},
    CodeRow{ErrorKind::not_found, kInvalidPrompt},
    CodeRow{ErrorKind::unsupported, kInvalidPrompt},
    CodeRow{ErrorKind::request_too_large, kInvalidPrompt},
    CodeRow{ErrorKind::context_length_exceeded, kInvalidPrompt},
    CodeRow{ErrorKind::content_filtered, kInvalidPrompt},
    CodeRow{ErrorKind::rate_limited, "rate_limit_exceeded"},
    CodeRow{ErrorKind::overloaded, kServerError},
    CodeRow{ErrorKind::timeout, kServerError},
    CodeRow{ErrorKind::cancelled, kServerError},
    CodeRow{ErrorKind::upstream_unreachable, kServerError},
    CodeRow{ErrorKind::upstream_malformed, kServerError},
    CodeRow{ErrorKind::upstream_truncated, kServerError},
    CodeRow{ErrorKind::upstream_failed, kServerError},
    CodeRow{ErrorKind::internal, kServerError},
};
static_assert(kCodes.size() == static_cast<std::size_t>(kLastErrorKind) + 1);

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

std::string_view response_error_code(const Error& error) {
  if (listed(kResponseCodes, error.code)) return error.code;
  return row_of(kCodes, error.kind).code;
}

int encode_error(const Error& error, std::string& out) {
  return openai_family::encode_error(error, bracketed(error.path), out);
}

}  // namespace llmproxy::openai_responses
