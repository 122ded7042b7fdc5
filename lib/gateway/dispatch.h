// Dispatch: the order in which a request is judged, until its endpoint has it.
//
// All that its head tells comes first, so that a server can ask before it reads
// a body (Gateway::admit): where it goes, who asks, and how it is packed.
#pragma once

#include "gateway/client_answer.h"
#include "gateway/core.h"

namespace llmproxy::gateway {

/// True when nothing in the head keeps the request out. False = dispatch()
/// answers it without looking at its body.
bool may_come_in(const Core& core, const HttpRequest& head);

/// As Gateway::takes_large_body().
bool takes_large_body(const Core& core, const HttpRequest& head);

/// Has the request answered: by its endpoint, or by who keeps it out.
void dispatch(const Core& core, HttpRequest&& request, ClientAnswer& answer);

}  // namespace llmproxy::gateway
