// Errors as Amazon's services write them: a name, and a JSON object with a
// message. In an answer the name is in the header x-amzn-errortype or in the
// body, in a stream it is the type of an exception message.
// Source: Amazon Bedrock API reference, "Common errors", and of each action.
#pragma once

#include <string>
#include <string_view>

#include "json/json.h"
#include "llmproxy/http.h"
#include "llmproxy/result.h"

namespace llmproxy {

Error decode_aws_error(int status, const Headers& headers,
                       std::string_view body);
/// Only with its name in the body: without it clients depend on a header.
bool is_aws_error(const json::Value& body);
/// Returns the HTTP status that belongs to the name written.
int encode_aws_error(const Error& error, std::string& out);

/// An exception within a stream; `data` may be anything.
Error read_aws_exception(std::string_view name, std::string_view data);
/// Appends the exception message for `error` to an event stream.
void append_aws_exception(std::string& out, const Error& error);

}  // namespace llmproxy
