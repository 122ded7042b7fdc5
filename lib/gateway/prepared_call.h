// How a call is made: one way for chats, chats with a named provider and
// counting. Each says what it wants (CallPlan); what goes out is made of that
// here, by translate_request().
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gateway/call.h"
#include "gateway/request_images.h"

namespace llmproxy::gateway {

/// Adds to `call.request` what of the client's own headers goes with it.
void pass_headers(const Exchange& exchange, UpstreamCall& call);

/// What a call is made of.
struct CallPlan {
  ParsedRequest request;
  std::string model;  ///< to ask for
  /// As Dialect::upstream_path, where another endpoint is asked than that for
  /// chats; the answer comes whole.
  std::string_view path = {};
  /// The client's own headers go along, as pass_headers() says.
  bool passes_headers = true;
};

/// What goes out, into `call`, whose backend and dialects are set. Frees the
/// request once it is read, unless it may be wanted again: it holds images by
/// URL.
Result<void> fill_call(const Exchange& exchange, CallPlan& plan,
                       RequestImages& images, UpstreamCall& call);

/// Decides what a call is made of, and sets its backend and dialects.
using MakePlan = std::function<Result<CallPlan>()>;
/// All of it for a chat: makes the plan, fills the call, asks the limits,
/// fetches images on this thread, which waits. An error behind the limits has
/// cost a request.
Result<void> prepare_call(Exchange& exchange, UpstreamCall& call,
                          const MakePlan& make);

}  // namespace llmproxy::gateway
