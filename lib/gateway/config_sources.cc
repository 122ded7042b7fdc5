#include "gateway/config_sources.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "gateway/environment.h"

namespace llmproxy::gateway {
namespace {

// Local servers are given words such as "none" or "ollama".
constexpr std::size_t kShortest = 8;

bool is_one_of(std::string_view key, std::span<const std::string_view> keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string message(std::string_view place) {
  return fmt::format(
      "{} is set in .env, but its key is not: a file in the working "
      "directory may not say where keys go that it does not bring; set both in "
      ".env, or both elsewhere",
      place);
}

/// True when a key, header or query of the section is not the file's own.
/// Texts of the configuration itself count where they are long enough for a
/// key, headers only where they are made with a variable.
Result<bool> is_foreign(const YamlNode& secret) {
  if (secret.is_map()) {
    LLMPROXY_ASSIGN(const auto members, secret.members());
    return std::any_of(members.begin(), members.end(), [](const auto& member) {
      return !member.second.real_variables().empty();
    });
  }
  if (!secret.is_text() || !secret.dotenv_variables().empty()) {
    return !secret.real_variables().empty();
  }
  LLMPROXY_ASSIGN(const std::string text, secret.text());
  return text.size() >= kShortest || !secret.real_variables().empty();
}

}  // namespace

Result<void> check_sources(const YamlNode& section, const SourceKeys& keys) {
  LLMPROXY_ASSIGN(const auto members, section.members());
  const YamlNode* place = nullptr;
  bool foreign = false;
  for (const auto& [key, value] : members) {
    if (is_one_of(key, keys.places) && !value.dotenv_variables().empty()) {
      place = &value;
    }
    if (!is_one_of(key, keys.secrets)) continue;
    LLMPROXY_ASSIGN(const bool found, is_foreign(value));
    foreign = foreign || found;
  }
  if (place == nullptr || !foreign) return {};
  return place->error(message(place->dotenv_variables().front()));
}

Result<void> check_sources(const Environment& environment,
                           std::span<const std::string_view> places,
                           std::span<const std::string_view> secrets) {
  const auto is_set_outside = [&](std::string_view name) {
    const std::string text(name);
    return !text.empty() && !environment(text).value_or("").empty() &&
           !is_from_dotenv(environment, text);
  };
  if (std::none_of(secrets.begin(), secrets.end(), is_set_outside)) return {};
  for (const std::string_view place : places) {
    const std::string name(place);
    if (name.empty() || !is_from_dotenv(environment, name)) continue;
    if (environment(name).value_or("").empty()) continue;
    return invalid_request(message(name));
  }
  return {};
}

}  // namespace llmproxy::gateway
