// A golden case made ready to run: what is translated, from which dialect,
// with which options and in answer to which request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/translate.h"
#include "support/golden_case.h"

namespace llmproxy::testing {

enum class Noun { request, response, stream, error };

struct Scenario {
  GoldenCase golden;
  Noun noun = Noun::request;
  const Dialect* from = nullptr;
  /// A program made the request: it only stands here in the syntax of `from`.
  bool by_hand = false;
  /// The body of the main `given` section.
  std::string input;
  /// Where a client's request was sent (option `path`); empty = not said.
  std::string path;
  /// A stream case may also give the same answer unstreamed; else empty.
  std::string response;
  /// Use options_for(): traits depend on the target.
  TranslateOptions options;
  struct Trait {
    bool TargetTraits::*member;
    bool value;
  };
  std::vector<Trait> traits;
  int status = 500;  ///< of an upstream's error
  Headers headers;   ///< of an upstream's error
  /// What answers are translated for; of `given request`, or a default one.
  RequestContext context;
};

/// Errors: invalid_request with file and line, for cases that make no sense.
Result<Scenario> make_scenario(GoldenCase golden);

/// The case's options towards `to`: what the model takes there, but for the
/// traits that the case sets.
TranslateOptions options_for(const Scenario& scenario, const Dialect& to);

/// A request, decoded.
Result<ChatRequest> decode_request(const Dialect& from, std::string_view body,
                                   std::string_view path = {});

/// What `path` (with its query) says of a request, for dialects that name
/// the model there; without a path the model is called "model".
RequestHead head_for(const Dialect& dialect, std::string_view path);

/// `body` as the upstream's bytes, translated for a client of `to`.
struct StreamRun {
  std::string bytes;
  Losses losses;
  bool done = false;
  bool failed = false;
  bool failed_before_start = false;
  Error error;
};
/// `cut`: the bytes before and after it are fed apart; 0 = in one piece.
StreamRun run_stream(const Scenario& scenario, const Dialect& to,
                     std::string_view bytes, std::size_t cut = 0);

/// Events that `bytes` decode to, the end of the input included.
void decode_stream(const Dialect& from, const RequestContext& context,
                   std::string_view bytes, EventSink& sink);

/// What a client of `to` is meant to see of an answer that was decoded: its
/// own names of tools, free text for its own tools, one call in the old form,
/// no usage it did not ask for. Upstream's words where bytes pass through.
ChatResponse for_client(const Scenario& scenario, const Dialect& to,
                        ChatResponse response);

/// The stream that `response` would have been.
std::string encode_replay(const ChatResponse& response, const Dialect& to,
                          const RequestContext& context);

/// Unix seconds that stand for "now" in every case.
inline constexpr std::int64_t kNow = 1700000000;

}  // namespace llmproxy::testing
