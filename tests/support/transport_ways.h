// The two ways to run a transfer, perform() and start(): most rules hold for
// both, so most tests of transports run twice.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "support/recorder.h"

namespace llmproxy::testing {

enum class Way { perform, start };

inline std::string to_text(Way way) {
  return way == Way::perform ? "perform" : "start";
}

/// Runs a transfer to its end.
inline void run(Way way, Transport& transport, const UpstreamRequest& request,
                Recorder& recorder, const Cancelled& cancelled = {}) {
  if (way == Way::perform) {
    transport.perform(request, recorder, cancelled);
  } else {
    transport.start(request, recorder);
  }
  REQUIRE(recorder.wait_done());
  CHECK_FALSE(recorder.broken());
}

inline UpstreamRequest post(const std::string& url, std::string body = "{}") {
  UpstreamRequest request;
  request.url = url;
  request.headers = {{"content-type", "application/json"}};
  request.body = std::move(body);
  return request;
}

/// Makes the test case run once for each.
inline Way either_way() {
  const Way way = GENERATE(Way::perform, Way::start);
  UNSCOPED_INFO("way: " << to_text(way));
  return way;
}

}  // namespace llmproxy::testing
