// The canonical chat model: what a request and an answer mean, whichever
// dialect they came in.
//
// Plain owned values: rule of zero, `==`, no base class, no view into a
// parser. JSON that the library has no need to understand (tool schemas, tool
// arguments, fields only one dialect has) is kept as validated text and never
// re-printed, so that key order, number spelling and 20-digit integers
// survive. Not synchronised: share between threads as any value.
//
//   ChatRequest request;
//   request.model = "claude-sonnet-4-5";
//   request.messages.push_back(user_message("What is the time in Oslo?"));
//
// Sources of the rules: OpenAI "Create chat completion", Anthropic "Messages".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "llmproxy/content.h"
#include "llmproxy/export.h"
#include "llmproxy/result.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Who speaks. Tool results stand in `user` messages.
enum class Role : std::uint8_t {
  system,     ///< the operator
  developer,  ///< the same, as newer OpenAI models call it
  user,       ///< the user, and tools
  assistant   ///< the model
};
/// The last one, for loops over all.
inline constexpr Role kLastRole = Role::assistant;

/// One turn of the conversation.
///
///   Message{Role::user, {TextPart{"What is the time in Oslo?"}}}
struct Message {
  /// Who speaks.
  Role role = Role::user;
  /// In their order; may be empty.
  std::vector<ContentPart> content = {};
  /// The speaker's name [openai-chat: name]; empty = none.
  std::string name = {};
  /// Members of the message that only its dialect knows.
  Extensions extensions = {};
  /// Index in the client's `messages`; kNone = the top-level system field.
  SourceIndex source = {};

  /// All TextParts, one behind the other; thinking, calls and refusals are not
  /// among them.
  std::string text() const;

  bool operator==(const Message &) const = default;
};

/// A message of one text part.
Message text_message(Role role, std::string text);
/// A message of the user's with one text part.
inline Message user_message(std::string text) {
  return text_message(Role::user, std::move(text));
}
/// A system message with one text part.
inline Message system_message(std::string text) {
  return text_message(Role::system, std::move(text));
}
/// A message of the model's with one text part.
inline Message assistant_message(std::string text) {
  return text_message(Role::assistant, std::move(text));
}

/// What a tool takes, and where it runs.
enum class ToolKind : std::uint8_t {
  function,  ///< arguments are JSON after a schema
  custom,    ///< arguments are free text [openai-chat: type custom]
  hosted,    ///< runs at the provider; only its own dialect knows it
};

/// A tool that the model may call.
struct ToolDefinition {
  /// What it takes, and where it runs.
  ToolKind kind = ToolKind::function;
  /// What calls say. A tool in a namespace is called
  /// "<namespace>__<name>" here.
  std::string name = {};
  /// The namespace it is declared in [openai-responses]; empty = none.
  std::string name_space = {};
  /// For the model to read; empty = none.
  std::string description = {};
  /// JSON Schema of the arguments (function), the input format (custom), or
  /// the whole definition (hosted). Empty = none given.
  RawJson schema = {};
  std::string hosted_type = {};  ///< "web_search_20250305"; hosted only
  /// Arguments must follow the schema exactly; absent = the provider's
  /// default.
  std::optional<bool> strict = {};
  /// The reusable prefix ends behind this tool; absent = it does not.
  std::optional<CacheMarker> cache = {};
  /// Members of the tool that only its dialect knows.
  Extensions extensions = {};
  /// Where the client declares it, if that is not `/tools/<index>`.
  SourcePath source = {};

  bool operator==(const ToolDefinition &) const = default;
};

/// Whether the model may, or must, call a tool.
enum class ToolChoiceMode : std::uint8_t {
  automatic,  ///< the model decides
  none,       ///< no tool may be called
  required,   ///< some tool must be called
  named,      ///< `name` must be called
};
/// The last one, for loops over all.
inline constexpr ToolChoiceMode kLastToolChoiceMode = ToolChoiceMode::named;

/// Which tools the model may or must call.
struct ToolChoice {
  /// May, must not, or must.
  ToolChoiceMode mode = ToolChoiceMode::automatic;
  /// ToolDefinition::name, for `named`; else empty.
  std::string name = {};
  /// Only these may be called [openai-chat: allowed_tools]; empty = any.
  std::vector<std::string> allowed = {};

  bool operator==(const ToolChoice &) const = default;
};

/// Whether the model thinks before it answers.
enum class ReasoningMode : std::uint8_t {
  off,       ///< no thinking [claude: thinking.disabled]
  budget,    ///< up to `budget_tokens` [claude: thinking.enabled]
  adaptive,  ///< the model decides [claude: thinking.adaptive]
};
/// The last one, for loops over all.
inline constexpr ReasoningMode kLastReasoningMode = ReasoningMode::adaptive;

/// How much the model shall think, from least to most. [openai-chat:
/// reasoning_effort] [claude: output_config.effort]
enum class Effort : std::uint8_t {
  none,
  minimal,
  low,
  medium,
  high,
  xhigh,
  max
};
/// The last one, for loops over all.
inline constexpr Effort kLastEffort = Effort::max;

/// What is asked about thinking; absent members = the model's default.
struct Reasoning {
  /// Off, up to a budget, or as the model likes.
  std::optional<ReasoningMode> mode = {};
  /// How much; may stand beside any mode.
  std::optional<Effort> effort = {};
  /// Tokens; at least 1024 and below the output limit for claude.
  std::optional<std::int64_t> budget_tokens = {};
  /// What to show of it: "summarized", a summary that is "concise" or
  /// "detailed", "omitted"; empty = not given.
  std::string display = {};

  bool operator==(const Reasoning &) const = default;
};

/// What an answer's text must be.
enum class FormatKind : std::uint8_t {
  text,         ///< anything
  json_object,  ///< any JSON object
  json_schema   ///< JSON after a schema
};
/// The last one, for loops over all.
inline constexpr FormatKind kLastFormatKind = FormatKind::json_schema;

/// Structured output.
struct ResponseFormat {
  /// The members below are of `json_schema` only.
  FormatKind kind = FormatKind::text;
  /// Name of the schema; empty = none.
  std::string name = {};
  /// What the format is for; empty = none.
  std::string description = {};
  /// JSON Schema of the answer.
  RawJson schema = {};
  /// The answer must follow it exactly; absent = the provider's default.
  std::optional<bool> strict = {};
  /// Where the schema stands, if the dialect has several places for it.
  SourcePath source = {};

  bool operator==(const ResponseFormat &) const = default;
};

/// Everything a client may ask of a chat model.
struct ChatRequest {
  /// Name of the dialect the request was decoded from; empty = made by hand.
  std::string dialect = {};
  /// Model to ask, by its provider's name for it.
  std::string model = {};
  /// System and developer messages keep their place; a top-level system
  /// field is the first message.
  std::vector<Message> messages = {};

  /// The answer is wanted as a stream. A Client's functions decide by
  /// themselves.
  bool stream = false;
  /// The client wants usage in the stream [openai-chat:
  /// stream_options.include_usage]; dialects that always send it say true.
  bool include_usage = false;

  std::optional<std::int64_t> max_output_tokens = {};  ///< tokens, >= 0
  std::optional<double> temperature = {};              ///< 0..2 (claude: 0..1)
  std::optional<double> top_p = {};                    ///< 0..1
  std::optional<std::int64_t> top_k = {};              ///< >= 0
  std::optional<double> frequency_penalty = {};        ///< -2..2
  std::optional<double> presence_penalty = {};         ///< -2..2
  std::optional<std::int64_t> seed = {};               ///< any number
  /// Texts that end the answer where the model writes them.
  std::vector<std::string> stop_sequences = {};

  /// Tools the model may call, by unique names.
  std::vector<ToolDefinition> tools = {};
  /// Absent = the provider's default, mostly `automatic`.
  std::optional<ToolChoice> tool_choice = {};
  /// Several calls in one answer are welcome; absent = the provider's default.
  std::optional<bool> parallel_tool_calls = {};
  /// The client used the old `functions` fields and must be answered so.
  bool legacy_functions = false;

  /// Structured output; absent = text.
  std::optional<ResponseFormat> response_format = {};
  /// Thinking before the answer.
  Reasoning reasoning = {};

  /// Opaque id of the end user, for abuse detection.
  std::string user_id = {};
  /// "auto", "default", "standard_only", "priority" ...; empty = not given.
  std::string service_tier = {};

  /// Top-level members that only `dialect` knows.
  Extensions extensions = {};

  bool operator==(const ChatRequest &) const = default;
};

/// Why the model stopped, in the words both sides share.
enum class StopReason : std::uint8_t {
  end_turn,        ///< it had said what it wanted
  max_tokens,      ///< the output limit was reached
  stop_sequence,   ///< it wrote one of the stop sequences
  tool_use,        ///< it waits for the results of its calls
  refusal,         ///< refused, or cut by a content filter
  pause,           ///< long server-side turn; send the turn back as it is
  context_window,  ///< prompt plus answer filled the window
  other,           ///< see the text beside it
};
/// The last one, for loops over all.
inline constexpr StopReason kLastStopReason = StopReason::other;

/// Token counts. Absent = the provider did not say.
struct Usage {
  /// All input, cached or not. (claude reports three disjoint numbers; they
  /// are added up here.)
  std::optional<std::int64_t> input_tokens = {};
  std::optional<std::int64_t> cached_input_tokens =
      {};  ///< part of input_tokens
  std::optional<std::int64_t> cache_write_tokens =
      {};  ///< part of input_tokens
  /// All output, reasoning included.
  std::optional<std::int64_t> output_tokens = {};
  std::optional<std::int64_t> reasoning_tokens = {};  ///< part of output_tokens
  std::optional<std::int64_t> input_audio_tokens =
      {};  ///< part of input_tokens
  std::optional<std::int64_t> output_audio_tokens =
      {};  ///< part of output_tokens

  bool operator==(const Usage &) const = default;
};

/// One finished answer; also what a finished stream adds up to.
struct ChatResponse {
  /// Name of the dialect it was decoded from; empty = made by hand.
  std::string dialect = {};
  /// The provider's name for this answer; empty = none given.
  std::string id = {};
  /// Model that answered, as the provider calls it.
  std::string model = {};
  std::int64_t created = 0;  ///< Unix seconds; 0 = not known
  /// Text, thinking, tool calls, in the order they were written.
  std::vector<ContentPart> content = {};
  /// Why it ends.
  StopReason stop_reason = StopReason::end_turn;
  /// The provider's own word for it.
  std::string stop_reason_text = {};
  /// The stop sequence that matched; empty = none reported.
  std::string stop_sequence = {};
  /// Why it was refused, when the provider says; empty = nothing said.
  std::string refusal_explanation = {};
  /// What it cost.
  Usage usage = {};
  std::string service_tier = {};  ///< tier really used; empty = not reported
  /// Members of the answer that only its dialect knows.
  Extensions extensions = {};

  /// What the model says: all TextParts, one behind the other. Thinking, calls
  /// and refusals are not among it.
  std::string text() const;
  /// The tools that it wants called, in its order; empty = none.
  std::vector<ToolCallPart> tool_calls() const;

  bool operator==(const ChatResponse &) const = default;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
