// What the clients of the Responses API demand of a stream (npm openai 6 and
// 7, Codex): every event named and numbered, items opened and closed in turn,
// the last event with the whole answer.
#include <map>
#include <set>

#include "golden/stream_rule_books.h"
#include "json/json.h"

namespace llmproxy::testing {
namespace {

class Reader {
 public:
  std::string read(const Record& record) {
    json::Document document;
    const auto root = document.parse(record.data);
    if (!root) return "not JSON";
    const std::string type((*root)["type"].string());
    if (type != record.name) return "event line is not the type";
    if ((*root)["sequence_number"].integer() != next_++) {
      return "sequence_number";
    }
    if (ended_) return "an event behind the last";
    if (type == "keepalive") return "";
    if (type == "error") return check_error(*root);
    if (!(*root)["error"].absent()) return "a truthy error in " + type;
    if (type == "response.output_item.added") return item_added(*root);
    if (type == "response.output_item.done") return item_done(*root);
    if ((*root)["response"].is_object()) return answer(type, *root);
    return in_item(type, *root);
  }

  std::string end(bool failed) const {
    if (!ended_) return "no last event";
    if (failed != failed_) return "the last event does not fit";
    return "";
  }

 private:
  std::string check_error(json::Value root) {
    ended_ = failed_ = true;
    return root["error"]["message"].is_string() ? "" : "error without message";
  }

  std::string item_added(json::Value root) {
    const auto index = root["output_index"].integer();
    if (index != static_cast<std::int64_t>(items_.size()))
      return "output_index";
    const std::string id(root["item"]["id"].string());
    if (id.empty()) return "an item without id";
    if (!ids_.insert(id).second) return "two items with one id";
    items_.push_back(id);
    open_.insert(id);
    return "";
  }

  std::string item_done(json::Value root) {
    const std::string id(root["item"]["id"].string());
    if (open_.erase(id) != 1) return "done without added";
    done_.push_back(std::string(root["item"].raw()));
    return "";
  }

  std::string in_item(const std::string& type, json::Value root) {
    const std::string id(root["item_id"].string());
    if (!open_.contains(id)) return type + " outside of its item";
    const auto index = root["output_index"].integer().value_or(-1);
    if (index < 0 || index >= static_cast<std::int64_t>(items_.size()) ||
        items_[static_cast<std::size_t>(index)] != id) {
      return type + " with a wrong output_index";
    }
    return "";
  }

  std::string answer(const std::string& type, json::Value root) {
    const json::Value response = root["response"];
    for (const std::string_view field :
         {"id", "object", "created_at", "model", "output", "tools",
          "tool_choice", "parallel_tool_calls", "metadata"}) {
      if (response[field].absent()) return "no " + std::string(field);
    }
    for (const std::string_view field :
         {"error", "incomplete_details", "instructions", "temperature", "top_p",
          "usage"}) {
      if (!response[field]) return "no " + std::string(field);
    }
    if (type == "response.created" || type == "response.in_progress") return "";
    ended_ = true;
    failed_ = type == "response.failed";
    if (failed_) {
      return response["error"]["message"].is_string() ? "" : "no message";
    }
    if (!open_.empty()) return "an item is left open";
    std::size_t at = 0;
    for (const json::Value item : response["output"].children()) {
      if (at >= done_.size() || item.raw() != done_[at++]) {
        return "the answer's items are not those of the stream";
      }
    }
    return at == done_.size() ? "" : "items are missing from the answer";
  }

  std::int64_t next_ = 0;
  std::vector<std::string> items_;
  std::vector<std::string> done_;
  std::set<std::string> open_;
  std::set<std::string> ids_;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace

std::string broken_openai_responses_rule(const std::vector<Record>& records,
                                         const RequestContext&, bool failed) {
  Reader reader;
  for (const Record& record : records) {
    std::string rule = reader.read(record);
    if (!rule.empty()) return rule + ": " + record.data;
  }
  return reader.end(failed);
}

}  // namespace llmproxy::testing
