// Amazon Bedrock InvokeModel with Anthropic's body: what is not as in the
// Messages API. Sources: Amazon Bedrock user guide, "Anthropic Claude Messages
// API"; API reference, "InvokeModel", "InvokeModelWithResponseStream".
#pragma once

#include <array>
#include <string_view>

#include "dialects/claude/body.h"
#include "dialects/functions.h"

namespace llmproxy::bedrock {

inline constexpr std::string_view kName = "bedrock";

/// What it can say: limits.cc.
extern const DialectLimits kLimits;

inline constexpr std::string_view kVersion = "bedrock-2023-05-31";

/// Versions that say nothing about the request: what our answers are made of
/// is the same in all of them.
inline constexpr std::array<std::string_view, 3> kKnownVersions = {
    kVersion, "2026-10-21", "2023-06-01"};

/// Tools that Anthropic defines and the client runs. Those that run at
/// Anthropic are not there.
inline constexpr std::array<std::string_view, 4> kTools = {
    "bash_", "text_editor_", "computer_", "memory_"};

/// Blocks without a canonical form that are there too. Agents send their
/// billing line here as well.
inline constexpr std::array<std::string_view, 3> kBlocks = {
    "document", "search_result", claude::kBillingType};

inline constexpr claude::Host kHost = {
    .dialect = kName, .title = "Bedrock", .version = kVersion};

/// What AWS adds to the last event of a stream; no part of the answer.
inline constexpr std::string_view kMetrics = "amazon-bedrock-invocationMetrics";

LLMPROXY_DIALECT_FUNCTIONS;
/// An exception within a stream; `data` may be anything.
Error read_error(std::string_view name, std::string_view data);

}  // namespace llmproxy::bedrock
