// `llm-proxy check`: reads a configuration and says what it means, and where
// each value came from.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "llmproxy/config_files.h"
#include "server/commands.h"

namespace llmproxy {
namespace {

/// A base URL may carry a user and password; those are keys too.
std::string without_credentials(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t host = scheme + 3;
  const std::size_t at = url.find('@', host);
  if (at == std::string::npos || at > url.find_first_of("/?#", host))
    return url;
  return url.substr(0, host) + "***" + url.substr(at);
}

}  // namespace

std::string origin_of(const Config& config, std::string_view path) {
  std::string out;
  for (const ValueOrigin& row : config.origins) {
    if (row.path != path) continue;
    if (!out.empty()) out += ", then ";
    out += row.origin;
  }
  return out.empty() ? "default" : out;
}

namespace {

struct Setting {
  std::string path;
  std::string value;
};

std::string count(std::size_t number, std::string_view what) {
  return number == 0 ? "none" : fmt::format("{} {}", number, what);
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:g} s", static_cast<double>(time.count()) / 1000);
}

std::string yes_or_no(bool value) { return value ? "true" : "false"; }

std::string limit(std::int64_t value) {
  return value > 0 ? std::to_string(value) : "unlimited";
}

void add_server(const ServerConfig& server, std::vector<Setting>& out) {
  out.push_back({"server.host", server.host});
  out.push_back({"server.port", std::to_string(server.port)});
  out.push_back({"server.allow_anonymous", yes_or_no(server.allow_anonymous)});
  out.push_back(
      {"server.client_keys", count(server.client_keys.size(), "set, hidden")});
  out.push_back({"server.client_access_keys",
                 count(server.client_access_keys.size(), "set, hidden")});
  out.push_back({"server.backend_paths", yes_or_no(server.backend_paths)});
  out.push_back(
      {"server.cors.origins", count(server.cors.origins.size(), "allowed")});
  out.push_back(
      {"server.max_body_bytes", std::to_string(server.max_body_bytes)});
  out.push_back(
      {"server.max_upload_bytes", std::to_string(server.max_upload_bytes)});
  out.push_back(
      {"server.max_upload_bytes_in_flight",
       limit(static_cast<std::int64_t>(server.max_upload_bytes_in_flight))});
  out.push_back({"server.upload_folder", server.upload_folder.empty()
                                             ? "TMPDIR, else /tmp"
                                             : server.upload_folder});
  out.push_back({"server.max_bytes_in_flight",
                 limit(static_cast<std::int64_t>(server.max_bytes_in_flight))});
  out.push_back(
      {"server.max_body_values", std::to_string(server.max_body_values)});
  out.push_back(
      {"server.max_connections", std::to_string(server.max_connections)});
  out.push_back(
      {"server.max_connections_per_address",
       limit(static_cast<std::int64_t>(server.max_connections_per_address))});
  out.push_back({"server.keep_alive_seconds", seconds(server.keep_alive)});
  out.push_back({"server.shutdown_seconds", seconds(server.shutdown)});
  out.push_back({"server.write_stall_seconds", seconds(server.write_stall)});
  out.push_back({"server.hosts", count(server.hosts.size(), "named")});
  out.push_back({"server.model_lists_seconds", seconds(server.model_lists)});
}

void add_images(const ImageFetchRules& images, std::vector<Setting>& out) {
  out.push_back({"images.fetch", yes_or_no(images.enabled)});
  out.push_back({"images.max_count", std::to_string(images.max_count)});
  out.push_back({"images.max_bytes", std::to_string(images.max_bytes)});
  out.push_back(
      {"images.max_total_bytes", std::to_string(images.max_total_bytes)});
  out.push_back(
      {"images.max_concurrent", std::to_string(images.max_concurrent)});
  out.push_back({"images.timeout_seconds", seconds(images.timeout)});
}

void add_rest(const Config& config, std::vector<Setting>& out) {
  const TranslateConfig& translate = config.translate;
  const UpstreamConfig& upstream = config.upstream;
  out.push_back({"log.level", config.log.level});
  out.push_back({"log.format", config.log.format});
  out.push_back({"log.file",
                 config.log.file.empty() ? "standard error" : config.log.file});
  out.push_back({"translate.strict", yes_or_no(translate.strict)});
  out.push_back(
      {"translate.clamp_sampling", yes_or_no(translate.clamp_sampling)});
  out.push_back(
      {"translate.drop_hosted_tools", yes_or_no(translate.drop_hosted_tools)});
  out.push_back({"translate.drop_prefill", yes_or_no(translate.drop_prefill)});
  out.push_back(
      {"responses.max_entries", std::to_string(config.responses.max_entries)});
  add_images(config.images, out);
  out.push_back({"upstream.max_connections",
                 limit(static_cast<std::int64_t>(upstream.max_connections))});
  out.push_back({"upstream.max_idle_connections",
                 std::to_string(upstream.max_idle_connections)});
  out.push_back({"upstream.max_idle_seconds", seconds(upstream.max_idle)});
  out.push_back(
      {"upstream.max_answer_bytes", std::to_string(upstream.max_answer_bytes)});
  out.push_back(
      {"upstream.max_event_bytes", std::to_string(upstream.max_event_bytes)});
  out.push_back({"upstream.http2", yes_or_no(upstream.http2)});
}

void add_limits(const LimitRules& rules, std::vector<Setting>& out) {
  out.push_back({"rate_limiting.enabled", yes_or_no(rules.enabled)});
  if (!rules.enabled) return;
  const Limits& all = rules.limits;
  const std::pair<std::string_view, std::int64_t> rows[] = {
      {"requests_per_minute", all.requests_per_minute},
      {"requests_per_day", all.requests_per_day},
      {"tokens_per_minute", all.tokens_per_minute},
      {"tokens_per_day", all.tokens_per_day}};
  for (const auto& [name, value] : rows) {
    out.push_back({fmt::format("rate_limiting.limits.{}", name), limit(value)});
  }
  out.push_back(
      {"rate_limiting.overrides", count(rules.overrides.size(), "rows")});
}

void print_settings(const Config& config) {
  std::vector<Setting> rows;
  add_server(config.server, rows);
  add_rest(config, rows);
  add_limits(config.limits, rows);
  fmt::print("settings\n");
  for (const Setting& row : rows) {
    // The limits have a second place in the file.
    std::string origin = origin_of(config, row.path);
    if (origin == "default" && row.path.starts_with("rate_limiting")) {
      origin = origin_of(config, "features." + row.path);
    }
    fmt::print("  {:<34} {:<18} {}\n", row.path, row.value, origin);
  }
}

std::string key_of(const Config& config, const Backend& backend) {
  if (!backend.api_key.empty()) {
    const std::string origin =
        origin_of(config, "backends." + backend.name + ".api_key");
    // A model of a list brings its key along.
    return origin == "default" ? "key set" : "key set (" + origin + ")";
  }
  if (!backend.aws.access_key_id.empty()) return "signed with AWS credentials";
  return backend.pass_credentials ? "the client's own key" : "no key";
}

void print_backends(const Config& config) {
  fmt::print("backends\n");
  for (const Backend& backend : config.backends) {
    const std::string origin =
        origin_of(config, "backends." + backend.name + ".base_url");
    fmt::print("  {}: provider {}, dialect {}, {}, {}{}\n", backend.name,
               backend.provider ? backend.provider->name : "none",
               backend.dialect ? backend.dialect->name : "the client's",
               without_credentials(backend.base_url), key_of(config, backend),
               origin == "default" ? "" : " (" + origin + ")");
  }
}

void print_routes(const Config& config) {
  fmt::print("routes\n");
  for (const Route& route : config.routes) {
    fmt::print("  {}{}{} -> {}{}{}{}{}\n", route.prefix,
               route.prefix.empty() ? "" : " ", route.name, route.backend,
               route.model.empty() ? "" : " as ", route.model,
               route.system.empty() ? "" : ", system prompt edited",
               route.origin.empty() ? "" : " (" + route.origin + ")");
  }
  if (!config.server.backend_paths) return;
  for (const Backend& backend : config.backends) {
    if (backend.name.find('/') != std::string::npos) continue;
    fmt::print("  /{}/... -> the whole API of {}\n", backend.name,
               backend.name);
  }
}

}  // namespace

void complain(const Error& error) {
  fmt::print(stderr, "llm-proxy: {}{}{}\n", error.path,
             error.path.empty() ? "" : ": ", error.message);
}

void warn(const Config& config) {
  for (const std::string& text : dotenv_warnings(".env"))
    fmt::print(stderr, "llm-proxy: warning: {}\n", text);
  for (const std::string& text : warnings_of(config))
    fmt::print(stderr, "llm-proxy: warning: {}\n", text);
}

int check(const ServeArguments& arguments) {
  const auto config = read_config(arguments);
  if (!config) {
    complain(config.error());
    return kExitUsage;
  }
  if (const auto closed = check_exposure(config->server); !closed) {
    complain(closed.error());
    return kExitUsage;
  }
  if (const auto foreign = check_own_address(*config); !foreign) {
    complain(foreign.error());
    return kExitUsage;
  }
  warn(*config);
  print_settings(*config);
  print_backends(*config);
  print_routes(*config);
  return kExitOk;
}

}  // namespace llmproxy
