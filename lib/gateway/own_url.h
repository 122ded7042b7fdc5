// The address that a client knows us by, for texts that tell it where to ask.
#pragma once

#include <string>

#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// "http://127.0.0.1:8080", from the request's Host, and https where a server
/// in front of us says so. Empty where there is no Host, or one with other
/// characters than names and addresses have: anybody can send anything.
std::string own_url(const HttpRequest& request);

}  // namespace llmproxy::gateway
