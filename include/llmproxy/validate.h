// validate(): is a chat request one that can be written as JSON?
//
// For requests made by hand. A decoder only makes good ones, and the functions
// of Client and run_tools() ask this themselves before anything is sent; who
// calls Dialect::encode_request should ask it first. A pure function.
//
//   ChatRequest request;
//   request.messages.push_back(user_message(from_somewhere));
//   if (Result<void> valid = validate(request); !valid)
//     std::cerr << valid.error().path << ": " << valid.error().message;
#pragma once

#include "llmproxy/chat.h"
#include "llmproxy/export.h"
#include "llmproxy/result.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Success when every text is UTF-8, every number finite and not below its
/// least value, every schema an object and every part of a kind that may stand
/// where it does. What a provider would refuse all the same is not looked at.
///
/// Errors: invalid_request of Fault::client, with the place in the canonical
/// request, by the names of its members where those have no other in JSON:
/// "/messages/2/content/1", "/tools/0/schema", "/temperature".
Result<void> validate(const ChatRequest& request);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
