#include "llmproxy/fallback.h"

#include <utility>

#include "client/caught.h"
#include "client/outgoing_call.h"
#include "client/transfer_error.h"

namespace llmproxy {
namespace {

Error no_choices() {
  return internal_error("the FallbackClient has no clients to choose from");
}

/// The request as a choice gets it.
ChatRequest request_for(const FallbackClient::Choice& choice,
                        const ChatRequest& request) {
  ChatRequest own = request;
  if (!choice.model.empty()) own.model = choice.model;
  return own;
}

}  // namespace

FallbackClient::FallbackClient(std::vector<Choice> choices,
                               OnFailure on_failure)
    : choices_(std::move(choices)), on_failure_(std::move(on_failure)) {}

bool FallbackClient::gives_way(std::size_t choice, const Error& error) const {
  if (choice + 1 == choices_.size() || !retryable(error.kind)) return false;
  // It is for logs: the next choice is asked all the same.
  if (on_failure_) {
    (void)caught(kCallback, [&] { on_failure_(choice, error); });
  }
  return true;
}

Result<ChatResponse> FallbackClient::send(const ChatRequest& request,
                                          const CallOptions& options) const {
  Result<ChatResponse> answer = no_choices();
  Losses losses;
  CallOptions own = options;
  own.losses = &losses;
  for (std::size_t i = 0; i < choices_.size(); ++i) {
    losses.clear();
    const Choice& choice = choices_[i];
    answer = choice.client.send(request_for(choice, request), own);
    if (answer || !gives_way(i, answer.error())) break;
  }
  add_losses(losses, options.losses);
  return answer;
}

Result<void> FallbackClient::stream(const ChatRequest& request,
                                    const EventCallback& on_event,
                                    const CallOptions& options) const {
  Losses losses;
  CallOptions own = options;
  own.losses = &losses;
  Result<void> status = no_choices();
  for (std::size_t i = 0; i < choices_.size(); ++i) {
    losses.clear();
    bool told = false;
    bool next = false;
    const Choice& choice = choices_[i];
    status = choice.client.stream(
        request_for(choice, request),
        [&](const StreamEvent& event) {
          next = event.kind == EventKind::failed && !told &&
                 gives_way(i, *event.error);
          if (next) return true;
          if (event.kind != EventKind::ping) told = true;
          return on_event(event);
        },
        own);
    if (!next) break;
  }
  if (choices_.empty()) {
    StreamEvent failed;
    failed.kind = EventKind::failed;
    failed.error = &status.error();
    (void)caught(kCallback, [&] { on_event(failed); });
  }
  add_losses(losses, options.losses);
  return status;
}

}  // namespace llmproxy
