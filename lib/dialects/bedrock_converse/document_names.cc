#include "dialects/bedrock_converse/document_names.h"

#include <fmt/format.h>

namespace llmproxy::bedrock_converse {
namespace {

bool is_name_char(char c) {
  constexpr std::string_view kOthers = "-()[]";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || kOthers.find(c) != std::string_view::npos;
}

/// `title` without its file ending, in the characters a name may have; empty
/// when no letter or digit is left.
std::string clean_name(std::string_view title) {
  constexpr std::size_t kLongest = 180;  // of 200: room for a number
  constexpr std::size_t kLongestEnding = 5;
  const std::size_t dot = title.rfind('.');
  if (dot != std::string_view::npos && title.size() - dot <= kLongestEnding) {
    title = title.substr(0, dot);
  }
  std::string out;
  bool letters = false;
  for (const char c : title.substr(0, kLongest)) {
    if (is_name_char(c)) {
      out += c;
      letters = letters || (c | 32) >= 'a' || (c >= '0' && c <= '9');
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return letters ? out : std::string();
}

}  // namespace

std::string DocumentNames::next(std::string_view title) {
  const std::string clean = clean_name(title);
  std::string name = clean;
  int copy = 1;
  if (name.empty()) name = fmt::format("document {}", ++unnamed_);
  while (!given_.insert(name).second) {
    name = clean.empty() ? fmt::format("document {}", ++unnamed_)
                         : fmt::format("{} {}", clean, ++copy);
  }
  return name;
}

}  // namespace llmproxy::bedrock_converse
