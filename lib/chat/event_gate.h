// EventGate: what every stream decoder's events pass on their way out, so that
// the grammar of stream.h holds whatever an upstream sends: one begin, parts
// that open and end once, one end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chat/answer_end.h"
#include "llmproxy/stream.h"

namespace llmproxy {

/// Events of a decoder in, legal ones out. Not thread-safe.
class EventGate final : public EventSink {
 public:
  /// Where the events go from now on; it must live while events come.
  void lead_to(EventSink& next) { next_ = &next; }
  void on_event(const StreamEvent& event) override;
  /// The end was told; nothing passes any more.
  bool ended() const { return ended_; }
  /// A call without a name was left out.
  bool dropped_call() const { return dropped_call_; }

 private:
  struct Part {
    std::uint32_t number = 0;  ///< as told: they count up as they begin
    PartKind kind = PartKind::text;
    bool known = false;  ///< it has begun, or was left out
    bool open = false;
  };

  bool wanted(const StreamEvent& event) const;
  void start(const StreamEvent& event);
  void begin();
  void start_part(const StreamEvent& event);
  void pass_part(const StreamEvent& event);
  void finish(StreamEvent event);

  EventSink* next_ = nullptr;
  std::vector<Part> parts_;  // by the decoder's number
  std::string id_;           // of the answer
  CallIds ids_;
  std::uint32_t told_ = 0;
  bool started_ = false;
  bool ended_ = false;
  bool called_ = false;
  bool refused_ = false;
  bool dropped_call_ = false;
};

}  // namespace llmproxy
