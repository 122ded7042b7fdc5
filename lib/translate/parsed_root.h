// The JSON of a ParsedRequest, for those who would have to parse it again.
#pragma once

#include <string_view>

#include "base/internal_api.h"
#include "json/json.h"
#include "llmproxy/translate.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

struct ParsedRoot {
  /// The body's object. It lives as long as the request, also when that moves.
  static json::Value of(const ParsedRequest& request);
  /// ParsedRequest::parse() of a body that outlives it, without a copy.
  static Result<ParsedRequest> borrow(const Dialect& dialect,
                                      std::string_view body,
                                      const RequestHead& head,
                                      const ParseLimits& limits);
};

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
