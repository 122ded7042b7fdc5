// LongEvents: what an encoder is that says one event in several long pieces
// (each of them with the whole text again).
#pragma once

#include <functional>
#include <string>

#include "base/internal_api.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// A StreamEncoder may be one as well.
class LongEvents {
 public:
  virtual ~LongEvents() = default;
  /// Has `taken` called with the output of an event of the client's stream
  /// when it has been appended, in the middle of on_event(). It may take the
  /// output away, and wait; it must not call the encoder.
  virtual void on_output(std::function<void(std::string& out)> taken) = 0;
};

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
