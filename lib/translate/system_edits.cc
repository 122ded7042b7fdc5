// Editing the system prompt: splices into the client's own JSON text.
#include "llmproxy/system_edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "json/json.h"
#include "llmproxy/dialect_serving.h"
#include "translate/parsed_root.h"
#include "translate/progress.h"
#include "translate/splices.h"

namespace llmproxy {
namespace {

using json::Value;
using Names = std::span<const std::string_view>;

constexpr std::string_view kBlankLine = "\n\n";

bool contains(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The member by any of its spellings: the first that says something, else
/// one that is null.
Value member(const Value& object, Names names) {
  Value found;
  for (const std::string_view name : names) {
    const Value value = object[name];
    if (!value.absent()) return value;
    if (!found) found = value;
  }
  return found;
}

bool is_system_turn(const Value& turn) {
  const std::string_view role = turn["role"].string();
  return role == "system" || role == "developer";
}

/// The answer to a call, as an item of its own [openai-responses].
bool is_output_item(const Value& turn) {
  return turn["type"].string().ends_with("_output");
}

/// A table's JSON with the text in its place.
std::string filled(std::string_view form, std::string_view text) {
  const std::size_t place = form.find('$');
  return fmt::format("{}{}{}", form.substr(0, place), quoted(text),
                     form.substr(place + 1));
}

using Replacements = decltype(SystemEdits::replacements);

std::string replaced(std::string text, const Replacements& replacements) {
  for (const auto& [from, to] : replacements) {
    if (from.empty()) continue;
    std::string out;
    std::size_t done = 0;
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, done)) {
      out.append(text, done, at - done);
      out += to;
      done = at + from.size();
    }
    if (done == 0) continue;
    out.append(text, done);
    text = std::move(out);
  }
  return text;
}

/// The texts of a system prompt or turn, by what may be done to them.
struct Texts {
  std::vector<Value> own;
  /// Only marked for others to look at [bedrock-converse: guardContent]:
  /// nothing of ours goes there.
  std::vector<Value> guarded;
};

void add_block(const Value& block, Texts& texts) {
  const Value text = block.is_string() ? block : block["text"];
  const Value guarded = block["guardContent"]["text"]["text"];
  if (text.is_string()) texts.own.push_back(text);
  if (guarded.is_string()) texts.guarded.push_back(guarded);
}

void add_content(const Value& content, Texts& texts) {
  if (!content.is_array()) return add_block(content, texts);
  for (const Value block : content.children()) add_block(block, texts);
}

/// One request being edited.
class Editor {
 public:
  Editor(const SystemShape& shape, const Value& root, std::string_view text,
         const SystemEdits& edits)
      : shape_(shape), root_(root), edits_(edits), splices_(text) {}

  void edit_system();
  void add_progress(std::string_view text);
  std::string finish() { return splices_.apply(); }

 private:
  Value turns() const {
    const Value value = root_[shape_.turns];
    return value.is_array() ? value : Value();
  }
  void collect(Texts& top, Texts& others) const;
  void edit_text(const Value& text, std::string_view append);
  void append_to(const Value& text, std::string_view more);
  void add_system();
  void add_part(const Value& system);
  void add_system_turn();

  const SystemShape& shape_;
  Value root_;
  const SystemEdits& edits_;
  Splices splices_;
};

void Editor::collect(Texts& top, Texts& others) const {
  const Value system = member(root_, shape_.system);
  const bool held = (system.is_string() && shape_.in_string) ||
                    (system.is_array() && shape_.in_blocks);
  if (held) add_content(system, top);
  if (system.is_object() && shape_.in_content) {
    add_content(system["parts"], top);
  }
  bool leading = shape_.system.empty();
  for (const Value turn : turns().children()) {
    leading = leading && is_system_turn(turn);
    if (!is_system_turn(turn)) continue;
    add_content(turn[shape_.content], leading ? top : others);
  }
}

void Editor::edit_system() {
  Texts top;
  Texts others;
  collect(top, others);
  const Value last = top.own.empty() ? Value() : top.own.back();
  if (last) {
    top.own.pop_back();
    edit_text(last, edits_.append);
  } else if (!edits_.append.empty()) {
    add_system();
  }
  for (const Texts* texts : {&top, &others}) {
    for (const Value& text : texts->own) edit_text(text, {});
    for (const Value& text : texts->guarded) edit_text(text, {});
  }
}

void Editor::edit_text(const Value& text, std::string_view append) {
  std::string next = replaced(std::string(text.string()), edits_.replacements);
  if (next == text.string()) {
    if (!append.empty()) append_to(text, append);
    return;
  }
  if (!next.empty() && !append.empty()) next += kBlankLine;
  next += append;
  splices_.replace(text.raw(), quoted(next));
}

void Editor::append_to(const Value& text, std::string_view more) {
  if (!text.string().empty()) splices_.extend(text, kBlankLine);
  splices_.extend(text, more);
}

void Editor::add_system() {
  if (shape_.system.empty()) return add_system_turn();
  if (!member(root_, shape_.kept).absent()) return;
  const Value system = member(root_, shape_.system);
  const std::string value = filled(shape_.new_system, edits_.append);
  if (system.is_array() && shape_.in_blocks) {
    splices_.insert_back(system, filled(shape_.new_part, edits_.append));
  } else if (system.is_object() && shape_.in_content) {
    add_part(system);
  } else if (system.is_null()) {
    splices_.replace(system.raw(), value);
  } else if (!system) {
    splices_.insert_front(root_,
                          fmt::format("\"{}\":{}", shape_.system[0], value));
  }
}

/// To a system prompt in parts that has no text.
void Editor::add_part(const Value& system) {
  const Value parts = system["parts"];
  const std::string part = filled(shape_.new_part, edits_.append);
  if (parts.is_array()) {
    splices_.insert_back(parts, part);
  } else if (parts.is_null()) {
    splices_.replace(parts.raw(), fmt::format("[{}]", part));
  } else if (!parts) {
    splices_.insert_front(system, fmt::format("\"parts\":[{}]", part));
  }
}

/// As the first turn; or into the system turns that are there, where none of
/// them holds a text.
void Editor::add_system_turn() {
  Value content;
  for (const Value turn : turns().children()) {
    if (!is_system_turn(turn)) break;
    content = turn[shape_.content];
  }
  if (content.is_array()) {
    splices_.insert_back(content, filled(shape_.new_part, edits_.append));
  } else if (turns().size() > 0) {
    splices_.insert_front(turns(), filled(shape_.new_system, edits_.append));
  }
}

void Editor::add_progress(std::string_view text) {
  const Value last = last_child(turns());
  const std::string_view role = last["role"].string();
  const Value content = last[shape_.content];
  if (contains(shape_.followed, role) ||
      (!shape_.new_turn.empty() && is_output_item(last))) {
    splices_.insert_back(turns(), filled(shape_.new_turn, text));
  } else if (contains(shape_.joined, role) && content.is_string()) {
    append_to(content, text);
  } else if (contains(shape_.joined, role) && content.is_array()) {
    splices_.insert_back(content, filled(shape_.new_part, text));
  }
}

/// The model has spoken, and is to speak next.
bool has_progress(const ChatRequest& chat) {
  const auto is_answer = [](const Message& message) {
    return message.role == Role::assistant;
  };
  return !chat.messages.empty() && chat.messages.back().role == Role::user &&
         std::any_of(chat.messages.begin(), chat.messages.end(), is_answer);
}

}  // namespace

Result<std::string> edit_system(const ParsedRequest& request,
                                const SystemEdits& edits) {
  const SystemShape* shape = request.dialect().system_shape;
  if (edits.empty() || shape == nullptr) return std::string(request.body());
  Editor editor(*shape, ParsedRoot::of(request), request.body(), edits);
  editor.edit_system();
  if (edits.progress) {
    LLMPROXY_ASSIGN(const ChatRequest chat, request.decode());
    if (has_progress(chat)) {
      editor.add_progress(
          fmt::format("<session-progress>\n{}\n</session-progress>",
                      summarize_progress(chat)));
    }
  }
  return editor.finish();
}

}  // namespace llmproxy
