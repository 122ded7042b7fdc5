// What clients of a dialect demand of a stream. See stream_rules.h. The rules
// are written against the wire, with nothing of the encoders in them.
#include "golden/stream_rules.h"

#include <map>
#include <optional>
#include <set>

#include "json/json.h"
#include "wire/sse.h"

namespace llmproxy::testing {
namespace {

// One record of a stream, parsed.
struct Record {
  std::string name;
  std::string data;
};

std::vector<Record> records_of(std::string_view bytes) {
  wire::SseDecoder decoder;
  decoder.feed(bytes);
  std::vector<Record> records;
  wire::SseEvent event;
  while (decoder.next(event)) {
    records.push_back({std::string(event.name), std::string(event.data)});
  }
  return records;
}

// ---- openai-chat

class OpenaiChatRules {
 public:
  OpenaiChatRules(const RequestContext& context, bool failed)
      : context_(context), failed_(failed) {}

  std::string check(const std::vector<Record>& records) {
    for (const Record& record : records) {
      if (std::string rule = check(record); !rule.empty()) {
        return rule + ": " + record.data;
      }
    }
    if (failed_) return error_ ? "" : "a failed stream holds no error record";
    if (!done_) return "no [DONE]";
    if (!finished_) return "no finish_reason";
    if (!had_role_) return "no role";
    const bool wants_usage = context_.include_usage;
    if (!wants_usage && usage_) return "a usage chunk nobody asked for";
    return "";
  }

 private:
  std::string check(const Record& record) {
    if (!record.name.empty()) return "an event: line";
    if (done_) return "something after [DONE]";
    if (error_) return "something after the error";
    if (record.data == "[DONE]") {
      done_ = true;
      return failed_ ? "[DONE] in a failed stream" : "";
    }
    json::Document document;
    const Result<json::Value> root = document.parse(record.data);
    if (!root) return "not JSON";
    if ((*root)["error"]) {
      error_ = true;
      return check_error((*root)["error"]);
    }
    return check_chunk(*root);
  }

  static std::string check_error(json::Value error) {
    if (!error.is_object()) return "error is not an object";
    if (!error["message"].is_string()) return "error without message";
    if (!error["type"].is_string()) return "error without type";
    if (!error["param"] || !error["code"]) return "error without param or code";
    return "";
  }

  std::string check_chunk(json::Value chunk) {
    if (chunk["object"].string() != "chat.completion.chunk") return "object";
    if (!same(id_, chunk["id"]) || chunk["id"].string().empty()) return "id";
    if (!same(model_, chunk["model"])) return "model";
    if (!same(created_, chunk["created"])) return "created";
    if (!chunk["created"].integer()) return "created is no integer";
    const json::Value choices = chunk["choices"];
    if (!choices.is_array()) return "choices is not an array";
    if (choices.size() == 0) {
      if (!finished_) return "the usage chunk before the finish chunk";
      if (usage_) return "a second usage chunk";
      usage_ = true;
      return chunk["usage"].is_object() ? "" : "no choices and no usage";
    }
    if (usage_) return "a chunk after the usage chunk";
    if (!chunk["usage"].absent()) return "usage beside choices";
    for (const json::Value choice : choices.children()) {
      if (std::string rule = check_choice(choice); !rule.empty()) return rule;
    }
    return "";
  }

  std::string check_choice(json::Value choice) {
    if (choice["index"].integer() != 0) return "choice index";
    if (!choice["finish_reason"]) return "no finish_reason key";
    if (finished_) return "a choice after the finish chunk";
    const json::Value delta = choice["delta"];
    if (!delta.is_object()) return "no delta";
    if (delta["role"]) {
      if (had_role_) return "a second role";
      if (delta["role"].string() != "assistant") return "role";
      had_role_ = true;
    }
    if (!had_role_) return "a delta before the role";
    for (const json::Value call : delta["tool_calls"].children()) {
      if (std::string rule = check_call(call); !rule.empty()) return rule;
    }
    if (choice["finish_reason"].is_null()) return "";
    if (failed_) return "finish_reason in a failed stream";
    finished_ = true;
    static const std::set<std::string_view> kReasons = {
        "stop", "length", "tool_calls", "content_filter", "function_call"};
    const std::string_view reason = choice["finish_reason"].string();
    if (!kReasons.contains(reason)) return "finish_reason";
    if (reason == "tool_calls" && calls_ == 0) return "tool_calls without one";
    if (reason == "stop" && calls_ > 0) return "stop with tool calls";
    return "";
  }

  std::string check_call(json::Value call) {
    const std::optional<std::int64_t> index = call["index"].integer();
    if (!index || *index < 0) return "tool call without index";
    const bool first = *index == calls_;
    if (*index > calls_) return "a gap in the tool indices";
    if (first) {
      ++calls_;
      if (call["id"].string().empty()) return "first entry without id";
      if (!ids_.insert(std::string(call["id"].string())).second) {
        return "two calls of the same id";
      }
      const std::string_view type = call["type"].string();
      if (type != "function" && type != "custom") return "type";
      if (call[type]["name"].string().empty()) return "no name";
      return "";
    }
    for (const std::string_view once : {"id", "type"}) {
      if (call[once]) return std::string(once) + " again";
    }
    if (call["function"]["name"]) return "name again";
    return "";
  }

  static bool same(std::optional<std::string>& seen, json::Value value) {
    if (!seen) seen = value.raw();
    return *seen == value.raw();
  }

  const RequestContext& context_;
  bool failed_;
  std::optional<std::string> id_, model_, created_;
  std::set<std::string> ids_;
  std::int64_t calls_ = 0;
  bool had_role_ = false;
  bool finished_ = false;
  bool usage_ = false;
  bool done_ = false;
  bool error_ = false;
};

// ---- claude

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
    static const std::map<std::string_view, std::string_view> kBlockOf = {
        {"text_delta", "text"},
        {"citations_delta", "text"},
        {"thinking_delta", "thinking"},
        {"signature_delta", "thinking"},
        {"input_json_delta", "tool_use"}};
    const json::Value delta = event["delta"];
    const auto row = kBlockOf.find(delta["type"].string());
    if (row == kBlockOf.end()) return "unknown delta";
    if (row->second != block_ && block_ != "server_tool_use") {
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
    static const std::set<std::string_view> kReasons = {
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "refusal",
        "pause_turn",
        "model_context_window_exceeded"};
    if (!kReasons.contains(reason)) return "stop_reason";
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

struct EndRow {
  std::string_view dialect;
  /// Its presence in our output reads as a normal end.
  std::vector<std::string_view> marks;
  /// Present in the record that ends an upstream's stream normally.
  std::string_view terminal;
};
const EndRow kEnds[] = {
    {"openai-chat", {"[DONE]", "\"finish_reason\":\""}, "\"finish_reason\":\""},
    {"claude", {"\"message_stop\""}, "\"message_stop\""},
};

const EndRow* end_row(const Dialect& dialect) {
  for (const EndRow& row : kEnds) {
    if (row.dialect == dialect.name) return &row;
  }
  return nullptr;
}

}  // namespace

std::string broken_stream_rule(const Dialect& dialect,
                               const RequestContext& context,
                               std::string_view bytes, bool failed) {
  if (!bytes.ends_with("\n\n")) return "does not end with a blank line";
  if (bytes.find('\r') != std::string_view::npos) return "holds a CR";
  const std::vector<Record> records = records_of(bytes);
  if (dialect.name == "openai-chat") {
    return OpenaiChatRules(context, failed).check(records);
  }
  if (dialect.name == "claude") return ClaudeRules(failed).check(records);
  return "no rules for " + std::string(dialect.name);
}

bool looks_finished(const Dialect& dialect, std::string_view bytes) {
  const EndRow* row = end_row(dialect);
  if (!row) return false;
  for (const std::string_view mark : row->marks) {
    if (bytes.find(mark) != std::string_view::npos) return true;
  }
  return false;
}

std::size_t normal_end(const Dialect& dialect, std::string_view bytes) {
  const EndRow* row = end_row(dialect);
  if (!row) return bytes.size();
  // Upstreams may put spaces anywhere: look at lines without them.
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = bytes.find_first_of("\r\n", at);
    if (end == std::string_view::npos) end = bytes.size();
    std::string line(bytes.substr(at, end - at));
    std::erase(line, ' ');
    if (line.starts_with("data:") &&
        line.find(row->terminal) != std::string::npos) {
      std::size_t last = end;
      while (last > at && bytes[last - 1] != '}') --last;
      return last > at ? last - 1 : end;
    }
    at = end + 1;
  }
  return bytes.size();
}

}  // namespace llmproxy::testing
