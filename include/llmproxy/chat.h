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

namespace LLMPROXY_API llmproxy {

/// JSON text that was checked once and is passed on as it is.
struct RawJson {
  std::string text;

  bool empty() const { return text.empty(); }
  bool operator==(const RawJson&) const = default;
};

/// A field that only the dialect it came in knows. It is written back when
/// the target is the same dialect, and reported as a Loss otherwise.
struct Extension {
  std::string name;
  RawJson value;
  /// Leaving it out would change what is asked (the rest of a conversation
  /// the provider keeps): refused where it cannot be carried.
  bool essential = false;

  bool operator==(const Extension&) const = default;
};
using Extensions = std::vector<Extension>;

/// Where in the client's body something stood; used for loss and error
/// paths only, so any two places compare equal.
struct SourceIndex {
  static constexpr std::int32_t kNone = -1;
  std::int32_t index = kNone;

  friend bool operator==(SourceIndex, SourceIndex) { return true; }
};

/// The same for a part: /messages/<message>/<member>/<index>.
struct SourcePlace {
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
  std::string_view text = {};

  friend bool operator==(SourceName, SourceName) { return true; }
};

/// JSON pointer of what something was read from; empty = its index says it.
struct SourcePath {
  std::string text;

  friend bool operator==(const SourcePath&, const SourcePath&) { return true; }
};

/// End of a reusable prompt prefix.
/// [claude: cache_control] [openai-chat: prompt_cache_breakpoint]
struct CacheMarker {
  /// "5m", "30m", "1h" ...; empty = the provider's default.
  std::string ttl;
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
inline constexpr MediaKind kLastMediaKind = MediaKind::text;

struct MediaSource {
  MediaKind kind = MediaKind::base64;
  std::string data;
  /// MIME type in lower case ("image/png"); may be empty for url, file_id.
  std::string media_type;

  bool operator==(const MediaSource&) const = default;
};

struct TextPart {
  std::string text;
  /// Source references as the dialect wrote them, one JSON object each.
  std::vector<RawJson> citations;

  bool operator==(const TextPart&) const = default;
};

struct ImagePart {
  MediaSource source;
  /// "low", "high", "auto", "original"; empty = not given.
  std::string detail;

  bool operator==(const ImagePart&) const = default;
};

struct DocumentPart {
  MediaSource source;
  /// Title or file name; empty = none.
  std::string title;
  /// Text about the document that is not its content; empty = none.
  std::string context;

  bool operator==(const DocumentPart&) const = default;
};

struct AudioPart {
  MediaSource source;  ///< base64 only
  std::string format;  ///< "wav", "mp3"

  bool operator==(const AudioPart&) const = default;
};

/// Whose model signed or encrypted a piece of reasoning: only the same kind
/// of model can read it again.
enum class ReasoningIssuer : std::uint8_t {
  unknown,  ///< unsigned, or nobody said
  anthropic,
  openai,
  google,
};
inline constexpr ReasoningIssuer kLastReasoningIssuer = ReasoningIssuer::google;

/// Reasoning of the model. The signature is opaque and bound to these exact
/// bytes: carried as it is or dropped, never made up. A signature that
/// belongs to a part which is no thinking (a Gemini thoughtSignature on a
/// function call) is a thinking part without text right before that part.
struct ThinkingPart {
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
  std::string id;
  std::string name;
  /// JSON text as the model wrote it, possibly broken (a truncated call in
  /// the history); free text for a custom tool.
  std::string arguments;
  bool custom = false;

  bool operator==(const ToolCallPart&) const = default;
};

struct RefusalPart {
  std::string text;

  bool operator==(const RefusalPart&) const = default;
};

/// A part only its own dialect knows (a server tool's result, ...).
struct OpaquePart {
  std::string dialect;
  std::string type;
  RawJson json;

  bool operator==(const OpaquePart&) const = default;
};

struct ContentPart;

/// The answer to a tool call. Stands in a user message.
struct ToolResultPart {
  std::string call_id;
  /// Text, images and documents.
  std::vector<ContentPart> content;
  bool is_error = false;

  friend bool operator==(const ToolResultPart&, const ToolResultPart&);
};

/// One part of a message, with what any part may carry.
struct ContentPart {
  using Value =
      std::variant<TextPart, ImagePart, DocumentPart, AudioPart, ThinkingPart,
                   ToolCallPart, ToolResultPart, RefusalPart, OpaquePart>;
  Value value;
  std::optional<CacheMarker> cache;
  Extensions extensions;
  SourcePlace source = {};

  /// The part as a T, or nullptr.
  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&value);
  }

  friend bool operator==(const ContentPart&, const ContentPart&);
};

/// Who speaks. Tool results stand in `user` messages.
enum class Role : std::uint8_t { system, developer, user, assistant };
inline constexpr Role kLastRole = Role::assistant;

struct Message {
  Role role = Role::user;
  std::vector<ContentPart> content;
  /// The speaker's name [openai-chat: name]; empty = none.
  std::string name;
  Extensions extensions;
  /// Index in the client's `messages`; kNone = the top-level system field.
  SourceIndex source;

  bool operator==(const Message&) const = default;
};

/// A message of one text part.
Message text_message(Role role, std::string text);
inline Message user_message(std::string text) {
  return text_message(Role::user, std::move(text));
}
inline Message system_message(std::string text) {
  return text_message(Role::system, std::move(text));
}
inline Message assistant_message(std::string text) {
  return text_message(Role::assistant, std::move(text));
}

enum class ToolKind : std::uint8_t {
  function,  ///< arguments are JSON after a schema
  custom,    ///< arguments are free text [openai-chat: type custom]
  hosted,    ///< runs at the provider; only its own dialect knows it
};

struct ToolDefinition {
  ToolKind kind = ToolKind::function;
  /// What calls say. A tool in a namespace is called
  /// "<namespace>__<name>" here.
  std::string name;
  /// The namespace it is declared in [openai-responses]; empty = none.
  std::string name_space;
  std::string description;
  /// JSON Schema of the arguments (function), the input format (custom), or
  /// the whole definition (hosted). Empty = none given.
  RawJson schema;
  std::string hosted_type;  ///< "web_search_20250305"; hosted only
  std::optional<bool> strict;
  std::optional<CacheMarker> cache;
  Extensions extensions;
  /// Where the client declares it, if that is not /tools/<index>.
  SourcePath source = {};

  bool operator==(const ToolDefinition&) const = default;
};

enum class ToolChoiceMode : std::uint8_t {
  automatic,  ///< the model decides
  none,       ///< no tool may be called
  required,   ///< some tool must be called
  named,      ///< `name` must be called
};
inline constexpr ToolChoiceMode kLastToolChoiceMode = ToolChoiceMode::named;

struct ToolChoice {
  ToolChoiceMode mode = ToolChoiceMode::automatic;
  std::string name;
  /// Only these may be called [openai-chat: allowed_tools]; empty = any.
  std::vector<std::string> allowed;

  bool operator==(const ToolChoice&) const = default;
};

enum class ReasoningMode : std::uint8_t {
  off,
  budget,    ///< up to `budget_tokens` [claude: thinking.enabled]
  adaptive,  ///< the model decides [claude: thinking.adaptive]
};
inline constexpr ReasoningMode kLastReasoningMode = ReasoningMode::adaptive;

enum class Effort : std::uint8_t {
  none,
  minimal,
  low,
  medium,
  high,
  xhigh,
  max
};
inline constexpr Effort kLastEffort = Effort::max;

struct Reasoning {
  std::optional<ReasoningMode> mode;
  std::optional<Effort> effort;
  /// Tokens; at least 1024 and below the output limit for claude.
  std::optional<std::int64_t> budget_tokens;
  /// What to show of it: "summarized", "omitted"; empty = not given.
  std::string display;

  bool operator==(const Reasoning&) const = default;
};

enum class FormatKind : std::uint8_t { text, json_object, json_schema };
inline constexpr FormatKind kLastFormatKind = FormatKind::json_schema;

/// Structured output.
struct ResponseFormat {
  FormatKind kind = FormatKind::text;
  std::string name;
  std::string description;
  RawJson schema;
  std::optional<bool> strict;
  /// Where the schema stands, if the dialect has several places for it.
  SourcePath source = {};

  bool operator==(const ResponseFormat&) const = default;
};

/// Everything a client may ask of a chat model.
struct ChatRequest {
  /// Name of the dialect the request was decoded from; empty = made by hand.
  std::string dialect;
  std::string model;
  /// System and developer messages keep their place; a top-level system
  /// field is the first message.
  std::vector<Message> messages;

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
  std::optional<std::int64_t> seed;
  std::vector<std::string> stop_sequences;

  std::vector<ToolDefinition> tools;
  std::optional<ToolChoice> tool_choice;
  std::optional<bool> parallel_tool_calls;
  /// The client used the old `functions` fields and must be answered so.
  bool legacy_functions = false;

  std::optional<ResponseFormat> response_format;
  Reasoning reasoning;

  /// Opaque id of the end user, for abuse detection.
  std::string user_id;
  /// "auto", "default", "standard_only", "priority" ...; empty = not given.
  std::string service_tier;

  Extensions extensions;

  bool operator==(const ChatRequest&) const = default;
};

/// Why the model stopped, in the words both sides share.
enum class StopReason : std::uint8_t {
  end_turn,
  max_tokens,
  stop_sequence,
  tool_use,
  refusal,         ///< refused, or cut by a content filter
  pause,           ///< long server-side turn; send the turn back as it is
  context_window,  ///< prompt plus answer filled the window
  other,           ///< see the text beside it
};
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
  std::optional<std::int64_t> reasoning_tokens;  ///< part of output_tokens
  std::optional<std::int64_t> input_audio_tokens;
  std::optional<std::int64_t> output_audio_tokens;

  bool operator==(const Usage&) const = default;
};

/// One finished answer; also what a finished stream adds up to.
struct ChatResponse {
  std::string dialect;
  std::string id;
  std::string model;
  std::int64_t created = 0;  ///< Unix seconds; 0 = not known
  std::vector<ContentPart> content;
  StopReason stop_reason = StopReason::end_turn;
  /// The provider's own word for it.
  std::string stop_reason_text;
  /// The stop sequence that matched; empty = none reported.
  std::string stop_sequence;
  /// Why it was refused, when the provider says; empty = nothing said.
  std::string refusal_explanation;
  Usage usage;
  std::string service_tier;  ///< tier really used; empty = not reported
  Extensions extensions;

  bool operator==(const ChatResponse&) const = default;
};

}  // namespace llmproxy
