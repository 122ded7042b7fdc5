#include "chat/custom_tools.h"

#include <algorithm>
#include <array>

#include "base/bounded.h"
#include "json/json.h"
#include "json/text.h"
#include "json/writer.h"

namespace llmproxy {
namespace {

constexpr std::string_view kSchema =
    R"({"type":"object","properties":{"input":{"type":"string"}},)"
    R"("required":["input"],"additionalProperties":false})";

std::string wrapped(std::string_view text) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.member("input", text);
  w.end_object();
  return out;
}

/// The grammar of a custom tool's format, for the description.
std::string grammar_of(const RawJson& format) {
  json::Document document;
  const auto root = document.parse_view(format.text());
  if (!root) return {};
  const json::Value nested = (*root)["grammar"];
  const json::Value definition =
      nested.is_object() ? nested["definition"] : (*root)["definition"];
  return std::string(definition.string());
}

/// What stands before the text, apart from blanks.
constexpr std::array<std::string_view, 4> kHead = {"{", "\"input\"", ":", "\""};

}  // namespace

void wrap_custom_tools(ChatRequest& request, RequestContext& context,
                       Losses& losses) {
  std::size_t index = 0;
  for (ToolDefinition& tool : request.tools) {
    const std::string path = json::pointer("/tools", index++);
    if (tool.kind != ToolKind::custom) continue;
    context.custom_tools.push_back(tool.name);
    const std::string grammar = grammar_of(tool.schema);
    if (!grammar.empty()) {
      tool.description += "\n\nThe input must follow this grammar:\n" + grammar;
      add_loss(losses, {path + "/custom/format",
                        "the grammar is told in the description only",
                        LossKind::approximated});
    } else {
      add_loss(losses, {path,
                        "the tool's free text travels as the one string of "
                        "an object",
                        LossKind::approximated});
    }
    tool.kind = ToolKind::function;
    tool.schema = json::Trusted::json(std::string(kSchema));
  }
  for (Message& message : request.messages) {
    for (ContentPart& part : message.content) {
      auto* call = part.as<ToolCallPart>();
      if (call == nullptr || !call->custom) continue;
      call->custom = false;
      call->arguments = wrapped(call->arguments);
    }
  }
}

/// Goes on where the last fragment ended.
bool InputUnwrapper::find_text() {
  for (; head_ < kHead.size(); ++head_) {
    const std::string_view token = kHead[head_];
    while (at_ < raw_.size() && static_cast<unsigned char>(raw_[at_]) <= ' ') {
      ++at_;
    }
    if (raw_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
  }
  in_text_ = true;
  return true;
}

/// Decodes up to the closing quote or the last complete escape.
void InputUnwrapper::decode(std::string& out) {
  std::size_t end = at_;
  while (end < raw_.size() && raw_[end] != '"') {
    if (raw_[end] != '\\') {
      ++end;
      continue;
    }
    std::size_t length =
        raw_[std::min(end + 1, raw_.size() - 1)] == 'u' ? 6 : 2;
    // The halves of a surrogate pair (\uD8xx..\uDBxx and what follows) belong
    // together.
    if (length == 6 && end + 4 <= raw_.size() &&
        (raw_[end + 2] == 'd' || raw_[end + 2] == 'D') &&
        std::string_view("89abAB").find(raw_[end + 3]) !=
            std::string_view::npos) {
      length = 12;
    }
    if (end + length > raw_.size()) break;
    end += length == 12 && raw_.compare(end + 6, 2, "\\u") != 0 ? 6 : length;
  }
  json::unescape(std::string_view(raw_).substr(at_, end - at_), out);
  done_ = end < raw_.size() && raw_[end] == '"';
  raw_.erase(0, end);
  at_ = 0;
}

void InputUnwrapper::feed(std::string_view fragment, std::string& out) {
  if (done_) return;
  raw_.append(fragment);
  if (!in_text_ && !find_text()) return;
  decode(out);
}

bool InputUnwrapper::finish(std::string& out) {
  if (done_) return true;
  if (in_text_) {
    out.append(raw_.substr(at_));  // cut in the middle: as it is
    return false;
  }
  json::Document document;
  const auto root = document.parse_view(raw_);
  if (!root) {
    out.append(raw_);
  } else if (root->is_string()) {
    out.append(root->string());
  } else {
    json::Value text = (*root)["input"];
    for (const json::Value member : root->children()) {
      if (!text && member.is_string()) text = member;
    }
    out.append(text.is_string() ? text.string() : root->raw());
  }
  return false;
}

}  // namespace llmproxy
