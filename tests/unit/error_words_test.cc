// Words that errors are told with belong to the client's API: several SDKs
// know a closed list, and decide by it whether to ask again.
#include <catch2/catch.hpp>

#include <algorithm>

#include "json/json.h"
#include "llmproxy/translate.h"
#include "wire/event_stream.h"

namespace llmproxy {
namespace {

using Words = std::vector<std::string>;

bool listed(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// One error of each kind, with and without a code of some provider's.
std::vector<Error> all_errors() {
  std::vector<Error> out;
  for (int kind = 0; kind <= static_cast<int>(kLastErrorKind); ++kind) {
    for (const char* code :
         {"", "upstream_truncated", "overloaded_error", "RESOURCE_EXHAUSTED",
          "context_length_exceeded", "a_word_of_tomorrow", "server_error"}) {
      Error error;
      error.kind = static_cast<ErrorKind>(kind);
      error.fault = Fault::upstream;
      error.message = "it failed";
      error.code = code;
      out.push_back(std::move(error));
    }
  }
  return out;
}

std::string streamed(const Dialect& to, const Error& error, bool begun) {
  const auto encoder = to.new_stream_encoder({});
  std::string out;
  StreamEvent event;
  if (begun) {
    event.kind = EventKind::started;
    event.id = "r1";
    encoder->on_event(event, out);
    out.clear();
  }
  event = {};
  event.kind = EventKind::failed;
  event.error = &error;
  encoder->on_event(event, out);
  return out;
}

/// The JSON of the last event in `stream`.
std::string data_of(const std::string& stream) {
  constexpr std::string_view kData = "data: ";
  const std::size_t at = stream.rfind(kData);
  REQUIRE(at != std::string::npos);
  return stream.substr(at + kData.size());
}

// ResponseError.code in the types of npm openai.
const Words kResponseCodes = {
    "server_error",         "rate_limit_exceeded",
    "invalid_prompt",       "vector_store_timeout",
    "invalid_image",        "invalid_image_format",
    "invalid_base64_image", "invalid_image_url",
    "image_too_large",      "image_too_small",
    "image_parse_error",    "image_content_policy_violation",
    "invalid_image_mode",   "image_file_too_large",
    "empty_image_file",     "unsupported_image_media_type",
    "image_file_not_found", "failed_to_download_image"};

TEST_CASE("a failed response has a code of the API's", "[error_words]") {
  const Dialect& to = *find_dialect("openai-responses");
  for (const Error& error : all_errors()) {
    const std::string data = data_of(streamed(to, error, true));
    json::Document document;
    const auto root = document.parse(data);
    REQUIRE(root);
    const auto told = (*root)["response"]["error"];
    INFO(to_string(error.kind) << " " << error.code << ": " << told.raw());
    CHECK((*root)["type"].string() == "response.failed");
    CHECK((*root)["response"]["status"].string() == "failed");
    CHECK(listed(kResponseCodes, told["code"].string()));
    CHECK(told["message"].string() == "it failed");
  }
}

TEST_CASE("what may work later is told so to Responses clients",
          "[error_words]") {
  const Dialect& to = *find_dialect("openai-responses");
  struct Row {
    ErrorKind kind;
    const char* code;
  };
  const Row rows[] = {
      {ErrorKind::upstream_truncated, "server_error"},
      {ErrorKind::upstream_unreachable, "server_error"},
      {ErrorKind::upstream_malformed, "server_error"},
      {ErrorKind::upstream_failed, "server_error"},
      {ErrorKind::overloaded, "server_error"},
      {ErrorKind::timeout, "server_error"},
      {ErrorKind::cancelled, "server_error"},
      {ErrorKind::internal, "server_error"},
      {ErrorKind::rate_limited, "rate_limit_exceeded"},
      {ErrorKind::invalid_request, "invalid_prompt"},
      {ErrorKind::content_filtered, "invalid_prompt"},
  };
  for (const Row& row : rows) {
    Error error;
    error.kind = row.kind;
    error.message = "it failed";
    for (const bool begun : {true, false}) {
      const std::string data = data_of(streamed(to, error, begun));
      json::Document document;
      const json::Value root = *document.parse(data);
      const json::Value told =
          begun ? root["response"]["error"] : root["error"];
      INFO(to_string(row.kind) << " " << begun << ": " << told.raw());
      // Before the answer has begun the code may be any that OpenAI has.
      if (begun || std::string_view(row.code) != "invalid_prompt") {
        CHECK(told["code"].string() == row.code);
      }
    }
  }
}

struct BodyRow {
  const char* dialect;
  const char* member;
  Words words;
};
const BodyRow kBodies[] = {
    {"claude",
     "type",
     {"invalid_request_error", "authentication_error", "permission_error",
      "not_found_error", "request_too_large", "rate_limit_error",
      "timeout_error", "overloaded_error", "api_error", "billing_error"}},
    {"gemini",
     "status",
     {"CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "UNAUTHENTICATED",
      "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
      "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}},
};

TEST_CASE("types and states of errors are those of the API", "[error_words]") {
  for (const BodyRow& row : kBodies) {
    const Dialect& to = *find_dialect(row.dialect);
    for (const Error& error : all_errors()) {
      for (const std::string& body :
           {write_error(to, error).body, data_of(streamed(to, error, true)),
            data_of(streamed(to, error, false))}) {
        json::Document document;
        const auto root = document.parse(body);
        REQUIRE(root);
        INFO(row.dialect << ": " << body);
        CHECK(listed(row.words, (*root)["error"][row.member].string()));
      }
    }
  }
}

// Members of ConverseStreamOutput and ResponseStream that are exceptions.
const Words kExceptions = {"internalServerException",
                           "modelStreamErrorException", "validationException",
                           "throttlingException",
                           "serviceUnavailableException"};

TEST_CASE("exceptions in streams are those of Bedrock", "[error_words]") {
  for (const char* name : {"bedrock", "bedrock-converse"}) {
    for (const Error& error : all_errors()) {
      wire::EventStreamDecoder frames;
      frames.feed(streamed(*find_dialect(name), error, true));
      wire::Frame frame;
      REQUIRE(frames.next(frame));
      INFO(name << ": " << frame.name);
      CHECK(frame.exception);
      CHECK(listed(kExceptions, frame.name));
    }
  }
}

TEST_CASE("an incomplete response has a reason of the API's", "[error_words]") {
  const Dialect& to = *find_dialect("openai-responses");
  for (int reason = 0; reason <= static_cast<int>(kLastStopReason); ++reason) {
    ChatResponse answer;
    answer.id = "r1";
    answer.stop_reason = static_cast<StopReason>(reason);
    Losses losses;
    std::string body;
    to.encode_response(answer, {}, body, losses);
    json::Document document;
    const json::Value root = *document.parse(body);
    INFO(body);
    const std::string_view status = root["status"].string();
    CHECK(listed({"completed", "incomplete"}, status));
    const std::string_view why = root["incomplete_details"]["reason"].string();
    CHECK((status == "incomplete") ==
          listed({"max_output_tokens", "content_filter"}, why));
  }
}

}  // namespace
}  // namespace llmproxy
