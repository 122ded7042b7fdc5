// What Google's clients demand of a stream (npm @google/genai, Gemini CLI):
// unnamed events, each a whole answer with a candidate that has parts, or an
// error whose code is a number; the last one with a finishReason.
#include "golden/stream_rule_books.h"
#include "json/json.h"

namespace llmproxy::testing {
namespace {

std::string check_part(json::Value part) {
  int data = 0;
  for (const std::string_view member :
       {"text", "functionCall", "inlineData", "executableCode",
        "codeExecutionResult"}) {
    data += part[member] ? 1 : 0;
  }
  if (data != 1) return "a part without its one member";
  const json::Value call = part["functionCall"];
  if (call && (call["name"].string().empty() || !call["args"].is_object())) {
    return "functionCall without name or args";
  }
  return "";
}

std::string check_answer(json::Value root, bool& finished) {
  const json::Value candidates = root["candidates"];
  if (candidates.size() != 1) return "not one candidate";
  for (const json::Value candidate : candidates.children()) {
    const json::Value content = candidate["content"];
    if (content["role"].string() != "model") return "role is not model";
    if (content["parts"].size() == 0) return "no parts";
    for (const json::Value part : content["parts"].children()) {
      std::string rule = check_part(part);
      if (!rule.empty()) return rule;
    }
    finished = finished || !candidate["finishReason"].string().empty();
  }
  return "";
}

}  // namespace

std::string broken_gemini_rule(const std::vector<Record>& records,
                               const RequestContext&, bool failed) {
  bool finished = false;
  bool error = false;
  for (const Record& record : records) {
    if (!record.name.empty()) return "an event: line";
    if (finished || error) return "an event behind the last";
    json::Document document;
    const auto root = document.parse(record.data);
    if (!root) return "not JSON: " + record.data;
    if ((*root)["error"].is_object()) {
      const auto code = (*root)["error"]["code"].integer();
      if (!code || *code < 400 || *code > 599) return "code of the error";
      error = true;
      continue;
    }
    std::string rule = check_answer(*root, finished);
    if (!rule.empty()) return rule + ": " + record.data;
  }
  if (failed) return error ? "" : "a failure without error";
  return finished ? "" : "no finishReason";
}

}  // namespace llmproxy::testing
