#include "gateway/config_backends.h"

#include <utility>

#include <fmt/format.h>

#include "gateway/base_url.h"
#include "gateway/config_fields.h"
#include "gateway/environment.h"
#include "gateway/headers.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kDefaultProvider = "openai-compatible";

constexpr YamlField<Deadlines> kDeadlineFields[] = {
    {"connect", read_seconds<Deadlines, &Deadlines::connect>},
    {"first_byte", read_seconds<Deadlines, &Deadlines::first_byte>},
    {"idle", read_seconds<Deadlines, &Deadlines::idle>},
    {"total", read_seconds<Deadlines, &Deadlines::total>},
};

Result<void> read_provider(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(const std::string name, node.text());
  out.provider = find_provider(name);
  if (out.provider != nullptr) return {};
  std::vector<std::string_view> known;
  for (const Provider& row : providers()) known.push_back(row.name);
  return node.error("expected a provider: " + list_of(known) +
                    did_you_mean(name, known));
}

Result<void> read_dialect(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(out.dialect, read_dialect_name(node));
  return {};
}

Result<void> read_base_url(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(out.base_url, read_url(node));
  return {};
}

Result<void> read_api_key(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(std::string key, node.text());
  if (key.empty()) {
    return node.error(
        "the key is empty; give one, or leave api_key out where the backend "
        "asks for none");
  }
  out.api_key = Secret(std::move(key));
  return {};
}

template <Secret AwsCredentials::*member>
Result<void> read_aws_secret(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(std::string text, node.text());
  out.aws.*member = Secret(std::move(text));
  return {};
}

Result<void> read_aws_region(const YamlNode& node, Backend& out) {
  return read_some_text<AwsCredentials, &AwsCredentials::region>(node, out.aws);
}

Result<void> read_access_key_id(const YamlNode& node, Backend& out) {
  return read_text<AwsCredentials, &AwsCredentials::access_key_id>(node,
                                                                   out.aws);
}

Result<void> read_headers(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [name, value] : members) {
    LLMPROXY_ASSIGN(std::string text, value.text());
    if (!is_header_name(name)) return value.error("expected a header's name");
    if (!is_header_value(text)) {
      return value.error("expected printable ASCII, not empty");
    }
    out.headers.push_back({name, std::move(text)});
  }
  return {};
}

Result<void> read_deadlines(const YamlNode& node, Backend& out) {
  return read_section(node, kDeadlineFields, out.deadlines);
}

constexpr YamlField<Backend> kFields[] = {
    {"provider", read_provider},
    {"base_url", read_base_url},
    {"api_key", read_api_key},
    {"auth_header", read_some_text<Backend, &Backend::auth_header>},
    {"auth_prefix", read_text<Backend, &Backend::auth_prefix>},
    {"pass_credentials", read_boolean<Backend, &Backend::pass_credentials>},
    {"headers", read_headers},
    {"dialect", read_dialect},
    {"query", read_text<Backend, &Backend::query>},
    {"region", read_aws_region},
    {"access_key_id", read_access_key_id},
    {"secret_access_key", read_aws_secret<&AwsCredentials::secret_access_key>},
    {"session_token", read_aws_secret<&AwsCredentials::session_token>},
    {"deadlines", read_deadlines},
};

const Provider* provider_named_as(std::string_view backend) {
  const Provider* row = find_provider(backend);
  return row != nullptr ? row : find_provider(kDefaultProvider);
}

Result<Backend> read_backend(const std::string& name, const YamlNode& node) {
  if (name.find('/') != std::string::npos) {
    return node.error("expected a backend's name without /");
  }
  // What the file leaves out stays empty, and is the provider's.
  Backend backend;
  LLMPROXY_TRY(read_section(node, kFields, backend));
  if (backend.provider == nullptr) backend.provider = provider_named_as(name);
  const Provider& provider = *backend.provider;
  if (backend.base_url.empty() && provider.base_url.empty()) {
    return node.error("base_url is missing, e.g. http://127.0.0.1:11434/v1");
  }
  if (backend.auth_header.empty() && !backend.auth_prefix.empty()) {
    return node.error("auth_prefix needs auth_header");
  }
  Backend usual = make_backend(provider, {}, std::move(backend.base_url));
  backend.name = name;
  backend.base_url = std::move(usual.base_url);
  if (backend.dialect == nullptr) backend.dialect = usual.dialect;
  return backend;
}

}  // namespace

Result<void> read_backends(const YamlNode& node, BackendSections& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [name, section] : members) {
    Result<Backend> backend = read_backend(name, section);
    if (backend) {
      out.backends.push_back(*std::move(backend));
    } else if (backend.error().code == kUnsetVariable) {
      out.unusable.emplace(name, backend.error());
    } else {
      return backend.error();
    }
  }
  return {};
}

Result<const Dialect*> read_dialect_name(const YamlNode& node) {
  LLMPROXY_ASSIGN(const std::string name, node.text());
  const Dialect* dialect = find_dialect(name);
  if (dialect != nullptr) return dialect;
  std::vector<std::string_view> known;
  for (const Dialect* row : dialects()) known.push_back(row->name);
  return node.error("expected a dialect: " + list_of(known) +
                    did_you_mean(name, known));
}

Result<std::string> read_url(const YamlNode& node) {
  LLMPROXY_ASSIGN(std::string url, node.text());
  const std::string fault = base_url_fault(url);
  if (!fault.empty()) return node.error(fault);
  return url;
}

bool ends_in_version(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  const std::string_view last = url.substr(url.rfind('/') + 1);
  return last.size() > 1 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9';
}

}  // namespace llmproxy::gateway
