#include "gateway/apply_environment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "gateway/config_rules.h"
#include "gateway/environment.h"
#include "gateway/headers.h"

namespace llmproxy::gateway {
namespace {

constexpr double kMaxSeconds = 10.0 * 365 * 86400;
constexpr std::int64_t kMaxConnections = 1'000'000;

Error wrong(std::string_view variable, std::string_view expected) {
  return invalid_request(fmt::format("the environment variable {}: expected {}",
                                     variable, expected));
}

Result<std::int64_t> whole_number(std::string_view variable,
                                  const std::string& text, std::int64_t min,
                                  std::int64_t max) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc() && stop == end && value >= min && value <= max) {
    return value;
  }
  return wrong(variable, fmt::format("a whole number from {} to {}", min, max));
}

Result<void> set_port(const std::string& text, Config& config) {
  LLMPROXY_ASSIGN(const std::int64_t port,
                  whole_number("PORT", text, 0, 65535));
  config.server.port = static_cast<int>(port);
  return {};
}

Result<void> add_client_key(const std::string& text, Config& config) {
  std::string key = trimmed_key(text);
  const std::string fault = key_fault(key);
  if (!fault.empty()) {
    return invalid_request("the environment variable PROXY_API_KEY: " + fault);
  }
  config.server.client_keys.emplace_back(std::move(key));
  return {};
}

/// Names of levels in other languages' logging libraries.
struct LevelRow {
  std::string_view name;
  std::string_view level;
};
constexpr std::array kLevels = {
    LevelRow{"trace", "debug"}, LevelRow{"debug", "debug"},
    LevelRow{"info", "info"},   LevelRow{"notice", "info"},
    LevelRow{"warn", "warn"},   LevelRow{"warning", "warn"},
    LevelRow{"error", "error"}, LevelRow{"critical", "error"},
    LevelRow{"fatal", "error"}, LevelRow{"off", "off"},
};

Result<void> set_log_level(const std::string& text, Config& config) {
  for (const LevelRow& row : kLevels) {
    if (!same_header_name(row.name, text)) continue;
    config.log.level = row.level;
    return {};
  }
  return wrong("LOG_LEVEL", "DEBUG, INFO, WARNING, ERROR or OFF");
}

Result<void> set_log_file(const std::string& text, Config& config) {
  config.log.file = text;
  return {};
}

/// One limit for each way of waiting that a backend has no own word for.
Result<void> set_timeout(const std::string& text, Config& config) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc() || stop != end ||
      !(value >= 0 && value <= kMaxSeconds)) {
    return wrong("HTTP_TIMEOUT_SECONDS", "a number of seconds");
  }
  const std::chrono::milliseconds limit(std::llround(value * 1000));
  const Deadlines usual;
  for (Backend& backend : config.backends) {
    Deadlines& own = backend.deadlines;
    if (own.connect == usual.connect) own.connect = limit;
    if (own.first_byte == usual.first_byte) own.first_byte = limit;
    if (own.idle == usual.idle) own.idle = limit;
  }
  return {};
}

Result<void> set_max_connections(const std::string& text, Config& config) {
  LLMPROXY_ASSIGN(
      const std::int64_t value,
      whole_number("HTTP_MAX_CONNECTIONS", text, 1, kMaxConnections));
  config.upstream.max_connections = static_cast<std::size_t>(value);
  return {};
}

Result<void> set_max_idle(const std::string& text, Config& config) {
  LLMPROXY_ASSIGN(
      const std::int64_t value,
      whole_number("HTTP_MAX_KEEPALIVE_CONNECTIONS", text, 0, kMaxConnections));
  config.upstream.max_idle_connections = static_cast<std::size_t>(value);
  return {};
}

constexpr std::string_view kVersionHeader = "anthropic-version";

/// Its dialect demands that header.
bool is_versioned(const Backend& backend) {
  if (backend.dialect == nullptr) return false;
  const auto& demanded = backend.dialect->upstream_headers;
  return std::any_of(
      demanded.begin(), demanded.end(),
      [](const FixedHeader& header) { return header.name == kVersionHeader; });
}

Result<void> set_anthropic_version(const std::string& text, Config& config) {
  if (!is_header_value(text)) {
    return wrong("ANTHROPIC_VERSION", "a version such as 2023-06-01");
  }
  for (Backend& backend : config.backends) {
    // Where the API has versions, and the file names none.
    if (is_versioned(backend) &&
        find_header(backend.headers, kVersionHeader).empty()) {
      backend.headers.push_back({std::string(kVersionHeader), text});
    }
  }
  return {};
}

struct VariableRow {
  std::string_view name;
  std::string_view path;  ///< of the setting, as in the file
  Result<void> (*apply)(const std::string& text, Config& config);
};
constexpr std::array kVariables = {
    VariableRow{"PORT", "server.port", set_port},
    VariableRow{"PROXY_API_KEY", "server.client_keys", add_client_key},
    VariableRow{"LOG_LEVEL", "log.level", set_log_level},
    VariableRow{"LOG_FILE", "log.file", set_log_file},
    VariableRow{"HTTP_TIMEOUT_SECONDS", "backends.*.deadlines", set_timeout},
    VariableRow{"HTTP_MAX_CONNECTIONS", "upstream.max_connections",
                set_max_connections},
    VariableRow{"HTTP_MAX_KEEPALIVE_CONNECTIONS",
                "upstream.max_idle_connections", set_max_idle},
    VariableRow{"ANTHROPIC_VERSION", "backends.anthropic.headers",
                set_anthropic_version},
};

}  // namespace

Result<void> apply_environment(const Environment& environment, Config& config) {
  for (const VariableRow& row : kVariables) {
    const auto text = environment(std::string(row.name));
    // Set but empty is how compose files say "not set".
    if (!text || text->empty()) continue;
    LLMPROXY_TRY(row.apply(*text, config));
    config.origins.push_back(
        {std::string(row.path), origin_of_variable(environment, row.name)});
  }
  return {};
}

}  // namespace llmproxy::gateway
