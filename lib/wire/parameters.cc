#include "wire/parameters.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/text.h"

namespace llmproxy::wire {
namespace {

void skip_blanks(std::string_view& text) {
  text.remove_prefix(
      std::min(text.find_first_not_of(kBlanksAndTabs), text.size()));
}

/// `text` begins behind the first quote. False = there is no other.
bool take_quoted(std::string_view& text, Parameter& out) {
  std::size_t i = 0;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\') {
      out.escaped = true;
      if (++i == text.size()) return false;
    }
    out.value += text[i];
  }
  if (i == text.size()) return false;
  text.remove_prefix(i + 1);
  return true;
}

bool take_plain(std::string_view& text, Parameter& out) {
  const std::string_view value =
      trimmed(text.substr(0, std::min(text.find(';'), text.size())));
  if (value.empty() || value.find_first_of("\" \t") != value.npos) {
    return false;
  }
  out.value = value;
  text.remove_prefix(std::min(text.find(';'), text.size()));
  return true;
}

/// `text` begins with the parameter's name.
bool take_parameter(std::string_view& text, Parameter& out) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = trimmed(text.substr(0, equals));
  if (!is_token(name)) return false;
  out.name = lower(name);
  text.remove_prefix(equals + 1);
  skip_blanks(text);
  if (!text.starts_with('"')) return take_plain(text, out);
  text.remove_prefix(1);
  return take_quoted(text, out);
}

}  // namespace

std::optional<std::vector<Parameter>> parameters_of(std::string_view text) {
  std::vector<Parameter> out;
  if (has_control(text)) return std::nullopt;
  for (;;) {
    skip_blanks(text);
    if (text.empty()) return out;
    if (text.front() != ';') return std::nullopt;
    text.remove_prefix(1);
    skip_blanks(text);
    if (text.empty()) return out;
    Parameter parameter;
    if (!take_parameter(text, parameter)) return std::nullopt;
    out.push_back(std::move(parameter));
  }
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) {
    return (c < ' ' && c != '\t') || c == 0x7f;
  });
}

}  // namespace llmproxy::wire
