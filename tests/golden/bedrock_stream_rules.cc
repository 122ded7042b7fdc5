// What the clients of Bedrock's streams demand (npm
// @aws-sdk/client-bedrock-runtime, @anthropic-ai/bedrock-sdk, boto3).
#include <array>

#include "golden/stream_rule_books.h"
#include "json/json.h"

namespace llmproxy::testing {
namespace {

/// Names of exceptions are those of the service's model, or clients see
/// something else than an error.
constexpr std::array<std::string_view, 6> kExceptions = {
    "internalServerException", "modelStreamErrorException",
    "validationException",     "throttlingException",
    "modelTimeoutException",   "serviceUnavailableException"};

std::string check_exception(const Record& record) {
  json::Document document;
  const auto root = document.parse(record.data);
  if (!root || !(*root)["message"].is_string()) return "no message";
  for (const std::string_view name : kExceptions) {
    if (name == record.name) return "";
  }
  return "an exception of no model: " + record.name;
}

/// Exceptions off, which must be last and fit; the events are left.
std::string split(const std::vector<Record>& records, bool failed,
                  std::vector<Record>& events) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].kind == "event") {
      if (records[i].name != "ping") events.push_back(records[i]);
      continue;
    }
    if (records[i].kind != "exception") return "a frame that cannot be read";
    if (i + 1 != records.size()) return "an event behind the failure";
    return failed ? check_exception(records[i]) : "a failure out of nothing";
  }
  return failed ? "a failure without exception" : "";
}

}  // namespace

std::string broken_bedrock_rule(const std::vector<Record>& records,
                                const RequestContext& context, bool failed) {
  std::vector<Record> events;
  std::string rule = split(records, failed, events);
  if (!rule.empty()) return rule;
  if (failed) {
    // Without the error event that the inner rules want at the end.
    for (const Record& event : events) {
      if (event.name != "chunk") return "a frame that is no chunk";
    }
    return "";
  }
  for (Record& event : events) {
    if (event.name != "chunk") return "a frame that is no chunk";
    json::Document document;
    const auto root = document.parse(event.data);
    if (!root) return "not JSON: " + event.data;
    event.name = (*root)["type"].string();
  }
  return broken_claude_rule(events, context, failed);
}

}  // namespace llmproxy::testing
