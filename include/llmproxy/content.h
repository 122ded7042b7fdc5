// What messages are made of: texts, images, thinking, tool calls and results;
// and JSON that is passed on as it is.
//
// Plain owned values: rule of zero, `==`, no base class, no view into a
// parser. Not synchronised: share between threads as any value.
//
//   std::vector<ContentPart> content;
//   content.push_back(TextPart{"What is in this picture?"});
//   content.push_back(image_from_bytes(bytes, "image/png"));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "llmproxy/export.h"
#include "llmproxy/result.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

namespace json {
struct Trusted;
}

/// JSON text that was checked once and is passed on as it is. Nobody can make
/// one of text that is no JSON, so what is written around it stays whole.
///
///   Result<RawJson> schema = RawJson::parse(R"({"type":"object"})");
class RawJson {
 public:
  /// Absent.
  RawJson() = default;
  /// `text` must be one complete JSON value in UTF-8, less than 64 levels
  /// deep. Errors: invalid_request with the place of the mistake.
  static Result<RawJson> parse(std::string text);

  /// The JSON, byte for byte as it was given; empty = absent.
  const std::string &text() const { return text_; }
  /// True when there is no JSON, not even `null`.
  bool empty() const { return text_.empty(); }
  bool operator==(const RawJson &) const = default;

 private:
  friend struct json::Trusted;
  explicit RawJson(std::string checked) : text_(std::move(checked)) {}

  std::string text_;
};

/// A field that only the dialect it came in knows. It is written back when
/// the target is the same dialect, and reported as a Loss otherwise.
struct Extension {
  /// The member's name, as the dialect writes it.
  std::string name = {};
  /// Its value, byte for byte.
  RawJson value = {};
  /// Leaving it out would change what is asked (the rest of a conversation
  /// the provider keeps): refused where it cannot be carried.
  bool essential = false;

  bool operator==(const Extension &) const = default;
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

/// The same for a part: `/messages/<message>/<member>/<index>/<inner>`.
struct SourcePlace {
  /// Not read from a body.
  static constexpr std::int32_t kUnknown = -2;
  /// As in SourceIndex; kUnknown = not read from a body.
  std::int32_t message = kUnknown;
  /// "content", "tool_calls"; empty = the message itself. Static storage.
  std::string_view member = {};
  std::int32_t index = SourceIndex::kNone;  ///< kNone = the member itself
  /// Member of that element; empty = all of it. Static storage.
  std::string_view inner = {};

  friend bool operator==(const SourcePlace &, const SourcePlace &) {
    return true;
  }
};

/// JSON pointer of what something was read from; empty = its index says it.
struct SourcePath {
  /// "/tools/0/functions/2"; without a slash in front, a member of what it
  /// belongs to ("cache_control").
  std::string text = {};

  friend bool operator==(const SourcePath &, const SourcePath &) {
    return true;
  }
};

/// End of a reusable prompt prefix.
/// [claude: cache_control] [openai-chat: prompt_cache_breakpoint]
struct CacheMarker {
  /// "5m", "30m", "1h" ...; empty = the provider's default.
  std::string ttl = {};
  /// For messages about losses; empty = what it marks.
  SourcePath source = {};

  bool operator==(const CacheMarker &) const = default;
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
  std::string data = {};
  /// MIME type in lower case ("image/png"); may be empty for url, file_id.
  std::string media_type = {};

  bool operator==(const MediaSource &) const = default;
};

struct ContentPart;

/// Plain text, of any speaker.
struct TextPart {
  /// UTF-8.
  std::string text = {};
  /// Source references as the dialect wrote them, one JSON object each.
  std::vector<RawJson> citations = {};

  /// As a part of a message, with nothing else about it.
  /// @{
  operator ContentPart() const &;
  operator ContentPart() &&;
  /// @}

  bool operator==(const TextPart &) const = default;
};

/// An image, by bytes, URL or id.
struct ImagePart {
  /// The image itself.
  MediaSource source = {};
  /// "low", "high", "auto", "original"; empty = not given.
  std::string detail = {};

  /// As a part of a message, with nothing else about it.
  /// @{
  operator ContentPart() const &;
  operator ContentPart() &&;
  /// @}

  bool operator==(const ImagePart &) const = default;
};

/// A document, mostly PDF or plain text.
struct DocumentPart {
  /// The document itself.
  MediaSource source = {};
  /// Title or file name; empty = none.
  std::string title = {};
  /// Text about the document that is not its content; empty = none.
  std::string context = {};

  /// As a part of a message, with nothing else about it.
  /// @{
  operator ContentPart() const &;
  operator ContentPart() &&;
  /// @}

  bool operator==(const DocumentPart &) const = default;
};

/// A clip of sound.
struct AudioPart {
  MediaSource source = {};  ///< base64 only
  std::string format = {};  ///< "wav", "mp3"

  /// As a part of a message, with nothing else about it.
  /// @{
  operator ContentPart() const &;
  operator ContentPart() &&;
  /// @}

  bool operator==(const AudioPart &) const = default;
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
  std::string text = {};
  /// Empty = unsigned. [claude: signature] [openai-responses:
  /// encrypted_content] [gemini: thoughtSignature]
  std::string signature = {};
  std::string redacted_data = {};  ///< non-empty = encrypted, `text` is empty
  /// Who made `signature` or `redacted_data`.
  ReasoningIssuer issuer = ReasoningIssuer::unknown;
  /// Name of this piece at its provider [openai-responses: id of the
  /// reasoning item]; empty = none.
  std::string id = {};

  /// As a part of a message, with nothing else about it.
  /// @{
  operator ContentPart() const &;
  operator ContentPart() &&;
  /// @}

  bool operator==(const ThinkingPart &) const = default;
};

/// The model asks for a tool.
struct ToolCallPart {
  /// Ties the result to the call (ToolResultPart::call_id).
  std::string id = {};
  /// ToolDefinition::name of the tool.
  std::string name = {};
  /// JSON text as the model wrote it, possibly broken (a truncated call in
  /// the history); free text for a custom tool.
  std::string arguments = {};
  /// The tool is of kind `custom`: `arguments` is free text.
  bool custom = false;

  /// As a part of a message, with nothing else about it.
  /// @{
  operator ContentPart() const &;
  operator ContentPart() &&;
  /// @}

  bool operator==(const ToolCallPart &) const = default;
};

/// The model's refusal, in its own words.
struct RefusalPart {
  /// UTF-8.
  std::string text = {};

  /// As a part of a message, with nothing else about it.
  /// @{
  operator ContentPart() const &;
  operator ContentPart() &&;
  /// @}

  bool operator==(const RefusalPart &) const = default;
};

/// A part only its own dialect knows (a server tool's result, ...).
struct OpaquePart {
  /// Name of the dialect that knows it.
  std::string dialect = {};
  /// What that dialect calls it ("web_search_tool_result").
  std::string type = {};
  /// The whole part, byte for byte.
  RawJson json = {};

  /// As a part of a message, with nothing else about it.
  /// @{
  operator ContentPart() const &;
  operator ContentPart() &&;
  /// @}

  bool operator==(const OpaquePart &) const = default;
};

/// The answer to a tool call. Stands in a user message. `Part` is ContentPart:
/// the two hold each other, and only a template may wait for that.
template <class Part>
struct BasicToolResultPart {
  /// ToolCallPart::id of the call it answers.
  std::string call_id = {};
  /// Text, images and documents.
  std::vector<Part> content = {};
  /// The tool failed; `content` says how.
  bool is_error = false;

  /// As a part of a message, with nothing else about it.
  /// @{
  operator Part() const & { return {*this}; }
  operator Part() && { return {std::move(*this)}; }
  /// @}

  bool operator==(const BasicToolResultPart &other) const {
    return call_id == other.call_id && content == other.content &&
           is_error == other.is_error;
  }
};
/// The answer to a tool call.
using ToolResultPart = BasicToolResultPart<ContentPart>;

/// One part of a message, with what any part may carry. Each of the parts
/// above becomes one where that is asked for:
///
///   message.content.push_back(TextPart{"What is in this picture?"});
///   message.content.push_back(image_from_bytes(bytes, "image/png"));
struct ContentPart {
  /// Everything that a part can be.
  using Value =
      std::variant<TextPart, ImagePart, DocumentPart, AudioPart, ThinkingPart,
                   ToolCallPart, ToolResultPart, RefusalPart, OpaquePart>;
  /// What it is; see as().
  Value value = {};
  /// The reusable prefix ends behind this part; absent = it does not.
  std::optional<CacheMarker> cache = {};
  /// Members of the part that only its dialect knows.
  Extensions extensions = {};
  /// Where it stood, for messages about losses.
  SourcePlace source = {};

  /// The part as a T, or nullptr. Lives as long as this object.
  /// @{
  template <class T>
  const T *as() const {
    return std::get_if<T>(&value);
  }
  template <class T>
  T *as() {
    return std::get_if<T>(&value);
  }
  /// @}

  bool operator==(const ContentPart &other) const;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
