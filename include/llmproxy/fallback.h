// FallbackClient: one call over several clients. When one fails in a way that
// another may not, and nothing of its answer was told yet, the next is asked.
//
// A plain value, like Client; its functions may be called from any number of
// threads at once, and so is `on_failure`. It remembers no failures: each call
// begins with the first choice.
//
//   const FallbackClient client({{anthropic, "claude-sonnet-4-5"},
//                                {openai, "gpt-5"}});
//   Result<ChatResponse> answer = client.send(request);
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "llmproxy/client.h"
#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Several clients that are asked in turn; see the top of this file.
class FallbackClient {
 public:
  /// Whom to ask, and for which model there.
  struct Choice {
    /// Whom to ask.
    Client client;
    std::string model = {};  ///< empty = the request's
  };
  /// Told of each choice that failed and was given up for the next one, by
  /// its index; for logs. What it throws is dropped.
  using OnFailure = std::function<void(std::size_t choice, const Error& error)>;

  /// `choices` in the order they are asked; without any, calls fail as
  /// `internal`.
  explicit FallbackClient(std::vector<Choice> choices,
                          OnFailure on_failure = {});

  /// As Client::send. A choice whose error is retryable() gives way to the
  /// next; the error of the last one asked is the result. Deadlines and the
  /// stop token are each choice's anew; CallOptions::losses is that of the
  /// last one asked.
  Result<ChatResponse> send(const ChatRequest& request,
                            const CallOptions& options = {}) const;

  /// As Client::stream. A choice gives way only while none of its events but
  /// `ping` has been told. `on_event` is called on this thread; false =
  /// enough.
  Result<void> stream(const ChatRequest& request, const EventCallback& on_event,
                      const CallOptions& options = {}) const;

 private:
  bool gives_way(std::size_t choice, const Error& error) const;

  std::vector<Choice> choices_;
  OnFailure on_failure_;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
