// Anthropic's body for those who host it: the Messages API itself, and Bedrock
// which wraps it. What differs is in a Host; everything else is shared.
#pragma once

#include <memory>
#include <span>
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
  /// Everything the API has. The rest counts only where it has not.
  bool complete = false;
  /// Beginnings of the types of tools that it takes all the same.
  std::span<const std::string_view> tools = {};
  /// Types of blocks without a canonical form, likewise.
  std::span<const std::string_view> blocks = {};
};

inline constexpr Host kAnthropic = {
    .dialect = kName, .title = "Anthropic", .complete = true};

/// How close a request is to what a host takes.
enum class Kinship : std::uint8_t {
  own,      ///< of its own dialect, or made by hand: written back in full
  family,   ///< of another host of the same body
  foreign,  ///< of another dialect
};
Kinship kinship(std::string_view dialect, const Host& host);
/// An extension that every host of the body takes.
bool is_shared_field(std::string_view name);
/// Writes what the host takes of `extensions`; the rest is lost.
void write_fields_of(const Extensions& extensions, const std::string& path,
                     Kinship kin, const Host& host, json::Writer& writer,
                     Losses& losses);

/// All of a request but the model and `stream`; `reader` has taken what the
/// caller knows already.
Result<void> read_body(json::ObjectReader& reader, ChatRequest& request);
Result<void> write_body(const ChatRequest& request,
                        const EncodeOptions& options, const Host& host,
                        RequestContext& context, std::string& out,
                        Losses& losses);
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
/// Source references in the form of this API, as opposed to others'.
bool is_own_citation(std::string_view citation);

}  // namespace llmproxy::claude
