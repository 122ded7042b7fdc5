// Changes to a JSON text that keep every other byte of it.
#include "translate/splices.h"

#include <algorithm>
#include <utility>

#include "json/text.h"

namespace llmproxy {

using json::Value;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  json::append_escaped(out, json::replace_invalid_utf8(text));
  out += '"';
  return out;
}

Value last_child(const Value& array) {
  Value last;
  for (const Value child : array.children()) last = child;
  return last;
}

void Splices::replace(std::string_view old, std::string text) {
  edits_.push_back({offset(old), old.size(), std::move(text)});
}

void Splices::insert_front(const Value& into, std::string text) {
  if (into.size() > 0) text += ',';
  edits_.push_back({offset(into.raw()) + 1, 0, std::move(text)});
}

void Splices::insert_back(const Value& array, std::string text) {
  const Value last = last_child(array);
  if (!last) return insert_front(array, std::move(text));
  edits_.push_back(
      {offset(last.raw()) + last.raw().size(), 0, "," + std::move(text)});
}

void Splices::extend(const Value& string, std::string_view text) {
  const std::string escaped = quoted(text);
  edits_.push_back({offset(string.raw()) + string.raw().size() - 1, 0,
                    escaped.substr(1, escaped.size() - 2)});
}

std::string Splices::apply() {
  std::stable_sort(
      edits_.begin(), edits_.end(),
      [](const Edit& a, const Edit& b) { return a.offset < b.offset; });
  std::string out;
  std::size_t done = 0;
  for (const Edit& edit : edits_) {
    out.append(text_.substr(done, edit.offset - done));
    out += edit.text;
    done = edit.offset + edit.length;
  }
  out.append(text_.substr(done));
  return out;
}

}  // namespace llmproxy
