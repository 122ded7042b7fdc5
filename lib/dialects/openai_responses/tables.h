// OpenAI Responses: the vocabulary. One row per spelling and scalar, read and
// written alike. Source: OpenAI API reference, "Responses", and the types of
// npm openai 7.55.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/enum_table.h"
#include "dialects/functions.h"
#include "dialects/openai_family/errors.h"
#include "dialects/openai_family/tables.h"
#include "json/fields.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"

namespace llmproxy::openai_responses {

inline constexpr std::string_view kName = "openai-responses";
/// The API's name in losses.
inline constexpr std::string_view kTarget = "OpenAI Responses";

/// What it can say: limits.cc.
extern const DialectLimits kLimits;

using openai_family::kEfforts;
using openai_family::kFormats;
using openai_family::kRoles;
using openai_family::read_error;

inline constexpr auto kToolChoices = enum_table<ToolChoiceMode>({
    {ToolChoiceMode::automatic, "auto"},
    {ToolChoiceMode::none, "none"},
    {ToolChoiceMode::required, "required"},
});

// Why an answer is incomplete; after any other stop it is complete.
inline constexpr auto kIncomplete = enum_table<StopReason>({
    {StopReason::max_tokens, "max_output_tokens"},
    {StopReason::context_window, "max_output_tokens"},
    {StopReason::refusal, "content_filter"},
});

inline constexpr std::array kScalars = {
    json::ScalarField<ChatRequest>{"temperature", &ChatRequest::temperature, 0,
                                   2},
    json::ScalarField<ChatRequest>{"top_p", &ChatRequest::top_p, 0, 1},
};

/// Fields that say how the provider keeps or shows an answer: they mean
/// nothing to others, so leaving them out is no loss.
inline constexpr std::array<std::string_view, 6> kNeutral = {
    "store",          "include",    "truncation",
    "stream_options", "background", "top_logprobs"};

/// Values that say nothing.
using openai_family::Default;
inline constexpr std::array kDefaults = {
    Default{"metadata", "{}"},
    Default{"prompt_cache_options", "{}"},
};

/// What lives at the provider: without it the request means something else.
inline constexpr std::array<std::string_view, 3> kEssential = {
    "previous_response_id", "conversation", "prompt"};

/// Marks members of the item around a part, of a tool's namespace, and of
/// the nested objects `text` and `reasoning`.
inline constexpr std::string_view kItemPrefix = "item/";
inline constexpr std::string_view kNamespacePrefix = "namespace/";
inline constexpr std::string_view kTextPrefix = "text/";
/// The summary of usual length, and those that are words of chat.h's as well.
/// [reasoning.summary]
inline constexpr std::string_view kSummary = "auto";
inline constexpr std::array<std::string_view, 2> kSummaryLengths = {"concise",
                                                                    "detailed"};

inline constexpr std::string_view kReasoningPrefix = "reasoning/";

/// service_tier of answers, which all have one: this one tells nothing.
inline constexpr std::array kUsedTiers = {TierWord{"", "auto"}};

LLMPROXY_DIALECT_FUNCTIONS;
RawJson echo(const json::Value& body);
bool is_echoed(std::string_view name);
/// Writes what was kept of the request, and what stands there without.
void write_echo(const RequestContext& context, json::Writer& writer);

// Pieces that the plain answer and the stream share.

/// The member `error` of a response; nullptr = it has not failed.
void write_response_error(const Error* error, json::Writer& writer);
/// The members of an `error` event.
void write_stream_error(const Error& error, json::Writer& writer);
Usage read_usage(const json::Value& usage);
/// The tier that an answer was made in; empty = it does not tell.
std::string_view tier_of(const json::Value& response);
/// How an answer ended, by `status` and `incomplete_details`; see
/// settled_stop() for answers with calls.
StopReason stop_reason(const json::Value& response);
/// The provider's own word for it.
/// Members of an answer that only this dialect has.
Extensions others_of(const json::Value& response);
std::string_view stop_word(const json::Value& response);
/// "resp_..." for any response id. One of that form which the caller chose for
/// the answer stands in its place: answers are kept and asked for by it.
std::string response_id(const RequestContext& context, std::string_view id);

/// One answer while it is written, item by item.
struct Answer {
  std::string id;  ///< as the client sees it
  std::string model;
  std::string_view status;  ///< in_progress, completed, incomplete, failed
  std::int64_t created = 0;
  std::string service_tier;
  std::string output;  ///< finished items, joined by commas
  StopReason stop_reason = StopReason::end_turn;
  const Usage* usage = nullptr;
  const Error* error = nullptr;
  const Extensions* extensions = nullptr;

  /// Where the next item begins in `output`.
  std::size_t begin_item();
  /// Says how it ended; adds what the status cannot say of that.
  void finish(StopReason reason, std::string_view stop_sequence,
              bool refused_in_words, Losses& losses);
};
/// The whole response object.
void write_answer(const Answer& answer, const RequestContext& context,
                  json::Writer& writer);
/// Id of the item of a part at `index`: "msg_", "fc_", "rs_" ... and the
/// answer's own.
std::string item_id(const ContentPart& part, std::string_view answer_id,
                    std::size_t index);
/// One output item. `part` gives the kind, ids and names; texts may be empty.
struct Item {
  const ContentPart& part;
  std::string_view id;
  std::string_view status;
  bool citations = true;  ///< those of a text are written
};
void write_item(const Item& item, const RequestContext& context,
                json::Writer& writer);
/// A piece of the content of a message, or of a summary.
void write_piece(std::string_view type, std::string_view text,
                 std::span<const RawJson> citations, json::Writer& writer);
/// The member `summary`: `text`, if it says something.
void write_summary(std::string_view text, json::Writer& writer);
/// Items of such a type are calls of functions, and what they say.
bool is_call(std::string_view type);
ToolCallPart call_of(const json::Value& item);
/// The parts of one output item, appended.
void read_output_item(const json::Value& item, std::vector<ContentPart>& out);

}  // namespace llmproxy::openai_responses
