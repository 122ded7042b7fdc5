// The steps of fit(), one function per concern, in the order in which fit()
// takes them. Each changes the request and tells what it could not keep.
#pragma once

#include <string>
#include <string_view>

#include "chat/fit.h"

namespace llmproxy {

/// What all steps share.
struct FitStep {
  ChatRequest& request;
  const FitTarget& target;
  RequestContext& context;
  Losses& losses;

  const DialectLimits& limits() const { return *target.limits; }
  const TargetTraits& traits() const { return target.options->traits; }
  /// Extensions, hosted tools and opaque parts are the target's own.
  bool keeps_extensions() const {
    return target.wording == Wording::own || target.wording == Wording::hand;
  }
  /// Written in the words of the target's body.
  bool is_kin() const { return target.wording != Wording::foreign; }
  /// Some tool must be called.
  bool forces_call() const {
    return request.tool_choice &&
           (request.tool_choice->mode == ToolChoiceMode::required ||
            request.tool_choice->mode == ToolChoiceMode::named);
  }
  /// What the model or its provider does not take goes.
  bool takes_traits() const {
    return target.wording != Wording::own || limits().traits_for_own;
  }
  /// "the model gpt-5", for losses by a trait.
  std::string model() const { return "the model " + request.model; }

  /// "<who> does not take <thing>; dropped"
  void drop(std::string path, std::string_view who, std::string_view thing);
  /// "<who> does not take <thing>; <became>"
  void change(std::string path, std::string_view who, std::string_view thing,
              std::string_view became);
};

// lib/chat/fit_tools.cc
/// Hosted tools that the target lacks, tools that may not be called, what the
/// history's calls need.
Result<void> fit_tools(FitStep& step);
/// Schemas, `strict`, namespaces, cache markers, extensions of the tools.
void fit_tool_fields(FitStep& step);
/// A function's schema in the shape that the target takes; `path` is whose.
RawJson tool_schema(FitStep& step, const RawJson& schema, std::string path);
/// tool_choice and parallel_tool_calls, after the tools are known.
Result<void> fit_tool_choice(FitStep& step);
/// The tools of earlier calls, where a history with calls needs some and there
/// are none. Behind fit_format: only then is it known that there is no private
/// tool either.
void declare_called_tools(FitStep& step);

// lib/chat/fit_thinking.cc
/// After max_output_tokens and tool_choice.
void fit_thinking(FitStep& step);

// lib/chat/fit_asked.cc
Result<void> fit_max_tokens(FitStep& step);
/// temperature, top_p, top_k, penalties, seed; after thinking is decided.
Result<void> fit_sampling(FitStep& step);
void fit_stop_sequences(FitStep& step);
/// user_id and service_tier.
void fit_identity(FitStep& step);

// lib/chat/fit_format.cc
/// After thinking and tools are decided: structured output natively, by a
/// private tool, or in words.
void fit_format(FitStep& step);

// lib/chat/fit_content.cc
/// System turns between others, names, ids of calls.
void fit_turns(FitStep& step);
/// Members of the request that only its dialect knows; added_fields.
void fit_extensions(FitStep& step);
/// Of `extensions`, those that the target reads; `path` is where they stand.
void fit_fields(FitStep& step, Extensions& extensions, std::string_view path);

// lib/chat/fit_parts.cc
/// Extensions, cache markers, citations, files and images of messages and
/// their parts, those within tool results included; earlier thinking.
Result<void> fit_parts(FitStep& step);

}  // namespace llmproxy
