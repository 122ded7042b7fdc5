#include "gateway/answer_ids.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "gateway/random_id.h"
#include "json/json.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kPrefix = "resp_";

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// True when `before` ends in the beginning of an id: a quote, a kind, "_".
bool begins_id(std::string_view before) {
  if (!before.ends_with('_')) return false;
  before.remove_suffix(1);
  while (!before.empty() && is_letter(before.back())) before.remove_suffix(1);
  return before.ends_with('"');
}

/// True when `after` begins with the end of an id: a quote, or "_", a number
/// and a quote.
bool ends_id(std::string_view after) {
  if (after.starts_with('_')) {
    after.remove_prefix(1);
    if (after.empty() || !is_digit(after.front())) return false;
    while (!after.empty() && is_digit(after.front())) after.remove_prefix(1);
  }
  return after.starts_with('"');
}

/// The id in the first event that has one.
std::string id_in(std::string_view events) {
  constexpr std::string_view kData = "data:";
  while (!events.empty()) {
    const std::string_view line = events.substr(0, events.find('\n'));
    events.remove_prefix(std::min(line.size() + 1, events.size()));
    if (!line.starts_with(kData)) continue;
    json::Document document;
    const auto event = document.parse(std::string(line.substr(kData.size())));
    if (!event) continue;
    const std::string_view id = (*event)["response"]["id"].string();
    if (!id.empty()) return std::string(id);
  }
  return {};
}

}  // namespace

std::string new_answer_id() { return std::string(kPrefix) + random_id(); }

void AnswerIdChange::apply_to_answer(std::string& body) {
  json::Document document;
  if (const auto root = document.parse(body)) from_ = (*root)["id"].string();
  replace(body);
}

void AnswerIdChange::apply_to_events(std::string& events) {
  if (from_.empty()) from_ = id_in(events);
  replace(events);
}

void AnswerIdChange::replace(std::string& text) const {
  if (from_.empty() || !to_.starts_with(kPrefix)) return;
  const bool prefixed = from_.starts_with(kPrefix);
  const std::string_view old =
      std::string_view(from_).substr(prefixed ? kPrefix.size() : 0);
  const std::string_view own =
      std::string_view(to_).substr(prefixed ? kPrefix.size() : 0);
  if (old.empty()) return;
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = text.find(old); at != std::string::npos;
       at = text.find(old, at + old.size())) {
    const std::string_view before = std::string_view(text).substr(0, at);
    const std::string_view after =
        std::string_view(text).substr(at + old.size());
    const bool whole = prefixed
                           ? begins_id(before) && ends_id(after)
                           : before.ends_with('"') && after.starts_with('"');
    if (!whole) continue;
    out.append(text, done, at - done).append(own);
    done = at + old.size();
  }
  if (done == 0) return;
  text = out.append(text, done);
}

}  // namespace llmproxy::gateway
