// The two upstreams and the two clients of streamed answers, so that a test
// can go through all four pairs.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

namespace llmproxy::testing {

/// An upstream by the model that leads to it, and what it streams.
struct Side {
  const char* model;
  std::string begin, text, end;
};

inline const Side& openai_side() {
  static const Side side{"gpt", kOpenAiBegin, openai_text("Hello"), kOpenAiEnd};
  return side;
}
inline const Side& claude_side() {
  static const Side side{"claude", kClaudeBegin, claude_text("Hello"),
                         kClaudeEnd};
  return side;
}

inline HttpRequest stream_request(bool as_openai, const Side& side) {
  return as_openai ? openai_request(side.model, true)
                   : claude_request(side.model, true);
}

/// How either client is told that a stream ended well, and that it did not.
inline const char* good_end(bool as_openai) {
  return as_openai ? "data: [DONE]\n\n" : "event: message_stop\n";
}
inline bool tells_error(bool as_openai, const std::string& body) {
  return as_openai ? contains(body, "data: {\"error\":")
                   : contains(body, "event: error\n");
}

/// Runs `check(side, as_openai)` for both upstreams and both clients.
template <class Check>
void for_all_pairs(Check check) {
  for (const Side* side : {&openai_side(), &claude_side()}) {
    for (const bool as_openai : {true, false}) {
      INFO("upstream " << side->model << ", client "
                       << (as_openai ? "openai" : "claude"));
      check(*side, as_openai);
    }
  }
}

/// The client reads, slowly, until its answer ended in one way or the other.
inline bool reads_to_the_end(GatewayFixture& fixture) {
  const bool over = eventually([&] {
    fixture.sink->read();
    return !fixture.observer.records().empty();
  });
  fixture.join();
  return over;
}

}  // namespace llmproxy::testing
