// Substitution of `${NAME}` and access to the process environment.
#include "gateway/environment.h"

#include <sys/stat.h>
#include <unistd.h>

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

#include "base/text.h"
#include "llmproxy/config_files.h"

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

constexpr std::string_view kBlanks = " \t\r";

/// A value without its quotes, or without the comment behind it.
std::string_view dotenv_value(std::string_view text) {
  text = trimmed(text, kBlanks);
  const char quote = text.empty() ? '\0' : text.front();
  if (quote == '"' || quote == '\'') {
    const std::size_t end = text.find(quote, 1);
    if (end != std::string_view::npos) return text.substr(1, end - 1);
  }
  return trimmed(text.substr(0, text.find(" #")), kBlanks);
}

bool has_open_quote(std::string_view text) {
  text = trimmed(text, kBlanks);
  const char quote = text.empty() ? '\0' : text.front();
  return (quote == '"' || quote == '\'') && text.find(quote, 1) == text.npos;
}

/// One line: a name and its value, nothing, or a mistake.
struct DotenvLine {
  std::string name;
  std::string value;
  std::string_view fault;
};

DotenvLine read_dotenv_line(std::string_view line) {
  constexpr std::string_view kExport = "export ";
  line = trimmed(line, kBlanks);
  if (line.empty() || line.front() == '#') return {};
  if (line.starts_with(kExport)) line.remove_prefix(kExport.size());
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    return {{}, {}, "expected NAME=value; the line is ignored"};
  }
  const std::string_view name = trimmed(line.substr(0, equals), kBlanks);
  if (!gateway::is_name(name)) {
    return {{},
            {},
            "expected a name of letters, digits and _ before =; the line is "
            "ignored"};
  }
  const std::string_view value = line.substr(equals + 1);
  DotenvLine out{std::string(name), std::string(dotenv_value(value)), {}};
  if (has_open_quote(value)) {
    out.fault = "the quote is never closed, and becomes part of the value";
  }
  return out;
}

/// Calls `use` with each line and its number, from 1.
template <class Use>
void each_dotenv_line(std::string_view text, Use use) {
  constexpr std::string_view kBom = "\xEF\xBB\xBF";
  if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
  for (int number = 1; !text.empty(); ++number) {
    use(read_dotenv_line(text.substr(0, text.find('\n'))), number);
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
}

std::map<std::string, std::string> parse_dotenv(std::string_view text) {
  std::map<std::string, std::string> out;
  each_dotenv_line(text, [&](DotenvLine line, int) {
    if (!line.name.empty()) out[line.name] = std::move(line.value);
  });
  return out;
}

/// A type of its own, so that one can be asked where a value is from.
struct DotenvEnvironment {
  Environment real;
  std::map<std::string, std::string> values;

  std::optional<std::string> operator()(const std::string& name) const {
    if (auto value = real(name)) return value;
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  }
};

}  // namespace

Environment with_dotenv(Environment environment, const std::string& file) {
  if (!check_dotenv(file)) return environment;
  const Result<std::string> text = gateway::read_whole_file(file);
  if (!text) return environment;
  return DotenvEnvironment{std::move(environment), parse_dotenv(*text)};
}

Result<void> check_dotenv(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return invalid_request(
        fmt::format("{0}: other users can write this file (mode {1:03o}), and "
                    "could send your "
                    "keys anywhere: chmod go-w {0}",
                    file, status.st_mode & 0777u));
  }
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return invalid_request(fmt::format(
        "{}: this file belongs to another user, who could send your keys "
        "anywhere: own it, or remove it",
        file));
  }
  return {};
}

std::vector<std::string> dotenv_warnings(const std::string& file) {
  std::vector<std::string> out;
  const Result<std::string> text = gateway::read_whole_file(file);
  if (!text) return out;
  each_dotenv_line(*text, [&](const DotenvLine& line, int number) {
    if (line.fault.empty()) return;
    out.push_back(fmt::format("{}:{}: {}", file, number, line.fault));
  });
  return out;
}

namespace gateway {

bool is_from_dotenv(const Environment& environment, const std::string& name) {
  const auto* layered = environment.target<DotenvEnvironment>();
  if (layered == nullptr) return false;
  if (layered->real(name)) return is_from_dotenv(layered->real, name);
  return layered->values.contains(name);
}

std::string origin_of_variable(const Environment& environment,
                               std::string_view name) {
  const std::string text(name);
  return (is_from_dotenv(environment, text) ? ".env " : "environment ") + text;
}

}  // namespace gateway

}  // namespace llmproxy
