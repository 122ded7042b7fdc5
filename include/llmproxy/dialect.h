// Dialect: a constant description of one wire API and its grid of functions,
// decode and encode of request, response, error and stream.
//
// Hub and spoke: every dialect translates to and from the canonical model
// (chat.h, stream.h); no dialect knows another. A dialect is one folder in
// lib/dialects/ and one line in lib/dialects/dialects.def.
//
// Descriptors are constants and thread-safe. Most users call translate.h.
//
//   const Dialect* dialect = find_dialect("claude");
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/chat.h"
#include "llmproxy/http.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"
#include "llmproxy/stream.h"

namespace llmproxy {

namespace json {
class Value;
}

/// Which thinking requests a model takes.
enum class ThinkingStyle : std::uint8_t {
  none,      ///< no thinking parameter
  budget,    ///< thinking.enabled with budget_tokens
  adaptive,  ///< thinking.adaptive and effort
  both,
};

/// What one model behind one provider takes. Filled from the model table
/// (lib/dialects/models.cc) and the provider's row; hosts may override.
struct TargetTraits {
  bool sampling = true;       ///< takes temperature, top_p, top_k
  bool sampling_pair = true;  ///< takes temperature and top_p together
  double max_temperature = 2.0;
  bool prefill = true;             ///< takes a trailing assistant message
  bool system_in_messages = true;  ///< takes system turns between others
  bool structured_output = true;   ///< takes a JSON schema natively
  ThinkingStyle thinking = ThinkingStyle::adaptive;
  /// Sent when the dialect demands a limit and the client gave none; tokens.
  std::int64_t default_max_tokens = 8192;
  bool max_completion_tokens = true;  ///< false: only the old `max_tokens`
  bool stream_usage = true;           ///< takes stream_options.include_usage
  bool reasoning_content = false;     ///< takes reasoning text in the history
  bool cache_markers = false;         ///< takes cache_control on content parts
  bool tool_result_images = false;    ///< takes images inside tool results

  bool operator==(const TargetTraits&) const = default;
};

/// What an answer's translation must know of the client's request. Made by
/// translate_request; a plain value.
struct RequestContext {
  bool stream = false;
  bool include_usage = false;
  bool legacy_functions = false;
  /// Model name the client used.
  std::string model;
  /// Model name to answer with, where the client's is an alias; empty = the
  /// one the upstream reports.
  std::string answer_model;
  /// (name sent upstream, name the client knows) where they differ.
  struct Alias {
    std::string sent;
    std::string original;
    bool operator==(const Alias&) const = default;
  };
  std::vector<Alias> tool_aliases;
  /// Every tool the client declared, by its own name.
  std::vector<std::string> declared_tools;
  /// Those of them whose arguments are free text.
  std::vector<std::string> custom_tools;
  /// Private tool standing in for structured output; empty = none.
  std::string json_tool;
  std::vector<std::string> stop_sequences;
  /// Unix seconds for dialects that stamp answers; 0 = leave the upstream's.
  std::int64_t created = 0;
  /// Id for answers of upstreams that give none.
  std::string answer_id;
  /// Estimate used where a dialect reports input tokens before the upstream.
  std::int64_t estimated_input_tokens = 0;

  bool operator==(const RequestContext&) const = default;
};

/// What an encoder may be told to do about things the target refuses.
struct EncodeOptions {
  TargetTraits traits;
  /// Out-of-range sampling values are brought into range, not refused.
  bool clamp_sampling = false;
  /// Hosted tools the target lacks are dropped, not refused.
  bool drop_hosted_tools = false;
  /// A trailing assistant message the model refuses is dropped.
  bool drop_prefill = false;
};

/// The URL part of a request, for dialects that keep the model there.
struct RequestHead {
  std::string_view path;   ///< "/v1/messages"
  std::string_view query;  ///< without "?"
};

enum class Framing : std::uint8_t { sse };

/// One wire API. Output parameters are appended to, never cleared.
struct Dialect {
  std::string_view name;   ///< "openai-chat"
  std::string_view title;  ///< "OpenAI Chat Completions"
  /// Endpoint behind a base URL as the vendor writes it, and as we serve it.
  std::string_view upstream_path;  ///< "/chat/completions"
  std::string_view client_path;    ///< "/v1/chat/completions"
  Framing framing;
  std::string_view stream_content_type;
  /// Characters a tool name may have; above it names are aliased.
  std::size_t max_tool_name;
  /// Has tools of kind `custom`; else they become functions with one string.
  bool custom_tools;

  Result<ChatRequest> (*decode_request)(const json::Value& body,
                                        const RequestHead& head);
  Result<void> (*encode_request)(const ChatRequest& request,
                                 const EncodeOptions& options,
                                 RequestContext& context, std::string& out,
                                 Losses& losses);
  Result<ChatResponse> (*decode_response)(const json::Value& body,
                                          Losses& losses);
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
  std::unique_ptr<StreamDecoder> (*new_stream_decoder)(
      const RequestContext& context);
  std::unique_ptr<StreamEncoder> (*new_stream_encoder)(
      const RequestContext& context);
};

/// Every dialect, in the order of dialects.def.
std::span<const Dialect* const> dialects();
/// By name, or nullptr.
const Dialect* find_dialect(std::string_view name);
/// What `model` takes when it is reached through `dialect`.
TargetTraits traits_for(const Dialect& dialect, std::string_view model);

}  // namespace llmproxy
