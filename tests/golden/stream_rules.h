// What clients of a dialect demand of a stream, whatever it says: the order
// of events, indices, which fields come once. The official SDKs throw, drop
// text or double it where these are broken.
#pragma once

#include <string>
#include <string_view>

#include "llmproxy/dialect.h"

namespace llmproxy::testing {

/// The first rule that `bytes`, a stream of ours in `dialect`, breaks; empty
/// when it keeps them all. `failed`: the stream tells of a failure.
std::string broken_stream_rule(const Dialect& dialect,
                               const RequestContext& context,
                               std::string_view bytes, bool failed);

/// True when `bytes` holds anything that reads as a normal end.
bool looks_finished(const Dialect& dialect, std::string_view bytes);

/// Offset in `bytes`, a stream of an upstream, of the last byte of the event
/// that ends it normally; bytes.size() when there is none. Cut off before
/// this, it must never look finished.
std::size_t normal_end(const Dialect& dialect, std::string_view bytes);

}  // namespace llmproxy::testing
