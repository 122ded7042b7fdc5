// Gemini generateContent: results of tools. Their text becomes an object;
// their files stand within them or, where the model takes none there, behind
// all results of the turn.
#include <iterator>
#include <utility>

#include "chat/losses.h"
#include "chat/turns.h"
#include "dialects/gemini/messages.h"

namespace llmproxy::gemini {
namespace {

bool is_file(const ContentPart& part) {
  return part.as<ImagePart>() != nullptr || part.as<DocumentPart>() != nullptr;
}

}  // namespace

Result<void> MessagesWriter::write_tool_result(const Item& item) {
  const auto& result = *item.part->as<ToolResultPart>();
  std::vector<Item> files;
  for (std::size_t i = 0; i < result.content.size(); ++i) {
    const ContentPart& part = result.content[i];
    if (is_file(part)) files.push_back({&part, path_of(item.path, part, i)});
  }
  const bool inside = traits_.tool_result_images;
  const auto name = names_.find(result.call_id);
  w_.begin_object();
  w_.begin_object("functionResponse");
  w_.member("id", result.call_id);
  w_.member("name", name == names_.end() ? "unknown" : name->second);
  w_.key("response");
  write_response(result, item.path);
  if (inside && !files.empty()) {
    w_.begin_array("parts");
    for (const Item& file : files) LLMPROXY_TRY(write_file(file));
    w_.end_array();
  }
  w_.end_object();
  w_.extensions(item.part->extensions);
  w_.end_object();
  if (inside) return {};
  std::move(files.begin(), files.end(), std::back_inserter(moved_));
  return {};
}

/// The result as the object it must be. Text that is an object stays one.
void MessagesWriter::write_response(const ToolResultPart& result,
                                    const std::string& path) {
  for (std::size_t i = 0; i < result.content.size(); ++i) {
    const ContentPart& part = result.content[i];
    if (part.as<TextPart>() != nullptr || is_file(part)) continue;
    lose(path_of(path, part, i), "anything but text and files in tool results");
  }
  const std::string text = joined_text(result.content, "\n");
  if (!result.is_error && json::is_json_object(text)) return w_.raw(text);
  w_.object(result.is_error ? "error" : "output", text);
}

/// An image or a document of a tool's result.
Result<void> MessagesWriter::write_file(const Item& file) {
  w_.begin_object();
  LLMPROXY_TRY(write_value(*file.part, file.path));
  w_.extensions(file.part->extensions);
  w_.end_object();
  return {};
}

/// Only results may follow a call: files stand behind all of them.
Result<void> MessagesWriter::write_moved() {
  for (const Item& file : std::exchange(moved_, {})) {
    llmproxy::lose(losses_, file.path, "the model " + request_.model,
                   "files in tool results", "it was moved behind them");
    LLMPROXY_TRY(write_file(file));
  }
  return {};
}

}  // namespace llmproxy::gemini
