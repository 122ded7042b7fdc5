// Reasoning that only another kind of model can read, on its way through a
// client: sealed into whatever opaque field the client's dialect has, and
// taken out again when the client sends the turn back. The client never sees
// more than one opaque text; nothing is forged, because the seal says whose it
// is and only that issuer's dialect gets the content back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/chat.h"
#include "llmproxy/stream.h"

namespace llmproxy {

/// The signature (or redacted data), issuer and id of `thinking` as one text:
/// standard base64 with padding, which every dialect's field takes.
std::string seal(const ThinkingPart& thinking);
/// The same for a stream's event: `signature`, or redacted data in `text`.
std::string seal(ReasoningIssuer issuer, std::string_view id,
                 std::string_view signature, bool redacted);

/// What `text` holds when it was made by seal(): a part without text. nullopt
/// = it is the dialect's own.
std::optional<ThinkingPart> unseal(std::string_view text);

}  // namespace llmproxy
