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

class ConverseReader {
 public:
  std::string read(const Record& record) {
    json::Document document;
    const auto root = document.parse(record.data);
    if (!root) return "not JSON";
    if (!started_ && record.name != "messageStart") return "no messageStart";
    if (ended_) return "an event behind metadata";
    if (record.name == "messageStart") {
      if (started_) return "two messageStart";
      started_ = true;
      return (*root)["role"].string() == "assistant" ? "" : "role";
    }
    if (record.name == "messageStop") {
      if (open_) return "a block is left open";
      stopped_ = true;
      return (*root)["stopReason"].string().empty() ? "no stopReason" : "";
    }
    if (record.name == "metadata") {
      ended_ = true;
      if (!stopped_) return "metadata before messageStop";
      return (*root)["usage"]["totalTokens"].integer() ? "" : "no usage";
    }
    return block(record.name, *root);
  }

  bool ended() const { return ended_; }

 private:
  std::string block(const std::string& type, json::Value root) {
    if (stopped_) return "a block behind messageStop";
    if (root["contentBlockIndex"].integer() != index_) {
      return "contentBlockIndex";
    }
    if (type == "contentBlockStart") {
      if (open_) return "two blocks open";
      open_ = call_ = true;
      const json::Value use = root["start"]["toolUse"];
      return use["toolUseId"].string().empty() || use["name"].string().empty()
                 ? "toolUse without id or name"
                 : "";
    }
    if (type == "contentBlockDelta") {
      const bool of_call = root["delta"]["toolUse"].is_object();
      if (of_call != call_) return "a delta of another kind";
      open_ = true;
      return root["delta"].size() == 1 ? "" : "not one member in delta";
    }
    if (type != "contentBlockStop") return "unknown event " + type;
    if (!open_) return "a stop without a block";
    open_ = call_ = false;
    ++index_;
    return "";
  }

  std::int64_t index_ = 0;
  bool started_ = false;
  bool stopped_ = false;
  bool ended_ = false;
  bool open_ = false;
  bool call_ = false;
};

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

std::string broken_bedrock_converse_rule(const std::vector<Record>& records,
                                         const RequestContext&, bool failed) {
  std::vector<Record> events;
  std::string rule = split(records, failed, events);
  if (!rule.empty()) return rule;
  ConverseReader reader;
  for (const Record& event : events) {
    rule = reader.read(event);
    if (!rule.empty()) return rule + ": " + event.name + " " + event.data;
  }
  return failed || reader.ended() ? "" : "no metadata at the end";
}

}  // namespace llmproxy::testing
