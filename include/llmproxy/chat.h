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
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// JSON text that was checked once and is passed on as it is.
struct RawJson {
  /// UTF-8, valid; empty = absent.
  std::string text;

  /// True when there is no JSON, not even `null`.
  bool empty() const { return text.empty(); }
  bool operator==(const RawJson&) const = default;
};

/// A field that only the dialect it came in knows. It is written back when
/// the target is the same dialect, and reported as a Loss otherwise.
struct Extension {
  /// The member's name, as the dialect writes it.
  std::string name;
  /// Its value, byte for byte.
  RawJson value;
  /// Leaving it out would change what is asked (the rest of a conversation
  /// the provider keeps): refused where it cannot be carried.
  bool essential = false;

  bool operator==(const Extension&) const = default;
};
/// In the order they were read.
using Extensions = std::vector<Extension>;

/// Where in the client's body something stood; used for loss and error
/// paths only, so any two places compare equal.
struct SourceIndex {
  /// Not an element of an array.
  static constexpr std::int32_t kNone = -1;
  /// Counts from 0.
  std::int32_t index = kNone;

  friend bool operator==(SourceIndex, SourceIndex) { return true; }
};

/// The same for a part: `/messages/<message>/<member>/<index>`.
struct SourcePlace {
  /// Not read from a body.
  static constexpr std::int32_t kUnknown = -2;
  /// As in SourceIndex; kUnknown = not read from a body.
  std::int32_t message = kUnknown;
  /// "content", "tool_calls"; empty = the message itself. Static storage.
  std::string_view member = {};
  std::int32_t index = SourceIndex::kNone;  ///< kNone = the member itself

  friend bool operator==(const SourcePlace&, const SourcePlace&) {
    return true;
  }
};

/// Name of the member something was read from. Static storage.
struct SourceName {
  /// Empty = the usual name.
  std::string_view text = {};

  friend bool operator==(SourceName, SourceName) { return true; }
};

/// JSON pointer of what something was read from; empty = its index says it.
struct SourcePath {
  /// "/tools/0/functions/2".
  std::string text;

  friend bool operator==(const SourcePath&, const SourcePath&) { return true; }
};

/// End of a reusable prompt prefix.
/// [claude: cache_control] [openai-chat: prompt_cache_breakpoint]
struct CacheMarker {
  /// "5m", "30m", "1h" ...; empty = the provider's default.
  std::string ttl;
  /// For messages about losses.
  SourceName source = {};

  bool operator==(const CacheMarker&) const = default;
};

/// Where the bytes of an image, document or audio clip are.
enum class MediaKind : std::uint8_t {
  base64,   ///< `data` is base64 text, no "data:" prefix
  url,      ///< `data` is an http(s) URL
  file_id,  ///< `data` is an id known only to the provider it came from
  text,     ///< `data` is the plain text itself (documents)
};
/// The last one, for loops over all.
inline constexpr MediaKind kLastMediaKind = MediaKind::text;

/// Bytes of an image, document or audio clip, or where they are.
struct MediaSource {
  /// What `data` is.
  MediaKind kind = MediaKind::base64;
  /// Base64, URL, id or text, as `kind` says.
  std::string data;
  /// MIME type in lower case ("image/png"); may be empty for url, file_id.
  std::string media_type;

  bool operator==(const MediaSource&) const = default;
};

/// Plain text, of any speaker.
struct TextPart {
  /// UTF-8.
  std::string text;
  /// Source references as the dialect wrote them, one JSON object each.
  std::vector<RawJson> citations;

  bool operator==(const TextPart&) const = default;
};

/// An image, by bytes, URL or id.
struct ImagePart {
  /// The image itself.
  MediaSource source;
  /// "low", "high", "auto", "original"; empty = not given.
  std::string detail;

  bool operator==(const ImagePart&) const = default;
};

/// A document, mostly PDF or plain text.
struct DocumentPart {
  /// The document itself.
  MediaSource source;
  /// Title or file name; empty = none.
  std::string title;
  /// Text about the document that is not its content; empty = none.
  std::string context;

  bool operator==(const DocumentPart&) const = default;
};

/// A clip of sound.
struct AudioPart {
  MediaSource source;  ///< base64 only
  std::string format;  ///< "wav", "mp3"

  bool operator==(const AudioPart&) const = default;
};

/// Whose model signed or encrypted a piece of reasoning: only the same kind
/// of model can read it again.
enum class ReasoningIssuer : std::uint8_t {
  unknown,    ///< unsigned, or nobody said
  anthropic,  ///< a Claude model, wherever it runs
  openai,     ///< a model of OpenAI's
  google,     ///< a Gemini model
};
/// The last one, for loops over all.
inline constexpr ReasoningIssuer kLastReasoningIssuer = ReasoningIssuer::google;

/// Reasoning of the model. The signature is opaque and bound to these exact
/// bytes: carried as it is or dropped, never made up. A signature that
/// belongs to a part which is no thinking (a Gemini thoughtSignature on a
/// function call) is a thinking part without text right before that part.
struct ThinkingPart {
  /// What can be read of it; empty where only the signature is known.
  std::string text;
  /// Empty = unsigned. [claude: signature] [openai-responses:
  /// encrypted_content] [gemini: thoughtSignature]
  std::string signature = {};
  std::string redacted_data = {};  ///< non-empty = encrypted, `text` is empty
  /// Who made `signature` or `redacted_data`.
  ReasoningIssuer issuer = ReasoningIssuer::unknown;
  /// Name of this piece at its provider [openai-responses: id of the
  /// reasoning item]; empty = none.
  std::string id = {};

  bool operator==(const ThinkingPart&) const = default;
};

/// The model asks for a tool.
struct ToolCallPart {
  /// Ties the result to the call (ToolResultPart::call_id).
  std::string id;
  /// ToolDefinition::name of the tool.
  std::string name;
  /// JSON text as the model wrote it, possibly broken (a truncated call in
  /// the history); free text for a custom tool.
  std::string arguments;
  /// The tool is of kind `custom`: `arguments` is free text.
  bool custom = false;

  bool operator==(const ToolCallPart&) const = default;
};

/// The model's refusal, in its own words.
struct RefusalPart {
  /// UTF-8.
  std::string text;

  bool operator==(const RefusalPart&) const = default;
};

/// A part only its own dialect knows (a server tool's result, ...).
struct OpaquePart {
  /// Name of the dialect that knows it.
  std::string dialect;
  /// What that dialect calls it ("web_search_tool_result").
  std::string type;
  /// The whole part, byte for byte.
  RawJson json;

  bool operator==(const OpaquePart&) const = default;
};

struct ContentPart;

/// The answer to a tool call. Stands in a user message.
struct ToolResultPart {
  /// ToolCallPart::id of the call it answers.
  std::string call_id;
  /// Text, images and documents.
  std::vector<ContentPart> content;
  /// The tool failed; `content` says how.
  bool is_error = false;

  bool operator==(const ToolResultPart& other) const;
};

/// One part of a message, with what any part may carry.
struct ContentPart {
  /// Everything that a part can be.
  using Value =
      std::variant<TextPart, ImagePart, DocumentPart, AudioPart, ThinkingPart,
                   ToolCallPart, ToolResultPart, RefusalPart, OpaquePart>;
  /// What it is; see as().
  Value value;
  /// The reusable prefix ends behind this part; absent = it does not.
  std::optional<CacheMarker> cache;
  /// Members of the part that only its dialect knows.
  Extensions extensions;
  /// Where it stood, for messages about losses.
  SourcePlace source = {};

  /// The part as a T, or nullptr. Lives as long as this object.
  /// @{
  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&value);
  }
  /// @}

  bool operator==(const ContentPart& other) const;
};

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
struct Message {
  /// Who speaks.
  Role role = Role::user;
  /// In their order; may be empty.
  std::vector<ContentPart> content;
  /// The speaker's name [openai-chat: name]; empty = none.
  std::string name;
  /// Members of the message that only its dialect knows.
  Extensions extensions;
  /// Index in the client's `messages`; kNone = the top-level system field.
  SourceIndex source;

  bool operator==(const Message&) const = default;
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
  std::string name;
  /// The namespace it is declared in [openai-responses]; empty = none.
  std::string name_space;
  /// For the model to read; empty = none.
  std::string description;
  /// JSON Schema of the arguments (function), the input format (custom), or
  /// the whole definition (hosted). Empty = none given.
  RawJson schema;
  std::string hosted_type;  ///< "web_search_20250305"; hosted only
  /// Arguments must follow the schema exactly; absent = the provider's
  /// default.
  std::optional<bool> strict;
  /// The reusable prefix ends behind this tool; absent = it does not.
  std::optional<CacheMarker> cache;
  /// Members of the tool that only its dialect knows.
  Extensions extensions;
  /// Where the client declares it, if that is not `/tools/<index>`.
  SourcePath source = {};

  bool operator==(const ToolDefinition&) const = default;
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
  std::string name;
  /// Only these may be called [openai-chat: allowed_tools]; empty = any.
  std::vector<std::string> allowed;

  bool operator==(const ToolChoice&) const = default;
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
  std::optional<ReasoningMode> mode;
  /// How much; may stand beside any mode.
  std::optional<Effort> effort;
  /// Tokens; at least 1024 and below the output limit for claude.
  std::optional<std::int64_t> budget_tokens;
  /// What to show of it: "summarized", "omitted"; empty = not given.
  std::string display;

  bool operator==(const Reasoning&) const = default;
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
  std::string name;
  /// What the format is for; empty = none.
  std::string description;
  /// JSON Schema of the answer.
  RawJson schema;
  /// The answer must follow it exactly; absent = the provider's default.
  std::optional<bool> strict;
  /// Where the schema stands, if the dialect has several places for it.
  SourcePath source = {};

  bool operator==(const ResponseFormat&) const = default;
};

/// Everything a client may ask of a chat model.
struct ChatRequest {
  /// Name of the dialect the request was decoded from; empty = made by hand.
  std::string dialect;
  /// Model to ask, by its provider's name for it.
  std::string model;
  /// System and developer messages keep their place; a top-level system
  /// field is the first message.
  std::vector<Message> messages;

  /// The answer is wanted as a stream. A Client's functions decide by
  /// themselves.
  bool stream = false;
  /// The client wants usage in the stream [openai-chat:
  /// stream_options.include_usage]; dialects that always send it say true.
  bool include_usage = false;

  std::optional<std::int64_t> max_output_tokens;  ///< tokens, >= 0
  std::optional<double> temperature;              ///< 0..2 (claude: 0..1)
  std::optional<double> top_p;                    ///< 0..1
  std::optional<std::int64_t> top_k;              ///< >= 0
  std::optional<double> frequency_penalty;        ///< -2..2
  std::optional<double> presence_penalty;         ///< -2..2
  std::optional<std::int64_t> seed;               ///< any number
  /// Texts that end the answer where the model writes them.
  std::vector<std::string> stop_sequences;

  /// Tools the model may call, by unique names.
  std::vector<ToolDefinition> tools;
  /// Absent = the provider's default, mostly `automatic`.
  std::optional<ToolChoice> tool_choice;
  /// Several calls in one answer are welcome; absent = the provider's default.
  std::optional<bool> parallel_tool_calls;
  /// The client used the old `functions` fields and must be answered so.
  bool legacy_functions = false;

  /// Structured output; absent = text.
  std::optional<ResponseFormat> response_format;
  /// Thinking before the answer.
  Reasoning reasoning;

  /// Opaque id of the end user, for abuse detection.
  std::string user_id;
  /// "auto", "default", "standard_only", "priority" ...; empty = not given.
  std::string service_tier;

  /// Top-level members that only `dialect` knows.
  Extensions extensions;

  bool operator==(const ChatRequest&) const = default;
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
  std::optional<std::int64_t> input_tokens;
  std::optional<std::int64_t> cached_input_tokens;  ///< part of input_tokens
  std::optional<std::int64_t> cache_write_tokens;   ///< part of input_tokens
  /// All output, reasoning included.
  std::optional<std::int64_t> output_tokens;
  std::optional<std::int64_t> reasoning_tokens;     ///< part of output_tokens
  std::optional<std::int64_t> input_audio_tokens;   ///< part of input_tokens
  std::optional<std::int64_t> output_audio_tokens;  ///< part of output_tokens

  bool operator==(const Usage&) const = default;
};

/// One finished answer; also what a finished stream adds up to.
struct ChatResponse {
  /// Name of the dialect it was decoded from; empty = made by hand.
  std::string dialect;
  /// The provider's name for this answer; empty = none given.
  std::string id;
  /// Model that answered, as the provider calls it.
  std::string model;
  std::int64_t created = 0;  ///< Unix seconds; 0 = not known
  /// Text, thinking, tool calls, in the order they were written.
  std::vector<ContentPart> content;
  /// Why it ends.
  StopReason stop_reason = StopReason::end_turn;
  /// The provider's own word for it.
  std::string stop_reason_text;
  /// The stop sequence that matched; empty = none reported.
  std::string stop_sequence;
  /// Why it was refused, when the provider says; empty = nothing said.
  std::string refusal_explanation;
  /// What it cost.
  Usage usage;
  std::string service_tier;  ///< tier really used; empty = not reported
  /// Members of the answer that only its dialect knows.
  Extensions extensions;

  bool operator==(const ChatResponse&) const = default;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
