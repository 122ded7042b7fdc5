// DialectLimits: what a dialect can say and what it cannot, whatever the model:
// one constant row per dialect. fit() (lib/chat/fit.h) reads it, brings a
// canonical request to what the row allows and tells every loss; encoders only
// write what is left. What one model or provider takes is TargetTraits.
//
// A dialect of a host's that is a copy of one of ours keeps its row.
//
// Sources: the references of the APIs, named in lib/dialects/*/limits.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "llmproxy/chat.h"
#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// In which words a dialect asks for thinking.
enum class ThinkingWords : std::uint8_t {
  any,              ///< whatever was asked is sent
  none,             ///< it has none
  effort,           ///< an effort alone [openai-chat: reasoning_effort]
  anthropic,        ///< mode, budget and effort [claude: thinking]
  level_or_budget,  ///< by the model [gemini: thinkingLevel, thinkingBudget]
};

/// What structured output becomes where it cannot be asked for.
enum class FormatFallback : std::uint8_t {
  words,      ///< the model is told, with the schema
  json_mode,  ///< any JSON object is asked for, and the schema told in words
  tool,       ///< a private tool that takes the schema must be called
};

/// What a function's schema must be.
enum class SchemaShape : std::uint8_t {
  any,       ///< sent as it is; none is fine
  required,  ///< sent as it is; without one the empty object's is sent
  object,    ///< an object's; anything else is made one
};

/// What becomes of system turns that stand between others.
enum class SystemTurns : std::uint8_t {
  in_place,  ///< they stay, if the model takes them there; else reminders
  on_top,    ///< there are none: they become reminders in user turns
  placed,    ///< the encoder places them
};

/// One service tier: the canonical word and the dialect's own.
struct TierWord {
  std::string_view canonical = {};  ///< "default"
  std::string_view own = {};        ///< "standard_only"
};

/// One member that is sent unasked. Both live as long as the process.
struct FixedField {
  std::string_view name = {};  ///< "store"
  std::string_view json = {};  ///< "false"
};

/// What a dialect can say. The default is an API that says everything.
struct DialectLimits {
  static constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
  ///< as many as one likes
  /// For losses and errors: "<target> does not take <thing>; dropped".
  std::string_view target = {};  ///< "OpenAI Chat"
  /// Dialects whose requests are of the same body; between them more is kept
  /// than between strangers. Empty = none.
  std::string_view family = {};  ///< "anthropic"
  /// What a model or provider does not take is left out of requests that were
  /// written for this very dialect, too: many providers serve it.
  bool traits_for_own = false;

  // Tokens.
  bool max_tokens_required = false;   ///< a request without is refused
  bool zero_max_tokens = false;       ///< 0 is a call of its own [claude]
  std::int64_t least_max_tokens = 1;  ///< below it is raised
  std::int64_t most_max_tokens =      ///< above it is brought down
      std::numeric_limits<std::int64_t>::max();

  // Sampling.
  bool top_k = true;                     ///< takes top_k
  bool penalties = true;                 ///< frequency and presence penalty
  bool seed = true;                      ///< takes a seed
  bool seed_32_bits = false;             ///< wider seeds are refused
  bool sampling_beside_thinking = true;  ///< temperature, top_p, top_k

  // Stop sequences.
  std::size_t max_stop_sequences = kAny;  ///< 0 = there is no such field
  bool blank_stop_sequences = true;       ///< takes those of white space only

  // Thinking.
  ThinkingWords thinking = ThinkingWords::any;  ///< how it asks for it
  /// What is asked below it switches thinking off.
  Effort least_effort = Effort::none;
  Effort most_effort = Effort::max;  ///< above it: the nearest one
  bool shows_thinking = true;        ///< a summary can be asked for
  bool omits_thinking = false;   ///< "omitted" and the like can be asked for
  bool summary_lengths = false;  ///< "concise" and "detailed" can be asked for

  // Structured output.
  bool text_format = true;           ///< has a word for plain text
  bool json_object = true;           ///< any JSON object can be asked for
  bool json_by_word = false;         ///< only where a message says "JSON"
  bool strict_format = true;         ///< can be told to keep to the schema
  bool format_description = true;    ///< a schema has a description
  bool format_beside_forced = true;  ///< beside a forced call
  bool closed_schemas = false;  ///< objects must say additionalProperties false
  FormatFallback format_fallback = FormatFallback::words;  ///< what is done

  // Tools.
  bool allowed_tools = true;        ///< can say which of them may be called
  bool forbids_calls = true;        ///< tool_choice none
  bool parallel_calls = true;       ///< can be kept from several calls at once
  bool strict_tools = true;         ///< takes `strict` in tools
  bool strict_unless_said = false;  ///< without `strict` a schema is strict
  bool name_spaces = false;         ///< takes tools in namespaces
  bool tools_of_history = false;    ///< calls in the history need their tools
  bool letter_first = false;  ///< names of tools begin with a letter or '_'
  SchemaShape schema = SchemaShape::any;  ///< of functions
  /// Hosted tools of its family that it takes: how their types begin; "" = all.
  std::span<const std::string_view> hosted_tools = {};

  // Content.
  /// Where they stand that come between others.
  SystemTurns system_turns = SystemTurns::in_place;
  bool cache_markers = false;  ///< on parts and tools
  /// Has markers of its own kind, which are not asked for on behalf of clients
  /// of other dialects: it caches by itself [openai-chat].
  bool cache_breakpoints = false;
  bool citations = false;     ///< on texts of the history
  bool image_detail = true;   ///< how closely to look at an image
  bool image_urls = true;     ///< fetches by URL
  bool document_urls = true;  ///< likewise
  /// URLs in requests that are made for it are files it knows [gemini].
  bool own_urls = false;
  bool audio = true;               ///< takes sound of other dialects
  bool document_context = true;    ///< DocumentPart::context
  bool plain_texts = false;        ///< has no other type of texts in documents
  bool message_names = false;      ///< `name` in messages
  bool message_extensions = true;  ///< unknown members of messages
  bool file_names = true;          ///< files have a name or a title
  /// Whose thinking its models read again. That of others is dropped, and that
  /// of nobody known where another dialect wrote it. unknown = anybody's.
  ReasoningIssuer thinking_of = ReasoningIssuer::unknown;
  /// Takes earlier thinking as text; false = only where a model's traits say
  /// so [openai-chat].
  bool thinking_text = true;
  /// Takes thinking that nobody signed, in requests made for it; false = only
  /// where the model is not Anthropic's [bedrock-converse].
  bool unsigned_thinking = true;
  bool thinking_ids = false;  ///< unsigned thinking may have an id it knows
  /// The dialect whose OpaqueParts it takes; empty = none.
  std::string_view opaque_parts = {};
  /// The types of those it takes from others than itself; empty = all.
  std::span<const std::string_view> opaque_types = {};

  // Whose call it is.
  bool user_id = true;             ///< takes an id of the end user
  std::size_t max_user_id = kAny;  ///< characters; longer ones are dropped
  bool service_tier = true;        ///< false: only its own clients' is sent
  /// Tiers it has; empty = it is told any.
  std::span<const TierWord> tiers = {};
  /// Tiers that an answer may say it was served by; others are told.
  std::span<const TierWord> used_tiers = {};

  /// Members that dialects of the same family read alike.
  std::span<const std::string_view> family_fields = {};
  /// Members that are added for clients of other dialects and for programs,
  /// unless they say them.
  std::span<const FixedField> added_fields = {};
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
