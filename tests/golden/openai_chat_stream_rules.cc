// What OpenAI's SDKs (node 6 and 7, python) demand of a stream of chunks: the
// role once; ids, types and names of calls once and absent afterwards; index
// and choices always; finish_reason once; usage last; no event: lines.
#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "golden/stream_rule_books.h"
#include "json/json.h"

namespace llmproxy::testing {
namespace {

constexpr std::array<std::string_view, 5> kFinishReasons = {
    "stop", "length", "tool_calls", "content_filter", "function_call"};

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
    const std::string_view reason = choice["finish_reason"].string();
    if (std::find(kFinishReasons.begin(), kFinishReasons.end(), reason) ==
        kFinishReasons.end()) {
      return "finish_reason";
    }
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

}  // namespace

std::string broken_openai_chat_rule(const std::vector<Record>& records,
                                    const RequestContext& context,
                                    bool failed) {
  return OpenaiChatRules(context, failed).check(records);
}

}  // namespace llmproxy::testing
