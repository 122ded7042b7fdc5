// What Anthropic's SDKs demand of a stream: message_start first and once;
// blocks 0, 1, 2 ... with one open at a time, each started and stopped; deltas
// of the block's own kind; one message_delta; message_stop last; every event
// with its event: line.
#include <algorithm>
#include <array>
#include <set>

#include "golden/stream_rule_books.h"
#include "json/json.h"

namespace llmproxy::testing {
namespace {

constexpr std::array<std::string_view, 7> kStopReasons = {
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "refusal",
    "pause_turn",
    "model_context_window_exceeded"};

// Which deltas belong to which blocks.
struct DeltaRow {
  std::string_view delta;
  std::string_view block;
};
constexpr std::array<DeltaRow, 5> kDeltas = {
    DeltaRow{"text_delta", "text"}, DeltaRow{"citations_delta", "text"},
    DeltaRow{"thinking_delta", "thinking"},
    DeltaRow{"signature_delta", "thinking"},
    DeltaRow{"input_json_delta", "tool_use"}};

class ClaudeRules {
 public:
  explicit ClaudeRules(bool failed) : failed_(failed) {}

  std::string check(const std::vector<Record>& records) {
    for (const Record& record : records) {
      if (std::string rule = check(record); !rule.empty()) {
        return rule + ": " + record.data;
      }
    }
    if (failed_) return error_ ? "" : "a failed stream holds no error event";
    if (!started_) return "no message_start";
    if (!delta_) return "no message_delta";
    if (!stopped_) return "no message_stop";
    return "";
  }

 private:
  std::string check(const Record& record) {
    if (stopped_) return "something after message_stop";
    if (error_) return "something after the error";
    json::Document document;
    const Result<json::Value> root = document.parse(record.data);
    if (!root) return "not JSON";
    const std::string_view type = (*root)["type"].string();
    if (type != record.name) return "the event line says " + record.name;
    if (type == "ping") return "";
    if (type == "error") {
      error_ = true;
      return (*root)["error"]["message"].is_string() &&
                     (*root)["error"]["type"].is_string()
                 ? ""
                 : "error without type or message";
    }
    if (type == "message_start") return check_start((*root)["message"]);
    if (!started_) return "before message_start";
    if (type == "content_block_start") return check_block_start(*root);
    if (type == "content_block_delta") return check_delta(*root);
    if (type == "content_block_stop") return check_block_stop(*root);
    if (type == "message_delta") return check_message_delta(*root);
    if (type != "message_stop") return "unknown event";
    stopped_ = true;
    if (failed_) return "message_stop in a failed stream";
    return delta_ ? "" : "message_stop before message_delta";
  }

  std::string check_start(json::Value message) {
    if (started_) return "a second message_start";
    started_ = true;
    if (message["id"].string().empty()) return "no id";
    if (message["type"].string() != "message") return "message type";
    if (message["role"].string() != "assistant") return "role";
    if (!message["model"].is_string()) return "no model";
    if (!message["content"].is_array() || message["content"].size() > 0) {
      return "content is not []";
    }
    if (!message["stop_reason"].is_null()) return "stop_reason";
    const json::Value usage = message["usage"];
    if (!usage["input_tokens"].integer() || !usage["output_tokens"].integer()) {
      return "usage without numbers";
    }
    return "";
  }

  std::string check_block_start(json::Value event) {
    if (delta_) return "a block after message_delta";
    if (open_) return "a second open block";
    if (event["index"].integer() != blocks_) return "index";
    open_ = true;
    ++blocks_;
    const json::Value block = event["content_block"];
    block_ = block["type"].string();
    input_.clear();
    if (block_ == "text" && !block["text"].is_string()) return "no text";
    if (block_ == "thinking" && !block["thinking"].is_string()) {
      return "no thinking";
    }
    if (block_ != "tool_use") return "";
    ++calls_;
    if (block["id"].string().empty() || block["name"].string().empty()) {
      return "tool_use without id or name";
    }
    if (!ids_.insert(std::string(block["id"].string())).second) {
      return "two calls of the same id";
    }
    return block["input"].raw() == "{}" ? "" : "input is not {}";
  }

  std::string check_delta(json::Value event) {
    if (!open_) return "no open block";
    if (event["index"].integer() != blocks_ - 1) return "index";
    const json::Value delta = event["delta"];
    const auto row = std::find_if(
        kDeltas.begin(), kDeltas.end(),
        [&](const DeltaRow& r) { return r.delta == delta["type"].string(); });
    if (row == kDeltas.end()) return "unknown delta";
    if (row->block != block_ && block_ != "server_tool_use") {
      return "this delta does not belong to a block " + block_;
    }
    if (block_ == "tool_use") input_ += delta["partial_json"].string();
    return "";
  }

  std::string check_block_stop(json::Value event) {
    if (!open_) return "no open block";
    if (event["index"].integer() != blocks_ - 1) return "index";
    open_ = false;
    if (block_ == "tool_use" && !input_.empty() && !broken_) {
      broken_ = !json::is_json_object(input_);
    }
    return "";
  }

  std::string check_message_delta(json::Value event) {
    if (delta_) return "a second message_delta";
    if (open_) return "an open block";
    delta_ = true;
    if (failed_) return "message_delta in a failed stream";
    if (!event["usage"]["output_tokens"].integer()) return "no output_tokens";
    const std::string_view reason = event["delta"]["stop_reason"].string();
    if (std::find(kStopReasons.begin(), kStopReasons.end(), reason) ==
        kStopReasons.end()) {
      return "stop_reason";
    }
    if (reason == "tool_use" && calls_ == 0) return "tool_use without one";
    if (reason == "end_turn" && calls_ > 0) return "end_turn with tool calls";
    // A call cut by the limit may be broken; one that is to be run may not.
    if (broken_ && reason == "tool_use") return "input is no JSON object";
    return "";
  }

  bool failed_;
  std::string block_;
  std::string input_;
  std::set<std::string> ids_;
  std::int64_t blocks_ = 0;
  int calls_ = 0;
  bool started_ = false;
  bool open_ = false;
  bool broken_ = false;
  bool delta_ = false;
  bool stopped_ = false;
  bool error_ = false;
};

}  // namespace

std::string broken_claude_rule(const std::vector<Record>& records,
                               const RequestContext&, bool failed) {
  return ClaudeRules(failed).check(records);
}

}  // namespace llmproxy::testing
