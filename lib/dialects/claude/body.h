// Anthropic's body for those who host it: the Messages API itself, and Bedrock
// which wraps it. What differs is in a Host; everything else is shared.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "chat/stream_reader.h"
#include "dialects/claude/tables.h"
#include "wire/framer.h"

namespace llmproxy::claude {

struct Host {
  std::string_view dialect;
  std::string_view title;  ///< for losses: "Anthropic"
  /// Written as anthropic_version; such hosts have the model and `stream` in
  /// the path. Empty = not of the body.
  std::string_view version = {};
};

inline constexpr Host kAnthropic = {.dialect = kName, .title = "Anthropic"};

/// All of a request but the model and `stream`; `reader` has taken what the
/// caller knows already.
Result<void> read_body(json::ObjectReader& reader, ChatRequest& request);
/// A fitted request.
Result<void> write_body(const ChatRequest& request,
                        const EncodeOptions& options, const Host& host,
                        std::string& out, Losses& losses);
void write_answer(const ChatResponse& response, const Host& host,
                  std::string& out, Losses& losses);

/// Each frame's data is one event of the API; `read_exception` reads the
/// failures that the framing tells.
std::unique_ptr<StreamDecoder> new_stream_decoder(
    std::unique_ptr<wire::Framer> framer, ReadException read_exception);

/// How events get to the wire.
struct StreamFraming {
  /// `scratch` is memory to reuse; what it holds means nothing.
  void (*event)(std::string& out, std::string_view type, std::string_view json,
                std::string& scratch);
  void (*error)(std::string& out, const Error& error);
  void (*keep_alive)(std::string& out);
};
std::unique_ptr<StreamEncoder> new_stream_encoder(const RequestContext& context,
                                                  const StreamFraming& framing);
/// Members of a block that only this API has.
Extensions others_of(const json::Value& block);
/// Source references in the form of this API, as opposed to others'.
bool is_own_citation(std::string_view citation);

}  // namespace llmproxy::claude
