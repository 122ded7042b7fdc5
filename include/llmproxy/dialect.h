// Dialect: a constant description of one wire API and its grid of functions,
// decode and encode of request, response, error and stream.
//
// Hub and spoke: every dialect translates to and from the canonical model
// (chat.h, stream.h); no dialect knows another. A dialect is one folder in
// lib/dialects/ and one line in lib/dialects/dialects.def, or a host's own,
// see register_dialect().
//
// Descriptors are constants and thread-safe; they live as long as the process.
// Most users call translate.h.
//
//   const Dialect* dialect = find_dialect("claude");
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/chat.h"
#include "llmproxy/dialect_limits.h"
#include "llmproxy/export.h"
#include "llmproxy/http.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"
#include "llmproxy/stream.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

namespace json {
class Value;
}

// llmproxy/dialect_serving.h
struct ClientMark;
struct CountTokens;
struct DialectHeaders;
struct DialectSetup;
struct ModelListShape;
struct SealedMembers;
struct SystemShape;

/// Which thinking requests a model takes.
enum class ThinkingStyle : std::uint8_t {
  none,      ///< no thinking parameter
  budget,    ///< thinking.enabled with budget_tokens
  adaptive,  ///< thinking.adaptive and effort
  both,      ///< budget or adaptive
  level,     ///< a level of effort only [gemini: thinkingLevel]
};

/// What one model behind one provider takes. Filled from the model table
/// (lib/dialects/models.cc) and the provider's row; hosts may override.
struct TargetTraits {
  bool sampling = true;       ///< takes temperature, top_p, top_k
  bool sampling_pair = true;  ///< takes temperature and top_p together
  /// The highest temperature it takes; the least is 0.
  double max_temperature = 2.0;
  bool prefill = true;             ///< takes a trailing assistant message
  bool system_in_messages = true;  ///< takes system turns between others
  bool structured_output = true;   ///< takes a JSON schema natively
  /// Which thinking requests it takes.
  ThinkingStyle thinking = ThinkingStyle::adaptive;
  /// Sent when the dialect demands a limit and the client gave none; tokens.
  std::int64_t default_max_tokens = 8192;
  bool max_completion_tokens = true;  ///< false: only the old `max_tokens`
  bool stream_usage = true;           ///< takes stream_options.include_usage
  bool reasoning_content = false;     ///< takes reasoning text in the history
  bool cache_markers = false;         ///< takes cache_control on content parts
  bool tool_result_images = false;    ///< takes images inside tool results
  bool image_urls = true;             ///< fetches images by URL itself
  bool penalties = true;              ///< takes frequency, presence penalty
  bool stop_sequences = true;         ///< takes stop sequences
  bool user_field = true;             ///< takes the end user's id
  bool seed = true;                   ///< takes a seed
  bool random_seed = false;           ///< the seed is called `random_seed`
  bool message_names = true;          ///< takes `name` in messages
  bool strict_tools = true;           ///< takes `strict` in tools
  bool custom_tools = true;           ///< takes tools with free text
  bool nine_char_call_ids = false;    ///< call ids are 9 letters and digits
  /// Takes tools and a JSON response format in one request.
  bool tools_with_format = true;
  /// The least a model may think, where it always does; tokens.
  std::int64_t min_thinking_budget = 0;
  /// The least budget that it takes, where it can also not think; tokens.
  std::int64_t least_thinking_budget = 0;
  /// The most it takes, where thinking is asked for by a budget; tokens.
  std::int64_t max_thinking_budget = std::numeric_limits<std::int64_t>::max();
  /// Efforts it takes; what lies outside becomes the nearest one.
  Effort least_effort = Effort::none;
  Effort most_effort = Effort::max;  ///< likewise
  bool minimal_effort = true;        ///< takes `minimal`, where it lies between
  bool xhigh_effort = true;          ///< takes `xhigh`, likewise
  bool none_effort = false;          ///< takes `none`, maybe even unasked
  bool thinking_off = true;          ///< takes thinking switched off [claude]
  /// Takes thinking, top_k and the end user's id as Anthropic's API calls
  /// them, where the dialect itself has no place for them [bedrock-converse].
  bool anthropic_fields = true;

  bool operator==(const TargetTraits&) const = default;
};

/// What an answer's translation must know of the client's request. Made by
/// translate_request; a plain value.
struct RequestContext {
  /// The client wants a stream.
  bool stream = false;
  /// As ChatRequest::include_usage.
  bool include_usage = false;
  /// As ChatRequest::legacy_functions.
  bool legacy_functions = false;
  /// Model name the client used.
  std::string model = {};
  /// Model name to answer with, where the client's is an alias; empty = the
  /// one the upstream reports.
  std::string answer_model = {};
  /// (name sent upstream, name the client knows) where they differ.
  struct Alias {
    /// Name the upstream knows.
    std::string sent = {};
    /// Name the client knows.
    std::string original = {};
    bool operator==(const Alias&) const = default;
  };
  /// Tools whose names the target would not take.
  std::vector<Alias> tool_aliases = {};
  /// Every tool the client declared, by its own name.
  std::vector<std::string> declared_tools = {};
  /// Those of them whose arguments are free text.
  std::vector<std::string> custom_tools = {};
  /// Those of them that the client declared in a namespace.
  struct NamespacedTool {
    std::string full = {};        ///< its name in the canonical model
    std::string name_space = {};  ///< as the client wrote it
    std::string name = {};        ///< within the namespace
    bool operator==(const NamespacedTool&) const = default;
  };
  /// Tools that the client declared in a namespace.
  std::vector<NamespacedTool> namespaced_tools = {};
  /// The stream is one JSON array, not events [gemini without alt=sse].
  bool json_array = false;
  /// Members of the request that answers repeat, one JSON object [Dialect::
  /// echo]; empty = none.
  RawJson echo = {};
  /// Private tool standing in for structured output; empty = none.
  std::string json_tool = {};
  /// As ChatRequest::stop_sequences.
  std::vector<std::string> stop_sequences = {};
  /// Unix seconds for dialects that stamp answers; 0 = leave the upstream's.
  std::int64_t created = 0;
  /// Id for answers of upstreams that give none.
  std::string answer_id = {};
  /// Estimate used where a dialect reports input tokens before the upstream.
  std::int64_t estimated_input_tokens = 0;

  bool operator==(const RequestContext&) const = default;
};

/// What an encoder may be told to do about things the target refuses.
struct EncodeOptions {
  /// What the model takes.
  TargetTraits traits = {};
  /// Out-of-range sampling values are brought into range, not refused.
  bool clamp_sampling = false;
  /// Hosted tools the target lacks are dropped beside others, not refused.
  bool drop_hosted_tools = false;
  /// A trailing assistant message the model refuses is dropped.
  bool drop_prefill = false;
};

/// The URL part of a request, for dialects that keep the model there.
struct RequestHead {
  std::string_view path = {};   ///< "/v1/messages", still percent-encoded
  std::string_view query = {};  ///< without "?"
  /// For those who have no path: what it would say. Empty = see the path.
  std::string_view model = {};
  /// For those who have no path: a stream is wanted.
  bool stream = false;
};

/// How a stream's events are told apart on the wire.
enum class Framing : std::uint8_t {
  sse,           ///< server-sent events
  event_stream,  ///< application/vnd.amazon.eventstream
};

/// How a path says whether the answer is a stream.
enum class StreamChoice : std::uint8_t {
  in_body,  ///< the member `stream`
  never,    ///< requests at this path want a whole answer
  always,   ///< requests at this path want a stream
};

/// What a path is for.
enum class Operation : std::uint8_t {
  chat,         ///< an answer of the model's
  count_tokens  ///< how many tokens the request has
};

/// One path that clients of a dialect ask at. "{model}" stands for the
/// percent-encoded model.
struct ClientPath {
  std::string_view pattern = {};  ///< "/v1beta/models/{model}:generateContent"
  /// What it is for.
  Operation operation = Operation::chat;
  /// Whether its answers are streams.
  StreamChoice stream = StreamChoice::in_body;
};

/// What the encoders call a top-level field of the canonical request, and
/// where it stands in this dialect: losses and errors name what the client
/// wrote. Both are JSON pointers; what is below them keeps its name. A row
/// that begins with "*" is about the end of a path, wherever that is.
struct FieldName {
  std::string_view canonical = {};  ///< "/stop"
  std::string_view own = {};        ///< "/generationConfig/stopSequences"
  /// A top-level member that says the same where `own` is not there: "/user".
  std::string_view also = {};
};

/// A header that every request of a dialect carries.
struct FixedHeader {
  std::string_view name = {};   ///< "anthropic-version"
  std::string_view value = {};  ///< "2023-06-01"
};

/// One wire API. Output parameters are appended to, never cleared.
struct Dialect {
  std::string_view name = {};   ///< "openai-chat"
  std::string_view title = {};  ///< "OpenAI Chat Completions"
  /// What its decoders call it: ChatRequest::dialect, OpaquePart::dialect.
  /// Dialects that share it read and write the same body, so a copy keeps that
  /// of its original. Empty = `name`; see wire_name().
  std::string_view wire = {};
  /// Another name for it: its vendor's ["anthropic"].
  std::string_view vendor = {};
  /// The vendor's API that it is a part of ["the OpenAI API"]: endpoints of
  /// that API which are no chats lead to backends that speak it.
  std::string_view api = {};
  /// Whose rows of the model table hold (lib/dialects/models.cc); none = those
  /// of `wire`.
  std::span<const std::string_view> model_rows = {};
  /// Its upstreams fetch images by URL, where their models take any.
  bool image_urls = true;
  /// Endpoint behind a base URL as the vendor writes it; "{model}" stands for
  /// the percent-encoded model.
  std::string_view upstream_path = {};  ///< "/chat/completions"
  /// The same for streams, with its query; empty = the same endpoint.
  std::string_view upstream_stream_path = {};
  /// Beside content type and accept, whoever serves it; keys are a provider's.
  std::span<const FixedHeader> upstream_headers = {};
  /// As we serve it; the first is the usual one.
  std::span<const ClientPath> client_paths = {};
  /// Where clients ask for an answer that was kept, by its id behind it
  /// ["/v1/responses/"]; empty = answers are not kept.
  std::string_view stored_path = {};
  /// How clients are known where a path does not tell.
  std::span<const ClientMark> marks = {};
  /// Canonical field names (those of openai-chat; where it has none those of
  /// claude) that differ here.
  std::span<const FieldName> field_names = {};
  /// Objects within requests whose unknown members its decoders keep, by names
  /// with a '/' between ["inferenceConfig"].
  std::span<const std::string_view> nested_objects = {};
  /// nullptr = those of a default DialectHeaders.
  const DialectHeaders* headers = nullptr;
  /// nullptr = as a default DialectSetup says.
  const DialectSetup* setup = nullptr;
  /// nullptr = as a default CountTokens says: counts are estimates.
  const CountTokens* count_tokens = nullptr;
  /// nullptr = upstreams have no list; clients get that of the first dialect.
  const ModelListShape* model_list = nullptr;
  /// nullptr = system prompts are not edited.
  const SystemShape* system_shape = nullptr;
  /// nullptr = seals of other providers are left alone.
  const SealedMembers* seals = nullptr;
  /// Of its streams.
  Framing framing = Framing::sse;
  /// Value of content-type for its streams.
  std::string_view stream_content_type = {};
  /// Characters a tool name may have; above it names are aliased.
  std::size_t max_tool_name = 64;
  /// Has tools of kind `custom`; else they become functions with one string.
  bool custom_tools = false;
  /// What it can say. nullptr = everything: requests are not fitted to it, but
  /// for the model's traits.
  const DialectLimits* limits = nullptr;

  /// A client's body, and its path, as a canonical request. Errors:
  /// invalid_request with the place.
  Result<ChatRequest> (*decode_request)(const json::Value& body,
                                        const RequestHead& head);
  /// A canonical request as a body; `context` is told what the answer's
  /// translation must know. Errors: unsupported, invalid_request.
  Result<void> (*encode_request)(const ChatRequest& request,
                                 const EncodeOptions& options,
                                 RequestContext& context, std::string& out,
                                 Losses& losses);
  /// An upstream's body as a canonical answer. Errors: upstream_malformed.
  Result<ChatResponse> (*decode_response)(const json::Value& body,
                                          Losses& losses);
  /// A canonical answer as a body for the client.
  void (*encode_response)(const ChatResponse& response,
                          const RequestContext& context, std::string& out,
                          Losses& losses);
  /// `body` may be anything: JSON of any shape, HTML, nothing.
  Error (*decode_error)(int status, const Headers& headers,
                        std::string_view body);
  /// True for a JSON body in the form of this dialect's own errors.
  bool (*is_error)(const json::Value& body);
  /// Returns the HTTP status that this dialect's clients expect.
  int (*encode_error)(const Error& error, std::string& out);
  /// For one stream of an upstream's; never null.
  std::unique_ptr<StreamDecoder> (*new_stream_decoder)(
      const RequestContext& context);
  /// For one stream to a client; never null.
  std::unique_ptr<StreamEncoder> (*new_stream_encoder)(
      const RequestContext& context);
  /// What an answer cost, where no more of it is asked for: it is passed on as
  /// it is. nullptr = decode_response tells, and so it does in a copy that has
  /// another decode_response than its original, but the same read_usage.
  Usage (*read_usage)(const json::Value& body) = nullptr;
  /// RequestContext::echo for a request's body; nullptr = answers repeat
  /// nothing.
  RawJson (*echo)(const json::Value& body) = nullptr;

  /// The name that canonical values know it by.
  std::string_view wire_name() const { return wire.empty() ? name : wire; }
  /// The model is in the path, not in the body.
  bool model_in_path() const {
    return upstream_path.find("{model}") != std::string_view::npos;
  }
};

/// What a request's path says.
struct PathMatch {
  /// The pattern that fits. Lives as long as the dialect.
  const ClientPath* path = nullptr;
  std::string model = {};  ///< decoded; empty where the body has it
};
/// `path` as one of the dialect's client_paths; nullopt = none of them.
std::optional<PathMatch> match_path(const Dialect& dialect,
                                    std::string_view path);
/// What the end of an upstream's URL says.
struct UpstreamMatch {
  std::string model = {};  ///< decoded; empty where the body has it
  bool stream = false;     ///< meaningful where there is a path for streams
};
/// A URL or path that ends in the dialect's upstream_path or
/// upstream_stream_path, whatever its query; nullopt = it does not.
std::optional<UpstreamMatch> match_upstream(const Dialect& dialect,
                                            std::string_view path);
/// The endpoint behind a base URL for a model, query included.
std::string upstream_path(const Dialect& dialect, std::string_view model,
                          bool stream);
/// What such a request carries for whoever serves the dialect: the type of its
/// body, that of the answer it wants (`stream`: events), upstream_headers. No
/// key.
Headers upstream_headers(const Dialect& dialect, bool stream);

/// Every dialect: the built-in ones, in the order of dialects.def, then those
/// that were registered.
std::span<const Dialect* const> dialects();
/// Most dialects there can be, the built-in ones included.
inline constexpr std::size_t kMaxDialects = 64;
/// Adds a dialect of the host's to the process: translation, providers,
/// configuration files and the gateway's paths know it from then on by its
/// name. `dialect` must live as long as the process, and so must what it
/// points to.
///
/// Often it is a copy of a built-in one under another name and other paths, or
/// with some functions replaced. A copy has all that its original has: chats
/// and streams, counting, lists of models, passed headers, edits of system
/// prompts, limits and models; it has to bring client_paths of its own, and
/// ModelListShape::client_paths where its clients ask for lists elsewhere. One
/// whose decoders call it something else than the original's sets `wire`. What
/// a dialect made from nothing leaves out has a default: counts are estimates,
/// lists of models are OpenAI's.
///
/// Not synchronised: call it at start-up, before other threads use the
/// library. False = the name is empty or taken, a function is missing, or
/// there is no room.
bool register_dialect(const Dialect& dialect);

// For functions of such a dialect, which may read JSON in their own way:
/// Exact text of a value. It lives as long as the body it is part of.
std::string_view json_text(const json::Value& value);
/// The same, to keep: it was checked when it was read.
RawJson raw_json(const json::Value& value);
/// An answer's body as `dialect` reads it. Errors: upstream_malformed.
Result<ChatResponse> decode_response(const Dialect& dialect,
                                     std::string_view body, Losses& losses);

/// By name, or by its vendor's ("anthropic": claude); nullptr = there is none.
const Dialect* find_dialect(std::string_view name);
/// What `model` takes when it is reached through `dialect`.
TargetTraits traits_for(const Dialect& dialect, std::string_view model);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
