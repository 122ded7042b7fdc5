// Substitution of `${NAME}` and access to the process environment.
#include "gateway/environment.h"

#include <cstdlib>

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

bool is_name(std::string_view text) {
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_name_char(text[i], i == 0)) return false;
  }
  return true;
}

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
    return invalid_request(
        fmt::format("the environment variable {0} is not set; set it, or write "
                    "${{{0}:-default}}",
                    name));
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

}  // namespace gateway

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

}  // namespace llmproxy
