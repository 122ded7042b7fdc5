// Substitution of `${NAME}` and access to the process environment.
#include "gateway/environment.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace llmproxy {
namespace gateway {
namespace {

constexpr std::string_view kOpen = "${";
constexpr std::string_view kDefault = ":-";

bool is_name_char(char c, bool first) {
  const bool letter =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return letter || (!first && c >= '0' && c <= '9');
}

}  // namespace

bool is_name(std::string_view text) {
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_name_char(text[i], i == 0)) return false;
  }
  return true;
}

Result<std::string> read_whole_file(const std::string& file) {
  // stdio, as a stream cannot tell a directory from an empty file.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(
      std::fopen(file.c_str(), "rb"), &std::fclose);
  std::string text;
  std::array<char, 4096> piece;
  while (in) {
    const std::size_t n = std::fread(piece.data(), 1, piece.size(), in.get());
    if (n == 0) break;
    text.append(piece.data(), n);
  }
  if (in && !std::ferror(in.get())) return text;
  return invalid_request(
      fmt::format("{}: cannot be read: {}", file, std::strerror(errno)));
}

namespace {

// `inside` is what stands between the braces.
Result<std::string> look_up(std::string_view inside,
                            const Environment& environment) {
  const std::size_t colon = inside.find(kDefault);
  const std::string name(inside.substr(0, colon));
  if (!is_name(name)) {
    return invalid_request(
        "${...} must hold the name of an environment variable, optionally "
        "followed by :- and a default");
  }
  const std::optional<std::string> value = environment(name);
  if (colon == std::string_view::npos) {
    if (value) return *value;
    Error unset = invalid_request(
        fmt::format("the environment variable {0} is not set; set it, or write "
                    "${{{0}:-default}}",
                    name));
    unset.code = kUnsetVariable;
    return unset;
  }
  // As in the shell, ":-" also replaces a variable that is set but empty.
  if (value && !value->empty()) return *value;
  return std::string(inside.substr(colon + kDefault.size()));
}

}  // namespace

Result<std::string> substitute(std::string_view text,
                               const Environment& environment) {
  std::string out;
  while (true) {
    const std::size_t open = text.find(kOpen);
    out.append(text.substr(0, open));
    if (open == std::string_view::npos) return out;
    text.remove_prefix(open + kOpen.size());
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) {
      return invalid_request("\"${\" is never closed by \"}\"");
    }
    LLMPROXY_ASSIGN(const std::string value,
                    look_up(text.substr(0, close), environment));
    out.append(value);
    text.remove_prefix(close + 1);
  }
}

std::vector<std::string> variables_of(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t open = text.find(kOpen); open != std::string_view::npos;
       open = text.find(kOpen)) {
    text.remove_prefix(open + kOpen.size());
    const std::string_view inside = text.substr(0, text.find('}'));
    out.emplace_back(inside.substr(0, inside.find(kDefault)));
  }
  return out;
}

}  // namespace gateway

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// A value without its quotes, or without the comment behind it.
std::string_view dotenv_value(std::string_view text) {
  text = trimmed(text);
  const char quote = text.empty() ? '\0' : text.front();
  if (quote == '"' || quote == '\'') {
    const std::size_t end = text.find(quote, 1);
    if (end != std::string_view::npos) return text.substr(1, end - 1);
  }
  return trimmed(text.substr(0, text.find(" #")));
}

std::map<std::string, std::string> parse_dotenv(std::string_view text) {
  constexpr std::string_view kExport = "export ";
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    std::string_view line = trimmed(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    if (line.starts_with(kExport)) line.remove_prefix(kExport.size());
    const std::size_t equals = line.find('=');
    const std::string_view name = trimmed(line.substr(0, equals));
    if (equals == std::string_view::npos || !gateway::is_name(name)) continue;
    out[std::string(name)] = dotenv_value(line.substr(equals + 1));
  }
  return out;
}

}  // namespace

Environment with_dotenv(Environment environment, const std::string& file) {
  const Result<std::string> text = gateway::read_whole_file(file);
  if (!text) return environment;
  return [environment = std::move(environment), values = parse_dotenv(*text)](
             const std::string& name) -> std::optional<std::string> {
    if (auto value = environment(name)) return value;
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

}  // namespace llmproxy
