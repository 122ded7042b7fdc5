#include "gateway/config_rules.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/text.h"
#include "gateway/environment.h"
#include "llmproxy/dialect.h"

namespace llmproxy::gateway {
namespace {

bool is_control(unsigned char c) { return c < ' ' || c == 0x7f; }

bool is_visible(unsigned char c) { return c > ' ' && c < 0x7f; }

bool is_region_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// What our own paths begin with, besides those of the dialects.
constexpr std::array<std::string_view, 3> kOwnPaths = {"api", "health",
                                                       "healthz"};

std::string_view first_segment(std::string_view path) {
  path.remove_prefix(std::min<std::size_t>(path.size(), 1));
  return path.substr(0, path.find('/'));
}

bool is_own_path(std::string_view name) {
  if (std::find(kOwnPaths.begin(), kOwnPaths.end(), name) != kOwnPaths.end()) {
    return true;
  }
  const auto serves = [name](const Dialect* dialect) {
    return std::any_of(dialect->client_paths.begin(),
                       dialect->client_paths.end(),
                       [name](const ClientPath& path) {
                         return first_segment(path.pattern) == name;
                       });
  };
  const auto all = dialects();
  return std::any_of(all.begin(), all.end(), serves);
}

/// How others write that a variable is meant: what the name of one stands
/// behind, and before.
struct VariableForm {
  std::string_view before;
  std::string_view after;
};
constexpr std::array kVariableForms = {
    VariableForm{"$", ""},     VariableForm{"os.environ/", ""},
    VariableForm{"env.", ""},  VariableForm{"env:", ""},
    VariableForm{"env/", ""},  VariableForm{"$(", ")"},
    VariableForm{"$env:", ""}, VariableForm{"%", "%"},
    VariableForm{"{{", "}}"},  VariableForm{"${{", "}}"},
    VariableForm{"{", "}"},    VariableForm{"process.env.", ""},
    VariableForm{"!env ", ""}, VariableForm{"os.getenv(", ")"},
    VariableForm{"env(", ")"},
};

bool is_variable(std::string_view key) {
  return std::any_of(
      kVariableForms.begin(), kVariableForms.end(), [&](const auto& row) {
        if (key.size() <= row.before.size() + row.after.size() ||
            !key.starts_with(row.before) || !key.ends_with(row.after)) {
          return false;
        }
        const std::string_view name = trimmed(
            key.substr(row.before.size(),
                       key.size() - row.before.size() - row.after.size()),
            " ");
        return is_name(name) ||
               (name.starts_with("env.") && is_name(name.substr(4)));
      });
}

bool is_beyond_ascii(char c) {
  return (static_cast<unsigned char>(c) & 0x80) != 0;
}

bool is_quoted(std::string_view key) {
  return key.size() > 1 && key.front() == key.back() &&
         (key.front() == '"' || key.front() == '\'' || key.front() == '`');
}

/// Words of examples.
constexpr std::array<std::string_view, 8> kPlaceholders = {
    "...", "your-", "your_", "<", "xxxx", "changeme", "replace", "placeholder"};

}  // namespace

std::string literal_fault(std::string_view key) {
  if (is_variable(key)) {
    return "this is sent literally; a variable is written ${NAME}";
  }
  const std::string text = lower(key);
  if (text.starts_with("bearer ")) {
    return "this begins with \"Bearer \", which is not part of the key";
  }
  if (is_quoted(key)) return "this has quotes around it, which are sent too";
  if (std::any_of(key.begin(), key.end(), is_beyond_ascii)) {
    return "this has letters beyond ASCII, such as typographic quotes or "
           "dashes, which no key has";
  }
  const bool example = std::any_of(
      kPlaceholders.begin(), kPlaceholders.end(), [&](std::string_view word) {
        return text.find(word) != std::string::npos;
      });
  return example ? "this looks like a placeholder, not a key" : "";
}

std::string trimmed_key(std::string key) {
  while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
  return key;
}

std::string key_fault(std::string_view key) {
  if (key.empty()) return "the key is empty";
  if (std::any_of(key.begin(), key.end(), is_control)) {
    return "the key holds a line break, a NUL or another control character, "
           "which no header can hold";
  }
  if (key.starts_with(' ') || key.ends_with(' ')) {
    return "the key has spaces around it, which headers do not keep";
  }
  return {};
}

std::string query_fault(std::string_view query) {
  const bool well = std::all_of(query.begin(), query.end(), is_visible) &&
                    query.find_first_of("#\\?") == std::string_view::npos;
  return well ? "" : "expected name=value, without spaces, ? and #";
}

std::string region_fault(std::string_view region) {
  const bool well = !region.empty() &&
                    std::all_of(region.begin(), region.end(), is_region_char);
  return well ? "" : "expected a region such as us-east-1";
}

std::string backend_name_fault(std::string_view name) {
  if (name.find('/') != std::string_view::npos) {
    return "expected a backend's name without /";
  }
  const bool well = !name.empty() && name != "." && name != ".." &&
                    std::all_of(name.begin(), name.end(), is_visible) &&
                    name.find_first_of("?#%\\") == std::string_view::npos;
  if (!well) {
    return "expected a backend's name that can stand in a path: ASCII without "
           "spaces and without ? # % \\";
  }
  if (is_own_path(name)) {
    return "expected another name: our own paths begin with this one";
  }
  return {};
}

}  // namespace llmproxy::gateway
