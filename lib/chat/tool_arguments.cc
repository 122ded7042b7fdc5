#include "chat/tool_arguments.h"

#include "chat/turns.h"
#include "json/json.h"
#include "json/writer.h"

namespace llmproxy {

std::string input_object(std::string_view arguments, bool* wrapped) {
  if (blank(arguments)) return "{}";
  json::Document document;
  const auto root = document.parse(arguments);
  if (root && root->is_object()) return std::string(root->raw());
  if (root && root->is_null()) return "{}";
  if (wrapped != nullptr) *wrapped = true;
  std::string out;
  json::Writer w(out);
  w.begin_object();
  if (root) {
    w.member_raw("_value", root->raw());
  } else {
    w.member("_raw_arguments", arguments);
  }
  w.end_object();
  return out;
}

}  // namespace llmproxy
