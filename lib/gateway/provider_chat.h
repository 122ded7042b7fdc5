// POST /v1/chat/{provider}: a simple chat body for a provider named in the
// path, and a simple answer, the same for all.
#pragma once

#include "gateway/exchange.h"

namespace llmproxy::gateway {

/// Request: {"model", "messages": [{"role", "content"}], "stream",
/// "max_tokens", "temperature", ...}; `content` is text or a list of
/// {"type":"text","text"}, {"type":"image_url","url","mime_type"} and
/// {"type":"image_base64","data","mime_type"}. What else a Chat Completions
/// request may hold may stand there too.
///
/// Answer: {"provider","model","content","content_parts","stop_reason"}, the
/// last in the provider's own word. Streams and errors are the upstream's own
/// bytes. The key: `x-api-key`, else the backend's.
void answer_provider_chat(Exchange& exchange);

}  // namespace llmproxy::gateway
