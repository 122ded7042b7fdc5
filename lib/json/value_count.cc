#include "json/value_count.h"

namespace llmproxy::json {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

/// Behind the string that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

}  // namespace

bool has_more_values(std::string_view text, std::size_t most) {
  // Most texts are too short for it: a value and its comma are two bytes.
  if (text.size() / 2 < most) return false;
  std::size_t values = 1;
  for (std::size_t at = 0; at < text.size() && values <= most;) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
      continue;
    }
    ++at;
    if (c == ',') ++values;
    if (c != '[' && c != '{') continue;
    at = skip_spaces(text, at);
    const char close = c == '[' ? ']' : '}';
    if (at < text.size() && text[at] != close) ++values;
  }
  return values > most;
}

}  // namespace llmproxy::json
