// LiteLLM's proxy configuration as one of ours: `model_list`, keys, aliases
// and limits. What has no equivalent here is said, never dropped in silence.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "gateway/default_config.h"
#include "gateway/environment.h"
#include "gateway/litellm_providers.h"
#include "gateway/yaml.h"
#include "llmproxy/config_files.h"

namespace llmproxy {
namespace gateway {
namespace {

/// Parameters of a model that are read below; all others have no place.
constexpr std::array<std::string_view, 16> kReadParameters = {
    "model",
    "api_base",
    "base_url",
    "api_key",
    "api_version",
    "custom_llm_provider",
    "timeout",
    "request_timeout",
    "rpm",
    "tpm",
    "extra_headers",
    "organization",
    "aws_region_name",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token"};

bool is_read(std::string_view name) {
  return std::find(kReadParameters.begin(), kReadParameters.end(), name) !=
         kReadParameters.end();
}

// --- Texts -----------------------------------------------------------------

/// In double quotes, as YAML and JSON have them.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// A value with `os.environ/NAME` as we write it.
std::string ours(std::string text) {
  constexpr std::string_view kTheirs = "os.environ/";
  if (!text.starts_with(kTheirs)) return text;
  return "${" + text.substr(kTheirs.size()) + "}";
}

/// For messages: a name of the other file.
std::string shown(std::string_view name) {
  constexpr std::size_t kLongest = 100;
  std::string out(name.substr(0, kLongest));
  std::replace_if(
      out.begin(), out.end(),
      [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

// --- The other file --------------------------------------------------------

using Members = std::map<std::string, YamlNode, std::less<>>;

Result<Members> members_of(const YamlNode& node) {
  Members out;
  LLMPROXY_ASSIGN(auto members, node.members());
  for (auto& [name, value] : members) {
    out.insert_or_assign(name, std::move(value));
  }
  return out;
}

/// A text, `${...}` untouched; "" where there is none.
std::string text_of(const Members& members, std::string_view name) {
  const auto found = members.find(name);
  if (found == members.end() || !found->second.is_text()) return {};
  const Result<std::string> text = found->second.text();
  return text ? ours(*text) : std::string();
}

bool is_positive_number(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789.") == std::string_view::npos &&
         text.find_first_not_of("0.") != std::string_view::npos;
}

// --- Ours ------------------------------------------------------------------

/// A line or more below a backend's name.
struct BackendText {
  std::string name;
  std::string lines;
};

struct ModelText {
  std::string name;
  std::string backend;
  std::string model;
};

/// One deployment, read.
struct Deployment {
  std::string name;
  std::string provider;  ///< theirs
  std::string model;     ///< without the provider
  Members parameters;
};

class Import {
 public:
  Result<void> read(const YamlNode& root);
  std::string yaml() const;
  std::vector<std::string> take_notes() { return std::move(notes_); }

 private:
  void note(std::string text) {
    if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) {
      notes_.push_back(std::move(text));
    }
  }
  Result<void> read_models(const YamlNode& node);
  Result<void> read_deployment(const YamlNode& node);
  void add(const Deployment& deployment);
  void add_limits(const Deployment& deployment);
  std::string lines_for(const Deployment& deployment,
                        const LiteLlmProvider& row);
  std::string address_lines(const Deployment& deployment,
                            const LiteLlmProvider& row) const;
  std::string key_lines(const Deployment& deployment,
                        const LiteLlmProvider& row);
  std::string header_lines(const Deployment& deployment) const;
  std::string backend_for(std::string_view wish, const std::string& lines);
  Result<void> read_general(const YamlNode& node);
  Result<void> read_settings(const YamlNode& node);
  Result<void> read_router(const YamlNode& node);
  void read_aliases(const YamlNode& node);

  std::vector<std::string> notes_;
  std::vector<std::string> client_keys_;
  std::vector<BackendText> backends_;
  std::vector<ModelText> models_;
  std::vector<std::string> limits_;
  std::string timeout_;
  bool debug_ = false;
};

/// "openai/gpt-5", or a name that says whose it is.
void split_model(const std::string& text, Deployment& out) {
  const std::size_t slash = text.find('/');
  if (!out.provider.empty()) {
    const std::string before = out.provider + "/";
    out.model = text.starts_with(before) ? text.substr(before.size()) : text;
    return;
  }
  if (slash != std::string::npos) {
    out.provider = text.substr(0, slash);
    out.model = text.substr(slash + 1);
    return;
  }
  const Provider* known = provider_of_name(text);
  out.provider = known != nullptr ? std::string(known->name) : "openai";
  out.model = text;
}

// "bedrock/converse/anthropic.claude..."
std::string without_route(std::string model) {
  for (const std::string_view route : {"converse/", "invoke/", "responses/"}) {
    if (model.starts_with(route)) return model.substr(route.size());
  }
  return model;
}

Result<void> Import::read_deployment(const YamlNode& node) {
  LLMPROXY_ASSIGN(const Members entry, members_of(node));
  Deployment out;
  out.name = text_of(entry, "model_name");
  const auto parameters = entry.find("litellm_params");
  if (out.name.empty() || parameters == entry.end()) {
    return node.error("expected model_name and litellm_params");
  }
  LLMPROXY_ASSIGN(out.parameters, members_of(parameters->second));
  const std::string model = text_of(out.parameters, "model");
  if (model.empty()) return parameters->second.error("model is missing");
  out.provider = text_of(out.parameters, "custom_llm_provider");
  split_model(model, out);
  out.model = without_route(std::move(out.model));
  for (const auto& [name, value] : entry) {
    if (name == "model_name" || name == "litellm_params") continue;
    note(fmt::format("{}: {} has no equivalent here", shown(out.name),
                     shown(name)));
  }
  add(out);
  return {};
}

Result<void> Import::read_models(const YamlNode& node) {
  LLMPROXY_ASSIGN(const auto items, node.items());
  for (const YamlNode& item : items) LLMPROXY_TRY(read_deployment(item));
  return {};
}

std::string Import::address_lines(const Deployment& deployment,
                                  const LiteLlmProvider& row) const {
  const Members& all = deployment.parameters;
  std::string base = text_of(all, "api_base");
  if (base.empty()) base = text_of(all, "base_url");
  if (base.empty()) base = row.base_url;
  std::string version = text_of(all, "api_version");
  if (row.ours == "azure") {
    if (base.empty()) base = "${AZURE_API_BASE}";
    while (base.ends_with('/')) base.pop_back();
    if (base.find("/openai") == std::string::npos) {
      base += version.empty() ? "/openai/v1"
                              : "/openai/deployments/" + deployment.model;
    }
  }
  std::string out;
  if (!base.empty()) out += fmt::format("    base_url: {}\n", in_quotes(base));
  if (!version.empty()) {
    out += fmt::format("    query: {}\n", in_quotes("api-version=" + version));
  }
  return out;
}

std::string Import::key_lines(const Deployment& deployment,
                              const LiteLlmProvider& row) {
  struct AwsRow {
    std::string_view theirs;
    std::string_view ours;
  };
  constexpr std::array kAws = {
      AwsRow{"aws_region_name", "region"},
      AwsRow{"aws_access_key_id", "access_key_id"},
      AwsRow{"aws_secret_access_key", "secret_access_key"},
      AwsRow{"aws_session_token", "session_token"},
  };
  std::string out;
  for (const AwsRow& aws : kAws) {
    const std::string value = text_of(deployment.parameters, aws.theirs);
    if (!value.empty()) {
      out += fmt::format("    {}: {}\n", aws.ours, in_quotes(value));
    }
  }
  const Provider* provider = find_provider(row.ours);
  const std::string key = text_of(deployment.parameters, "api_key");
  if (!key.empty()) {
    if (key.find("${") == std::string::npos) {
      note(
          "a key stands in the file itself: keep what was made of it to "
          "yourself, or write ${NAME}");
    }
    return out + fmt::format("    api_key: {}\n", in_quotes(key));
  }
  std::string_view variable = row.key_variable;
  if (variable.empty()) variable = provider->key_variable;
  if (provider->auth == AuthScheme::aws) {
    if (out.find("access_key_id") != std::string::npos) return out;
    return out +
           "    access_key_id: ${AWS_ACCESS_KEY_ID}\n"
           "    secret_access_key: ${AWS_SECRET_ACCESS_KEY}\n"
           "    session_token: ${AWS_SESSION_TOKEN:-}\n";
  }
  if (variable.empty() || provider->key_optional) return out;
  return out + fmt::format("    api_key: ${{{}}}\n", variable);
}

std::string Import::header_lines(const Deployment& deployment) const {
  std::string out;
  const std::string organization =
      text_of(deployment.parameters, "organization");
  if (!organization.empty()) {
    out +=
        fmt::format("      OpenAI-Organization: {}\n", in_quotes(organization));
  }
  const auto extra = deployment.parameters.find("extra_headers");
  if (extra != deployment.parameters.end()) {
    const Result<Members> headers = members_of(extra->second);
    for (const auto& [name, value] : headers ? *headers : Members()) {
      out += fmt::format("      {}: {}\n", in_quotes(name),
                         in_quotes(text_of(*headers, name)));
    }
  }
  return out.empty() ? out : "    headers:\n" + out;
}

std::string Import::lines_for(const Deployment& deployment,
                              const LiteLlmProvider& row) {
  std::string out = fmt::format("    provider: {}\n", row.ours);
  out += address_lines(deployment, row);
  out += key_lines(deployment, row);
  out += header_lines(deployment);
  std::string timeout = text_of(deployment.parameters, "timeout");
  if (timeout.empty())
    timeout = text_of(deployment.parameters, "request_timeout");
  if (timeout.empty()) timeout = timeout_;
  if (is_positive_number(timeout)) {
    out += fmt::format("    deadlines: {{total: {}}}\n", timeout);
  } else if (!timeout.empty()) {
    note(fmt::format("{}: its timeout is not a number above 0",
                     shown(deployment.name)));
  }
  return out;
}

/// The backend that has these lines, or a new one.
std::string Import::backend_for(std::string_view wish,
                                const std::string& lines) {
  for (const BackendText& row : backends_) {
    if (row.lines == lines) return row.name;
  }
  const auto is_taken = [&](const std::string& name) {
    return std::any_of(
        backends_.begin(), backends_.end(),
        [&](const BackendText& row) { return row.name == name; });
  };
  std::string name(wish);
  for (int i = 2; is_taken(name); ++i) name = fmt::format("{}-{}", wish, i);
  backends_.push_back({name, lines});
  return name;
}

void Import::add_limits(const Deployment& deployment) {
  std::string row;
  for (const auto& [theirs, key] : {std::pair("rpm", "requests_per_minute"),
                                    std::pair("tpm", "tokens_per_minute")}) {
    const std::string value = text_of(deployment.parameters, theirs);
    const bool whole = is_positive_number(value) && value.size() < 12 &&
                       value.find('.') == std::string::npos;
    if (!whole) {
      if (value.empty()) continue;
      note(fmt::format("{}: litellm_params.{} is not a whole number above 0",
                       shown(deployment.name), theirs));
      continue;
    }
    row += fmt::format("{}{}: {}", row.empty() ? "" : ", ", key, value);
  }
  if (row.empty()) return;
  limits_.push_back(
      fmt::format("      {}: {{{}}}\n", in_quotes(deployment.name), row));
}

void Import::add(const Deployment& deployment) {
  const std::string name = shown(deployment.name);
  const LiteLlmProvider* row = find_litellm_provider(deployment.provider);
  const bool has_base = !text_of(deployment.parameters, "api_base").empty() ||
                        !text_of(deployment.parameters, "base_url").empty();
  constexpr LiteLlmProvider kUnknown{"", kAnyServer};
  if (row == nullptr && has_base) row = &kUnknown;
  if (row == nullptr) {
    note(fmt::format("{}: the provider {} is not known here; left out", name,
                     shown(deployment.provider)));
    return;
  }
  if (deployment.model.empty()) {
    note(fmt::format("{}: the name of its model is empty; left out", name));
    return;
  }
  const bool needs_base = find_provider(row->ours)->base_url.empty() &&
                          row->base_url.empty() && row->ours != "azure";
  if (needs_base && !has_base) {
    note(fmt::format("{}: api_base is missing; left out", name));
    return;
  }
  const auto same = [&](const ModelText& model) {
    return model.name == deployment.name;
  };
  if (std::any_of(models_.begin(), models_.end(), same)) {
    note(
        fmt::format("{}: a second deployment of this name is left out: a name "
                    "leads to one backend",
                    name));
    return;
  }
  const auto stars = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '*');
  };
  if (stars(deployment.name) > 1 ||
      stars(deployment.model) > stars(deployment.name)) {
    note(fmt::format("{}: its pattern has no equivalent here; left out", name));
    return;
  }
  for (const auto& [parameter, value] : deployment.parameters) {
    if (is_read(parameter)) continue;
    note(fmt::format("{}: litellm_params.{} has no equivalent here", name,
                     shown(parameter)));
  }
  const std::string wish(row->ours == kAnyServer && !row->theirs.empty()
                             ? row->theirs
                             : row->ours);
  models_.push_back({deployment.name,
                     backend_for(wish, lines_for(deployment, *row)),
                     deployment.model});
  add_limits(deployment);
}

Result<void> Import::read_general(const YamlNode& node) {
  LLMPROXY_ASSIGN(const Members all, members_of(node));
  for (const auto& [name, value] : all) {
    if (name == "master_key") {
      std::string key = text_of(all, name);
      if (!key.empty()) client_keys_.push_back(std::move(key));
    } else {
      note(fmt::format("general_settings.{} has no equivalent here",
                       shown(name)));
    }
  }
  return {};
}

Result<void> Import::read_settings(const YamlNode& node) {
  LLMPROXY_ASSIGN(const Members all, members_of(node));
  for (const auto& [name, value] : all) {
    const std::string text = text_of(all, name);
    if (name == "drop_params") continue;  // what is lost is told here always
    if (name == "request_timeout") continue;
    if (name == "set_verbose" || name == "json_logs") continue;
    note(
        fmt::format("litellm_settings.{} has no equivalent here", shown(name)));
  }
  timeout_ = text_of(all, "request_timeout");
  debug_ = text_of(all, "set_verbose") == "true" ||
           text_of(all, "set_verbose") == "True";
  return {};
}

void Import::read_aliases(const YamlNode& node) {
  const Result<Members> aliases = members_of(node);
  if (!aliases) return note("router_settings.model_group_alias is not a map");
  for (const auto& [alias, value] : *aliases) {
    std::string target = text_of(*aliases, alias);
    if (value.is_map()) {
      const Result<Members> inner = members_of(value);
      if (inner) target = text_of(*inner, "model");
    }
    const auto found =
        std::find_if(models_.begin(), models_.end(),
                     [&](const ModelText& row) { return row.name == target; });
    const bool taken = std::any_of(
        models_.begin(), models_.end(),
        [&name = alias](const ModelText& row) { return row.name == name; });
    if (found == models_.end() || taken) {
      note(fmt::format("the alias {} of {} is left out", shown(alias),
                       shown(target)));
      continue;
    }
    models_.push_back({alias, found->backend, found->model});
  }
}

Result<void> Import::read_router(const YamlNode& node) {
  LLMPROXY_ASSIGN(const Members all, members_of(node));
  for (const auto& [name, value] : all) {
    if (name == "model_group_alias") {
      read_aliases(value);
    } else {
      note(fmt::format("router_settings.{} has no equivalent here",
                       shown(name)));
    }
  }
  return {};
}

Result<void> Import::read(const YamlNode& root) {
  struct Section {
    std::string_view name;
    Result<void> (Import::*read)(const YamlNode& node);
  };
  // Timeouts count for the models, and aliases name them.
  constexpr std::array kSections = {
      Section{"litellm_settings", &Import::read_settings},
      Section{"model_list", &Import::read_models},
      Section{"general_settings", &Import::read_general},
      Section{"router_settings", &Import::read_router},
  };
  LLMPROXY_ASSIGN(const Members all, members_of(root));
  if (!all.contains("model_list")) {
    return root.error("expected model_list, which LiteLLM's files have");
  }
  for (const Section& section : kSections) {
    const auto found = all.find(section.name);
    if (found != all.end()) LLMPROXY_TRY((this->*section.read)(found->second));
  }
  for (const auto& [name, value] : all) {
    const bool known = std::any_of(
        kSections.begin(), kSections.end(),
        [&key = name](const Section& section) { return section.name == key; });
    if (known) continue;
    note(name == "environment_variables"
             ? "environment_variables: set them in the environment or in .env"
             : fmt::format("{} has no equivalent here", shown(name)));
  }
  return {};
}

std::string Import::yaml() const {
  std::string out = "# Made by \"llm-proxy import litellm\".\n";
  if (!client_keys_.empty()) {
    out += "server:\n  client_keys:\n";
    for (const std::string& key : client_keys_) {
      out += fmt::format("    - {}\n", in_quotes(key));
    }
  }
  if (debug_) out += "log: {level: debug}\n";
  if (!limits_.empty()) {
    out += "rate_limiting:\n  enabled: true\n  overrides:\n    per_model:\n";
    for (const std::string& row : limits_) out += row;
  }
  out += backends_.empty() ? "backends: {}\n" : "backends:\n";
  for (const BackendText& row : backends_) {
    out += fmt::format("  {}:\n{}", row.name, row.lines);
  }
  out += models_.empty() ? "models: {}\n" : "models:\n";
  for (const ModelText& row : models_) {
    out += fmt::format("  {}: {{backend: {}, model: {}}}\n",
                       in_quotes(row.name), row.backend, in_quotes(row.model));
  }
  return out;
}

Result<ImportedConfig> import_from(const YamlSource& source,
                                   std::string_view yaml) {
  LLMPROXY_ASSIGN(const YamlNode root, parse_yaml(source, yaml));
  Import import;
  LLMPROXY_TRY(import.read(root));
  ImportedConfig out;
  out.yaml = import.yaml();
  out.notes = import.take_notes();
  return out;
}

}  // namespace
}  // namespace gateway

Result<ImportedConfig> import_litellm(std::string_view yaml,
                                      std::string_view name) {
  // Variables stay what they are: those of the file are written otherwise.
  const Environment as_written =
      [](const std::string& variable) -> std::optional<std::string> {
    return "${" + variable + "}";
  };
  std::vector<ValueOrigin> origins;
  const gateway::YamlSource source{std::string(name), as_written, &origins};
  // See parse_config().
  try {
    return gateway::import_from(source, yaml);
  } catch (const YAML::Exception& e) {
    return invalid_request(
        fmt::format("{}:{}: {}", name, e.mark.line + 1, e.msg));
  }
}

}  // namespace llmproxy
