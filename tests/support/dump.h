// Canonical values as terse text, so that hundreds of golden cases can be
// read. One line per thing, name=value in a fixed order, defaults left out,
// strings in JSON quotes, raw JSON without whitespace.
//
// For tests only: a notation the library itself printed would soon be an
// interface.
#pragma once

#include <string>

#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"
#include "llmproxy/stream.h"

namespace llmproxy::testing {

/// What belongs to where a value came from rather than to what it says.
struct DumpOptions {
  bool identity = true;  ///< id, created and model of an answer
};

std::string dump(const ChatRequest& request);
std::string dump(const ChatResponse& response, const DumpOptions& options = {});
std::string dump(const Error& error);
std::string dump(const Losses& losses);
std::string dump(const RequestContext& context);
std::string dump(const Message& message);
/// One part, its children indented below it.
std::string dump(const ContentPart& part);
std::string dump(const ToolDefinition& tool);
std::string dump(const StreamEvent& event);

/// Writes every event on a line of its own.
class DumpSink final : public EventSink {
 public:
  void on_event(const StreamEvent& event) override { text_ += dump(event); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace llmproxy::testing
