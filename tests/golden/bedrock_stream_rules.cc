// What clients of Bedrock's InvokeModelWithResponseStream demand: frames of
// type `chunk` that hold a stream event of claude as padded base64, which keep
// the rules of claude; a failure is an exception with a name the SDK knows.
#include <algorithm>
#include <array>

#include "chat/media.h"
#include "golden/stream_rule_books.h"
#include "json/json.h"
#include "support/json_text.h"

namespace llmproxy::testing {
namespace {

constexpr std::array<std::string_view, 6> kExceptions = {
    "internalServerException", "modelStreamErrorException",
    "validationException",     "throttlingException",
    "modelTimeoutException",   "serviceUnavailableException"};

// The SDK makes such an event of an exception.
Record as_claude_error(const Record& record, json::Value root) {
  return {"error", "{\"type\":\"error\",\"error\":{\"type\":\"" + record.name +
                       "\",\"message\":" + quoted(root["message"].string()) +
                       "}}"};
}

std::string unwrap(const Record& record, std::vector<Record>& events) {
  json::Document document;
  const Result<json::Value> root = document.parse(record.data);
  if (!root || !root->is_object()) return "not a JSON object";
  if (record.exception) {
    if (std::find(kExceptions.begin(), kExceptions.end(), record.name) ==
        kExceptions.end()) {
      return "unknown exception " + record.name;
    }
    events.push_back(as_claude_error(record, *root));
    return "";
  }
  // Events of another type are skipped.
  if (record.name != "chunk") return "";
  const std::string_view base64 = (*root)["bytes"].string();
  const auto bytes = decode_base64(base64);
  if (!bytes || encode_base64(*bytes) != base64) return "bytes";
  json::Document inner;
  const Result<json::Value> event = inner.parse(*bytes);
  if (!event) return "no JSON in bytes";
  events.push_back({std::string((*event)["type"].string()), *bytes});
  return "";
}

}  // namespace

std::string broken_bedrock_rule(const std::vector<Record>& records,
                                const RequestContext& context, bool failed) {
  std::vector<Record> events;
  for (const Record& record : records) {
    if (std::string rule = unwrap(record, events); !rule.empty()) {
      return rule + ": " + record.data;
    }
  }
  return broken_claude_rule(events, context, failed);
}

}  // namespace llmproxy::testing
