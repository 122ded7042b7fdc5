// translate_response() for a body that nobody else needs, and its first half.
#pragma once

#include <string>

#include "base/internal_api.h"
#include "llmproxy/translate.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// As the client is to see it, before it is encoded. What `from` itself says
/// is as it came. The body is freed once it is read.
Result<ChatResponse> take_answer(const Dialect& from, const Dialect& to,
                                 std::string body,
                                 const RequestContext& context, Losses& losses);
/// The body is freed once it is read, or passed on without a copy.
Result<TranslatedResponse> take_response(const Dialect& from, const Dialect& to,
                                         std::string body,
                                         const RequestContext& context);

/// An answer of the client's own dialect, understood or not, as it came: of
/// what it says only the usage is read. Errors: upstream_malformed.
Result<TranslatedResponse> pass_response(const Dialect& dialect,
                                         std::string body);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
