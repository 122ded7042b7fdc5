// Errors of OpenAI's APIs: one body, one table of types and codes.
// Source: OpenAI API reference, "Error codes"; field names of npm openai.
#pragma once

#include <string>
#include <string_view>

#include "json/json.h"
#include "json/writer.h"
#include "llmproxy/http.h"
#include "llmproxy/result.h"

namespace llmproxy::openai_family {

/// The object inside "error" of a body, an answer or a stream event.
Error read_error(const json::Value& object, int status);
Error decode_error(int status, const Headers& headers, std::string_view body);
bool is_error(const json::Value& body);
/// The member `error`. `place` is error.path as the API writes places; without
/// a `code` it is the one that fits the error.
void write_error(const Error& error, const std::string& place,
                 std::string_view code, json::Writer& writer);
/// The body of such. Returns the HTTP status.
int encode_error(const Error& error, const std::string& place,
                 std::string& out);

}  // namespace llmproxy::openai_family
