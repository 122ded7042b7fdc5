#include "gateway/config_backends.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "client/key_header.h"
#include "gateway/base_url.h"
#include "gateway/config_fields.h"
#include "gateway/config_rules.h"
#include "gateway/config_sources.h"
#include "gateway/environment.h"
#include "gateway/headers.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kDefaultProvider = "openai-compatible";

constexpr YamlField<Deadlines> kDeadlineFields[] = {
    seconds_field<Deadlines, &Deadlines::connect>(
        "connect", "Until the connection is established."),
    seconds_field<Deadlines, &Deadlines::first_byte>(
        "first_byte", "Until the response begins."),
    seconds_field<Deadlines, &Deadlines::idle>(
        "idle", "Between two pieces of the response."),
    seconds_field<Deadlines, &Deadlines::total>(
        "total", "Until the response is complete."),
};

std::vector<std::string_view> provider_names() {
  std::vector<std::string_view> out;
  for (const Provider& row : providers()) out.push_back(row.name);
  return out;
}

Result<void> read_provider(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(const std::string name, node.text());
  out.provider = find_provider(name);
  if (out.provider != nullptr) return {};
  const std::vector<std::string_view> known = provider_names();
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
  key = trimmed_key(std::move(key));
  if (key.empty()) {
    return node.error(
        "the key is empty; give one, or leave api_key out where the backend "
        "asks for none");
  }
  const std::string fault = key_fault(key);
  if (!fault.empty()) return node.error(fault);
  out.api_key = Secret(std::move(key));
  return {};
}

/// Empty = there is none.
Result<std::string> read_aws_text(const YamlNode& node) {
  LLMPROXY_ASSIGN(std::string text, node.text());
  text = trimmed_key(std::move(text));
  const std::string fault = text.empty() ? "" : key_fault(text);
  if (!fault.empty()) return node.error(fault);
  return text;
}

template <Secret AwsCredentials::*member>
Result<void> read_aws_secret(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(std::string text, read_aws_text(node));
  out.aws.*member = Secret(std::move(text));
  return {};
}

Result<void> read_access_key_id(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(out.aws.access_key_id, read_aws_text(node));
  return {};
}

Result<void> read_aws_region(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(out.aws.region, node.text());
  const std::string fault = region_fault(out.aws.region);
  return fault.empty() ? Result<void>() : node.error(fault);
}

Result<void> read_auth_header(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(out.auth_header, node.text());
  if (is_header_name(out.auth_header)) return {};
  return node.error("expected a header's name");
}

Result<void> read_auth_prefix(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(out.auth_prefix, node.text());
  if (out.auth_prefix.empty() || is_header_value(out.auth_prefix)) return {};
  return node.error("expected printable ASCII");
}

Result<void> read_query(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(out.query, node.text());
  const std::string fault = query_fault(out.query);
  return fault.empty() ? Result<void>() : node.error(fault);
}

/// Headers that say how a message is framed, which the transport writes.
constexpr std::array<std::string_view, 4> kFraming = {
    "content-length", "transfer-encoding", "connection", "expect"};

bool is_framing(std::string_view name) {
  return std::any_of(
      kFraming.begin(), kFraming.end(),
      [name](std::string_view row) { return same_header_name(row, name); });
}

Result<void> read_headers(const YamlNode& node, Backend& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [name, value] : members) {
    LLMPROXY_ASSIGN(std::string text, value.text());
    if (!is_header_name(name) || is_framing(name)) {
      return value.error("expected a header's name");
    }
    if (!find_header(out.headers, name).empty()) {
      return value.error("this header is given twice");
    }
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
    {"provider",
     read_provider,
     {.kind = ShapeKind::word, .words = provider_names},
     "Row of the provider table (default: the row of the backend's name, "
     "else openai-compatible)."},
    {"base_url", read_base_url, kText,
     "Base URL as the vendor documents it, e.g. http://127.0.0.1:11434/v1 "
     "(the provider's)."},
    {"api_key", read_api_key, kText,
     "API key, best as ${NAME}; without it no key is sent."},
    {"auth_header", read_auth_header, kText,
     "Header the key is sent in (the provider's)."},
    {"auth_prefix", read_auth_prefix, kText,
     "Put before the key in that header."},
    boolean_field<Backend, &Backend::pass_credentials>(
        "pass_credentials",
        "Without an api_key, send the client's own credentials."),
    {"headers", read_headers, kTextMap, "Sent with every request."},
    {"dialect", read_dialect, kDialectShape,
     "API that it speaks (the provider's)."},
    {"query", read_query, kText,
     "Query added to each URL, e.g. api-version=2024-10-21."},
    {"region", read_aws_region, kText, "AWS region."},
    {"access_key_id", read_access_key_id, kText,
     "AWS credentials that requests are signed with."},
    {"secret_access_key", read_aws_secret<&AwsCredentials::secret_access_key>,
     kText, "The same."},
    {"session_token", read_aws_secret<&AwsCredentials::session_token>, kText,
     "The same."},
    {"deadlines", read_deadlines, section<kDeadlineFields>(),
     "Seconds; 0 = none."},
};

const Provider* provider_named_as(std::string_view backend) {
  const Provider* row = find_provider(backend);
  return row != nullptr ? row : find_provider(kDefaultProvider);
}

constexpr std::array<std::string_view, 2> kPlaces = {"base_url", "region"};
constexpr std::array<std::string_view, 6> kSecrets = {
    "api_key",       "access_key_id", "secret_access_key",
    "session_token", "headers",       "query"};

/// One header holds one key: which of the two would count is not to be
/// guessed.
Result<void> check_key_header(const Backend& backend, const YamlNode& node) {
  const bool keyed =
      !backend.api_key.empty() || !backend.aws.secret_access_key.empty();
  const std::string_view name = key_header(backend);
  if (!keyed || name.empty() || find_header(backend.headers, name).empty()) {
    return {};
  }
  return node.error(fmt::format(
      "headers has {}, in which the key is sent as well; leave one of them out",
      name));
}

Result<Backend> read_backend(const std::string& name, const YamlNode& node) {
  const std::string fault = backend_name_fault(name);
  if (!fault.empty()) return node.error(fault);
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
  LLMPROXY_TRY(check_key_header(backend, node));
  LLMPROXY_TRY(check_sources(node, {kPlaces, kSecrets}));
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

std::vector<KeyShape> backend_keys() { return keys_of<kFields>(); }

std::vector<std::string_view> dialect_names() {
  std::vector<std::string_view> out;
  for (const Dialect* row : dialects()) out.push_back(row->name);
  return out;
}

Result<const Dialect*> read_dialect_name(const YamlNode& node) {
  LLMPROXY_ASSIGN(const std::string name, node.text());
  const Dialect* dialect = find_dialect(name);
  if (dialect != nullptr) return dialect;
  const std::vector<std::string_view> known = dialect_names();
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
