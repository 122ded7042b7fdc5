// AnswerFilter: undoes in the answer what the request's translation did:
// tool aliases, wrapped custom tools, the private tool of structured output.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "chat/custom_tools.h"
#include "llmproxy/dialect.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

class AnswerFilter final : public EventSink {
 public:
  AnswerFilter(const RequestContext& context, EventSink& next);

  /// True when the context asks for nothing to be undone.
  static bool idle(const RequestContext& context);
  void on_event(const StreamEvent& event) override;
  const Losses& losses() const { return losses_; }

 private:
  void part_started(StreamEvent event);
  void part_delta(StreamEvent event);
  void part_ended(StreamEvent event);

  const RequestContext& context_;
  EventSink& next_;
  /// Names that the client knows, by those that were sent.
  std::map<std::string_view, std::string_view> originals_;
  std::set<std::string_view> custom_tools_;
  Losses losses_;
  std::map<std::uint32_t, InputUnwrapper> custom_;  // open custom calls
  std::map<std::uint32_t, PartKind> changed_;       // parts of another kind
  std::string text_;
  bool answered_by_tool_ = false;
  bool called_ = false;
};

/// The same for a finished answer.
ChatResponse filter_answer(ChatResponse response, const RequestContext& context,
                           Losses& losses);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
