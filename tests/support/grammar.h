// The grammar of canonical stream events (llmproxy/stream.h), as a sink that
// remembers the first event that breaks it.
#pragma once

#include <string>
#include <vector>

#include "llmproxy/stream.h"

namespace llmproxy::testing {

class GrammarChecker final : public EventSink {
 public:
  void on_event(const StreamEvent& event) override;

  /// What was wrong first; empty = nothing so far.
  const std::string& mistake() const { return mistake_; }
  /// A terminal event came.
  bool ended() const { return ended_; }
  bool failed() const { return failed_; }

 private:
  std::string check(const StreamEvent& event);
  std::string check_part(const StreamEvent& event);

  struct Part {
    PartKind kind;
    bool open;
  };
  std::vector<Part> parts_;
  std::string mistake_;
  bool started_ = false;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace llmproxy::testing
