// Gemini generateContent: the vocabulary. One row per spelling, read and
// written alike. Source: Gemini API reference, "Generating content", and the
// types of npm @google/genai 2.32.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/enum_table.h"
#include "chat/answer_end.h"
#include "chat/step_seal.h"
#include "dialects/functions.h"
#include "json/fields.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"

namespace llmproxy::gemini {

inline constexpr std::string_view kName = "gemini";
inline constexpr std::string_view kTitle = "Gemini";

/// What it can say: limits.cc.
extern const DialectLimits kLimits;

// Results of functions stood in a role of their own in old clients; who says
// nothing is the user.
inline constexpr auto kRoles = enum_table<Role>({
    {Role::user, "user"},
    {Role::user, ""},
    {Role::user, "function"},
    {Role::assistant, "model"},
    {Role::assistant, "assistant"},
});

inline constexpr auto kLevels = enum_table<Effort>({
    {Effort::minimal, "minimal"},
    {Effort::low, "low"},
    {Effort::medium, "medium"},
    {Effort::high, "high"},
    {Effort::xhigh, "xhigh"},
});

inline constexpr auto kStopReasons = enum_table<StopReason>({
    {StopReason::end_turn, "STOP"},
    {StopReason::tool_use, "STOP"},
    {StopReason::stop_sequence, "STOP"},
    {StopReason::pause, "STOP"},
    {StopReason::max_tokens, "MAX_TOKENS"},
    {StopReason::context_window, "MAX_TOKENS"},
    {StopReason::refusal, "SAFETY"},
    {StopReason::refusal, "RECITATION"},
    {StopReason::refusal, "BLOCKLIST"},
    {StopReason::refusal, "PROHIBITED_CONTENT"},
    {StopReason::refusal, "SPII"},
    {StopReason::refusal, "LANGUAGE"},
    {StopReason::refusal, "IMAGE_SAFETY"},
    {StopReason::refusal, "IMAGE_PROHIBITED_CONTENT"},
    {StopReason::refusal, "IMAGE_RECITATION"},
    {StopReason::other, "OTHER"},
});
static_assert(covers(kStopReasons, kLastStopReason));
inline constexpr StopWords kStopWords = {kTitle, "finishReason is STOP",
                                         "finishReason is MAX_TOKENS"};

/// serviceTier.
inline constexpr std::array kTiers = {TierWord{"default", "standard"},
                                      TierWord{"flex", "flex"},
                                      TierWord{"priority", "priority"}};

/// Members of generationConfig.
using Scalar = json::ScalarField<ChatRequest>;
inline constexpr std::array kLimitScalars = {
    Scalar{"maxOutputTokens", &ChatRequest::max_output_tokens, 1, INT32_MAX}};
inline constexpr std::array kScalars = {
    Scalar{"temperature", &ChatRequest::temperature, 0, 2},
    Scalar{"topP", &ChatRequest::top_p, 0, 1},
    Scalar{"topK", &ChatRequest::top_k, 0, INT32_MAX},
    Scalar{"presencePenalty", &ChatRequest::presence_penalty, -2, 2},
    Scalar{"frequencyPenalty", &ChatRequest::frequency_penalty, -2, 2},
    Scalar{"seed", &ChatRequest::seed, -9.3e18, 9.3e18},
};

// Both spellings of a name count, "topP" and "top_p" (proto3 JSON mapping);
// what is written is camelCase.

bool is_named(std::string_view name, std::string_view camel);
/// The member, in either spelling; both then count as known.
json::Value take(json::ObjectReader& reader, std::string_view camel);
json::Value get(const json::Value& object, std::string_view camel);

/// Mark extensions that stood in an object of the request, as the client
/// spells it.
inline constexpr std::string_view kConfigPrefix = "generationConfig/";
inline constexpr std::string_view kSnakeConfigPrefix = "generation_config/";
inline constexpr std::string_view kToolConfigPrefix = "toolConfig/";
/// Set where the client asks for a mode that has no canonical form.
inline constexpr std::string_view kModeField =
    "toolConfig/functionCallingConfig/mode";
inline constexpr std::string_view kJson = "application/json";
/// What Google documents for calls of a history that its models did not make;
/// the first one is written. Its Python client sends them as bytes: base64.
inline constexpr std::string_view kNoSignatures[] = {
    "skip_thought_signature_validator",
    "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
    "context_engineering_is_the_way_to_go",
    "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv"};

LLMPROXY_DIALECT_FUNCTIONS;
/// The object inside "error", shared by error bodies and stream errors.
Error read_error(const json::Value& object, int status);

// Pieces that requests, answers and streams share.

/// One part of a turn.
struct TurnPiece {
  /// A canonical part, and a signature before it where it carries one (see
  /// ThinkingPart), but for a seal. Empty texts give nothing.
  std::vector<ContentPart> parts;
  /// The thinking of a step that is sealed into the signature.
  std::vector<StepThought> step;
};
Result<TurnPiece> read_part(const json::Value& part, const std::string& path);
/// A schema in Google's own form as JSON Schema.
RawJson json_schema_of(const json::Value& schema);

Usage read_usage(const json::Value& usage);
void write_usage(const Usage& usage, json::Writer& writer);
/// What a finishReason means; see settled_stop() for answers with calls.
StopReason stop_reason(std::string_view finish_reason);
/// Members of an answer, and of a candidate, that are read or describe the
/// call.
inline constexpr std::string_view kAnswer[] = {
    "responseId", "modelVersion", "usageMetadata",  "candidates",
    "createTime", "modelStatus",  "promptFeedback", "sdkHttpResponse"};
inline constexpr std::string_view kCandidate[] = {
    "index",         "content",       "role",        "finishReason",
    "safetyRatings", "finishMessage", "avgLogprobs", "tokenCount"};
/// Why a candidate ends, in words: what explains a refusal; else nobody has a
/// place for it.
std::string_view explanation_of(const json::Value& candidate);
/// What the client of a blocked prompt is told.
std::string block_explanation(const json::Value& prompt_feedback);
/// The answer, or a call in it, could not be read: without a call that could be
/// it is a failure, whatever was said before it: who waits for one would take
/// the answer for finished.
std::optional<Error> broken_answer(const json::Value& candidate, bool called);
/// Adds what usageMetadata cannot say.
void lose_usage_details(const Usage& usage, Losses& losses);

/// What stands around the parts of an answer, whole or a piece of a stream;
/// `others` are the extensions of the answer, if they are of this dialect.
void begin_candidate(json::Writer& writer);
void end_candidate(std::string_view finish_reason, const Extensions* others,
                   json::Writer& writer);

/// The members of parts, in requests and answers. Signatures stand on the parts
/// that Google's servers sign: its own on the part behind them, a step's sealed
/// thinking on the first call or, where nothing is called, on the last text.
class PartWriter {
 public:
  explicit PartWriter(json::Writer& writer) : w_(writer) {}

  void write_text(std::string_view text);
  /// Bytes, or where they are; `name` may be empty.
  void write_media(bool bytes, std::string_view media_type,
                   std::string_view data, std::string_view name = {});
  /// `args` is an object.
  void write_tool_call(const ToolCallPart& call, std::string_view args);
  /// `signature` is of these words.
  void write_thinking(std::string_view text, std::string_view signature);

  /// Of the part that comes next.
  void sign(std::string_view signature) { signature_ = signature; }
  bool is_signed() const { return !signature_.empty(); }
  /// A thought of an answer: what is not Google's own is kept for the step's
  /// end. True when its signature goes onto its words.
  bool keep(ThinkingPart thinking);
  /// The next part ends the step; the last text of an answer does so only
  /// where there is thinking of no use without its signature.
  void end_step();
  bool end_answer();

  StepSeal seal;  ///< of answers

 private:
  void write_signature();

  json::Writer& w_;
  std::string signature_;
};

}  // namespace llmproxy::gemini
