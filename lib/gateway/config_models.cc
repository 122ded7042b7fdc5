#include "gateway/config_models.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "gateway/config_fields.h"
#include "gateway/config_rules.h"
#include "gateway/config_sources.h"
#include "gateway/headers.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy::gateway {
namespace {

/// One model. A map's has its route only, a list's brings its backend along.
struct Entry {
  Route route;
  const Dialect* frontend = nullptr;
  const Dialect* dialect = nullptr;
  std::string base_url;
  std::string api_key;
  std::string auth_header;
  std::optional<std::string> auth_schema;
};

Result<void> read_replacements(const YamlNode& node, Entry& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [old, value] : members) {
    LLMPROXY_ASSIGN(std::string text, value.text());
    out.route.system.replacements.emplace_back(old, std::move(text));
  }
  return {};
}

bool is_path_char(char c) {
  constexpr std::string_view kEnds = "?#%\\";
  return c > ' ' && c < '\x7f' && kEnds.find(c) == std::string_view::npos;
}

/// "/openai": begins with a slash, has no other at its end, and is not the
/// root.
Result<void> read_prefix(const YamlNode& node, Entry& out) {
  LLMPROXY_ASSIGN(std::string prefix, node.text());
  while (prefix.size() > 1 && prefix.back() == '/') prefix.pop_back();
  const bool plain = std::all_of(prefix.begin(), prefix.end(), is_path_char) &&
                     prefix.find("//") == std::string::npos &&
                     (prefix + "/").find("/./") == std::string::npos &&
                     (prefix + "/").find("/../") == std::string::npos;
  if (prefix.size() < 2 || prefix.front() != '/' || !plain) {
    return node.error("expected a path such as /openai");
  }
  out.route.prefix = std::move(prefix);
  return {};
}

Result<void> read_append(const YamlNode& node, Entry& out) {
  return read_text<SystemEdits, &SystemEdits::append>(node, out.route.system);
}

Result<void> read_progress(const YamlNode& node, Entry& out) {
  return read_boolean<SystemEdits, &SystemEdits::progress>(node,
                                                           out.route.system);
}

template <std::string Route::*member>
Result<void> read_text_of(const YamlNode& node, Entry& out) {
  return read_some_text<Route, member>(node, out.route);
}

// --- The map: a name, and what it leads to.

constexpr YamlField<Entry> kReplacements{
    "system_replacements", read_replacements, kTextMap,
    "Texts to replace in the system prompt, and their replacements."};
constexpr YamlField<Entry> kAppend{"system_append", read_append, kText,
                                   "Text appended to the system prompt."};
constexpr YamlField<Entry> kProgress{"inject_progress", read_progress, kBoolean,
                                     "Append a summary of the conversation's "
                                     "progress to the last user message."};

constexpr YamlField<Entry> kMapFields[] = {
    {"backend", read_text_of<&Route::backend>, kText, "Name of a backend."},
    {"model", read_text_of<&Route::model>, kText,
     "Model to request from the backend (the client's name); a * is replaced "
     "by what the * of the name matched."},
    {"prefix", read_prefix, kText,
     "Path prefix under which it is served, e.g. /team-a."},
    kReplacements,
    kAppend,
    kProgress,
};

auto stars(const std::string& text) {
  return std::count(text.begin(), text.end(), '*');
}

Result<void> check_names(const Route& route, const YamlNode& node) {
  if (route.name.empty()) return node.error("a model's name is empty");
  if (stars(route.name) > 1) {
    return node.error("expected at most one * in a model's name");
  }
  if (stars(route.model) > stars(route.name)) {
    return node.error("expected a model without *, since the name has no *");
  }
  return {};
}

Result<void> check_backend(const Route& route, const YamlNode& node,
                           const BackendSections& sections,
                           const std::vector<Backend>& backends) {
  if (route.backend.empty()) return node.error("backend is missing");
  if (const auto found = sections.unusable.find(route.backend);
      found != sections.unusable.end()) {
    return found->second;
  }
  std::vector<std::string_view> known;
  for (const Backend& backend : backends) {
    if (backend.name == route.backend) return {};
    known.push_back(backend.name);
  }
  return node.error(fmt::format("there is no backend \"{}\"; expected {}{}",
                                route.backend, list_of(known),
                                did_you_mean(route.backend, known)));
}

Result<Route> read_map_entry(const std::string& name, const YamlNode& value) {
  Entry entry;
  if (value.is_text()) {
    LLMPROXY_ASSIGN(entry.route.backend, value.text());
  } else if (value.is_map()) {
    LLMPROXY_TRY(read_section(value, kMapFields, entry));
  } else {
    return value.error(
        "expected the name of a backend, or backend: and model:");
  }
  entry.route.name = name;
  return std::move(entry.route);
}

Result<void> read_map(const YamlNode& node, const BackendSections& sections,
                      Config& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [name, value] : members) {
    LLMPROXY_ASSIGN(Route route, read_map_entry(name, value));
    LLMPROXY_TRY(check_names(route, value));
    LLMPROXY_TRY(check_backend(route, value, sections, out.backends));
    route.origin = value.origin();
    out.routes.push_back(std::move(route));
  }
  return {};
}

// --- The list: each entry is a route together with its backend.

template <const Dialect* Entry::*member>
Result<void> read_optional_dialect(const YamlNode& node, Entry& out) {
  LLMPROXY_ASSIGN(const std::string name, node.text());
  if (name.empty()) return {};
  LLMPROXY_ASSIGN(out.*member, read_dialect_name(node));
  return {};
}

Result<void> read_entry_url(const YamlNode& node, Entry& out) {
  LLMPROXY_ASSIGN(out.base_url, read_url(node));
  return {};
}

Result<void> read_auth_header(const YamlNode& node, Entry& out) {
  LLMPROXY_ASSIGN(out.auth_header, node.text());
  if (out.auth_header.empty() || is_header_name(out.auth_header)) return {};
  return node.error("expected a header's name");
}

Result<void> read_auth_schema(const YamlNode& node, Entry& out) {
  LLMPROXY_ASSIGN(out.auth_schema, node.text());
  if (out.auth_schema->empty() || is_header_value(*out.auth_schema)) return {};
  return node.error("expected printable ASCII");
}

/// Empty = the client's.
Result<void> read_entry_key(const YamlNode& node, Entry& out) {
  LLMPROXY_ASSIGN(std::string key, node.text());
  out.api_key = trimmed_key(std::move(key));
  const std::string fault = out.api_key.empty() ? "" : key_fault(out.api_key);
  return fault.empty() ? Result<void>() : node.error(fault);
}

constexpr std::array<std::string_view, 1> kPlaces = {"backend_base_url"};
constexpr std::array<std::string_view, 1> kSecrets = {"backend_api_key"};

constexpr YamlField<Entry> kListFields[] = {
    {"frontend_model_name", read_text_of<&Route::name>, kText,
     "Name that clients use."},
    {"frontend_base_url", read_prefix, kText,
     "Path prefix under which it is served, e.g. /openai."},
    {"frontend_dialect", read_optional_dialect<&Entry::frontend>, kDialectShape,
     "API that clients speak; checked, but not needed."},
    {"backend_model_name", read_text_of<&Route::model>, kText,
     "Model to request from the backend."},
    {"backend_base_url", read_entry_url, kText,
     "Base URL before /v1/...; a version at its end is recognised."},
    {"backend_api_key", read_entry_key, kText,
     "Sent instead of the client's credentials; empty: those are passed on."},
    {"backend_auth_header", read_auth_header, kText,
     "Header the key is sent in (the dialect's)."},
    {"backend_auth_schema", read_auth_schema, kText,
     "Put before the key, followed by a space."},
    {"backend_dialect", read_optional_dialect<&Entry::dialect>, kDialectShape,
     "API that the upstream speaks (the client's)."},
    kReplacements,
    kAppend,
    kProgress,
};

/// Any server, of which nothing is known.
constexpr std::string_view kAnybody = "openai-compatible";

std::string_view host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of(":/"));
}

/// Whose quirks to expect at `url`.
const Provider& provider_at(std::string_view url, const Dialect& dialect) {
  for (const Provider& row : providers()) {
    if (row.dialect == dialect.wire_name() && !row.base_url.empty() &&
        host_of(row.base_url) == host_of(url)) {
      return row;
    }
  }
  const Provider* usual =
      dialect.setup ? find_provider(dialect.setup->provider) : nullptr;
  return usual != nullptr ? *usual : *find_provider(kAnybody);
}

/// People also write the endpoint itself. Where the model stands in a path
/// its beginning is no mark: there are base URLs that end in /models.
std::string without_endpoint(std::string url) {
  std::size_t longest = 0;
  for (const Dialect* dialect : dialects()) {
    const std::string_view path = dialect->upstream_path;
    if (!dialect->model_in_path() && url.ends_with(path)) {
      longest = std::max(longest, path.size());
    }
  }
  url.resize(url.size() - longest);
  return url;
}

std::string base_url_for(const Entry& entry) {
  std::string url = entry.base_url;
  while (url.ends_with('/')) url.pop_back();
  url = without_endpoint(std::move(url));
  if (entry.dialect == nullptr || ends_in_version(url)) return url;
  if (entry.dialect->setup != nullptr) url += entry.dialect->setup->version;
  return url;
}

/// "Bearer " where a header of that name usually has it.
std::string auth_prefix(const Entry& entry) {
  if (entry.auth_schema) {
    return entry.auth_schema->empty() ? "" : *entry.auth_schema + " ";
  }
  return same_header_name(entry.auth_header, "authorization") ? "Bearer " : "";
}

Backend backend_of(const Entry& entry) {
  const Provider& provider = entry.dialect == nullptr
                                 ? *find_provider(kAnybody)
                                 : provider_at(entry.base_url, *entry.dialect);
  Backend backend =
      make_backend(provider, Secret(entry.api_key), base_url_for(entry));
  backend.name = entry.route.prefix.substr(1) + "/" + entry.route.name;
  // Without a dialect it speaks what the client speaks.
  backend.dialect = entry.dialect;
  backend.auth_header = entry.auth_header;
  if (!entry.auth_header.empty()) backend.auth_prefix = auth_prefix(entry);
  backend.pass_credentials = entry.api_key.empty();
  return backend;
}

Result<void> check_entry(const Entry& entry, const YamlNode& node) {
  const std::pair<std::string_view, bool> needed[] = {
      {"frontend_model_name", entry.route.name.empty()},
      {"frontend_base_url", entry.route.prefix.empty()},
      {"backend_model_name", entry.route.model.empty()},
      {"backend_base_url", entry.base_url.empty()},
  };
  for (const auto& [key, missing] : needed) {
    if (missing) return node.error(fmt::format("{} is missing", key));
  }
  if (entry.frontend != nullptr && entry.dialect == nullptr) {
    return node.error(
        "frontend_dialect needs backend_dialect; leave both out to pass "
        "requests on as they are");
  }
  return {};
}

Result<void> read_list(const YamlNode& node, Config& out) {
  LLMPROXY_ASSIGN(const auto items, node.items());
  for (const YamlNode& item : items) {
    Entry entry;
    LLMPROXY_TRY(read_section(item, kListFields, entry));
    LLMPROXY_TRY(check_entry(entry, item));
    LLMPROXY_TRY(check_names(entry.route, item));
    LLMPROXY_TRY(check_sources(item, {kPlaces, kSecrets}));
    Backend backend = backend_of(entry);
    for (const Backend& other : out.backends) {
      if (other.name != backend.name) continue;
      return item.error(fmt::format("{} is given twice below {}",
                                    entry.route.name, entry.route.prefix));
    }
    entry.route.backend = backend.name;
    entry.route.origin = item.origin();
    entry.route.client_dialect = entry.frontend;
    out.backends.push_back(std::move(backend));
    out.routes.push_back(std::move(entry.route));
  }
  return {};
}

}  // namespace

std::vector<KeyShape> model_keys() { return keys_of<kMapFields>(); }

std::vector<KeyShape> model_list_keys() { return keys_of<kListFields>(); }

Result<void> read_models(const YamlNode& node, const BackendSections& backends,
                         Config& out) {
  return node.is_list() ? read_list(node, out) : read_map(node, backends, out);
}

}  // namespace llmproxy::gateway
