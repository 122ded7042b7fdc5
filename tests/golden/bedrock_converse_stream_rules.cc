// What the AWS SDKs and the programs on top of them demand of ConverseStream:
// messageStart first and once; blocks 0, 1, 2 ..., each ended; a start event
// for calls and images only; deltas of one kind within a block; messageStop
// once; metadata with the usage last; a failure is an exception with a name
// the SDK knows.
#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "golden/stream_rule_books.h"
#include "json/json.h"

namespace llmproxy::testing {
namespace {

constexpr std::array<std::string_view, 5> kExceptions = {
    "internalServerException", "modelStreamErrorException",
    "validationException", "throttlingException",
    "serviceUnavailableException"};

constexpr std::array<std::string_view, 9> kStopReasons = {
    "end_turn",
    "tool_use",
    "max_tokens",
    "stop_sequence",
    "guardrail_intervened",
    "content_filtered",
    "malformed_model_output",
    "malformed_tool_use",
    "model_context_window_exceeded"};

template <std::size_t N>
bool is_one_of(std::string_view name,
               const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class ConverseRules {
 public:
  explicit ConverseRules(bool failed) : failed_(failed) {}

  std::string check(const std::vector<Record>& records) {
    for (const Record& record : records) {
      if (std::string rule = check(record); !rule.empty()) {
        return rule + ": " + record.name + " " + record.data;
      }
    }
    if (failed_) return error_ ? "" : "a failed stream holds no exception";
    if (!started_) return "no messageStart";
    if (!stopped_) return "no messageStop";
    return metadata_ ? "" : "no metadata";
  }

 private:
  std::string check(const Record& record) {
    if (metadata_) return "something after metadata";
    if (error_) return "something after the exception";
    json::Document document;
    const Result<json::Value> parsed = document.parse(record.data);
    if (!parsed || !parsed->is_object()) return "not a JSON object";
    const json::Value root = *parsed;
    if (record.kind == "exception") {
      error_ = true;
      if (!failed_) return "an exception";
      return is_one_of(record.name, kExceptions) && root["message"].is_string()
                 ? ""
                 : "unknown exception";
    }
    if (record.name == "ping") return "";  // unknown events are skipped
    if (record.name == "messageStart") return check_start(root);
    if (!started_) return "before messageStart";
    if (record.name == "metadata") return check_metadata(root);
    if (stopped_) return "after messageStop";
    if (record.name == "messageStop") return check_stop(root);
    return check_block(record.name, root);
  }

  std::string check_start(json::Value root) {
    if (started_) return "a second messageStart";
    started_ = true;
    return root["role"].string() == "assistant" ? "" : "role";
  }

  std::string check_block(const std::string& name, json::Value root) {
    const auto index = root["contentBlockIndex"].integer();
    if (!index) return "no index";
    if (name == "contentBlockStart") return check_block_start(*index, root);
    if (name == "contentBlockDelta") return check_delta(*index, root["delta"]);
    if (name != "contentBlockStop") return "unknown event";
    if (open_ != *index) return "index";
    open_ = -1;
    if (kind_ == "toolUse" && !json::is_json_object(input_)) broken_ = true;
    return "";
  }

  std::string open(std::int64_t index, std::string_view kind) {
    if (open_ >= 0) return "a second open block";
    if (index != blocks_) return "index";
    open_ = blocks_++;
    kind_ = kind;
    input_.clear();
    reasoned_ = false;
    return "";
  }

  std::string check_block_start(std::int64_t index, json::Value root) {
    const json::Value start = root["start"];
    if (start.size() != 1) return "start";
    const json::Value member = *start.children().begin();
    if (member.key() != "toolUse" && member.key() != "image" &&
        member.key() != "toolResult") {
      return "a start event for " + std::string(member.key());
    }
    if (member.key() == "toolUse") {
      calls_ += member["type"] ? 0 : 1;
      const std::string id(member["toolUseId"].string());
      if (id.empty() || member["name"].string().empty()) return "id or name";
      if (!ids_.insert(id).second) return "two calls of the same id";
    }
    return open(index, member.key());
  }

  std::string check_delta(std::int64_t index, json::Value delta) {
    if (delta.size() != 1) return "delta";
    const json::Value member = *delta.children().begin();
    const std::string_view kind = member.key();
    if (open_ != index) {
      if (kind == "toolUse" || kind == "image") return "no start event";
      if (std::string rule = open(index, kind); !rule.empty()) return rule;
    }
    if (kind != kind_) return "a delta of another kind";
    if (kind == "toolUse") {
      if (!member["input"].is_string()) return "input is no string";
      input_ += member["input"].string();
    }
    if (kind == "text") return member.is_string() ? "" : "text";
    return kind == "reasoningContent" ? check_reasoning(member) : "";
  }

  /// AWS's SDKs send a block back as they put it together, and refuse one whose
  /// text is missing.
  std::string check_reasoning(json::Value reasoning) {
    if (reasoning.size() != 1) return "reasoningContent";
    const json::Value member = *reasoning.children().begin();
    if (!member.is_string()) return "reasoningContent";
    if (member.key() == "text") reasoned_ = true;
    if (member.key() == "signature" && !reasoned_) return "no text to sign";
    if (member.key() != "redactedContent") {
      return member.key() == "text" || member.key() == "signature"
                 ? ""
                 : "unknown reasoningContent";
    }
    const auto bytes = decode_base64(member.string());
    return bytes && encode_base64(*bytes) == member.string()
               ? ""
               : "redactedContent is no base64";
  }

  std::string check_stop(json::Value root) {
    if (failed_) return "messageStop in a failed stream";
    if (open_ >= 0) return "an open block";
    stopped_ = true;
    const std::string_view reason = root["stopReason"].string();
    if (!is_one_of(reason, kStopReasons)) return "stopReason";
    if (reason == "tool_use" && calls_ == 0) return "tool_use without one";
    if (reason == "end_turn" && calls_ > 0) return "end_turn with calls";
    return broken_ && reason == "tool_use" ? "input is no JSON object" : "";
  }

  std::string check_metadata(json::Value root) {
    if (!stopped_) return "before messageStop";
    metadata_ = true;
    const json::Value usage = root["usage"];
    for (const std::string_view count :
         {"inputTokens", "outputTokens", "totalTokens"}) {
      if (!usage[count].integer()) return std::string(count);
    }
    return root["metrics"]["latencyMs"].integer() ? "" : "latencyMs";
  }

  bool failed_;
  std::string kind_;
  std::string input_;
  std::set<std::string> ids_;
  std::int64_t blocks_ = 0;
  std::int64_t open_ = -1;
  int calls_ = 0;
  bool reasoned_ = false;  ///< the open block has a text
  bool started_ = false;
  bool broken_ = false;
  bool stopped_ = false;
  bool metadata_ = false;
  bool error_ = false;
};

}  // namespace

std::string broken_bedrock_converse_rule(const std::vector<Record>& records,
                                         const RequestContext&, bool failed) {
  return ConverseRules(failed).check(records);
}

}  // namespace llmproxy::testing
