// Which tools of a request a target gets, and whether it can call the one that
// must be called. The same for every dialect.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"

namespace llmproxy {

struct ToolRules {
  std::string_view provider;  ///< for errors: "Anthropic"
  /// Written for this very dialect: everything is taken.
  bool own = false;
  /// The API cannot say which of the tools may be called: the others are not
  /// offered.
  bool offers_allowed_only = false;
  /// Tools of its provider that it takes all the same; empty = none.
  std::function<bool(const ToolDefinition& tool)> takes_hosted = {};
};

/// Places in request.tools. Error: unsupported for a tool that runs at
/// another provider, unless the options say to drop those; and also then where
/// nothing else may be called.
Result<std::vector<std::size_t>> plan_tools(const ChatRequest& request,
                                            const EncodeOptions& options,
                                            const ToolRules& rules,
                                            Losses& losses);

/// Errors: unsupported for a choice of a tool that is not in `kept`,
/// invalid_request for one that was never declared. No choice is fine.
Result<void> check_named_choice(const ChatRequest& request,
                                const std::vector<std::size_t>& kept,
                                std::string_view provider);

}  // namespace llmproxy
