// What requests to an upstream carry for its dialect's sake.
#include "llmproxy/dialect.h"

namespace llmproxy {
namespace {

/// About as many as there are once the provider's and the key have joined them,
/// for one piece of memory.
constexpr std::size_t kUsualHeaders = 8;

}  // namespace

Headers upstream_headers(const Dialect& dialect, bool stream) {
  std::string_view answer = "application/json";
  if (stream && !dialect.stream_content_type.empty()) {
    // Without its parameters: that the events are UTF-8 is no wish.
    answer = dialect.stream_content_type;
    answer = answer.substr(0, answer.find(';'));
  }
  Headers headers;
  headers.reserve(kUsualHeaders);
  headers.push_back({"content-type", "application/json"});
  headers.push_back({"accept", std::string(answer)});
  for (const FixedHeader& row : dialect.upstream_headers) {
    headers.push_back({std::string(row.name), std::string(row.value)});
  }
  return headers;
}

}  // namespace llmproxy
