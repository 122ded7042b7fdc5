#include "server/welcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "llmproxy/version.h"
#include "server/client_table.h"
#include "server/commands.h"
#include "server/example_model.h"
#include "server/quote.h"

namespace llmproxy {
namespace {

constexpr std::size_t kNamesShown = 12;
constexpr std::size_t kClientsShown = 6;
// So many letters of a key are shown where it has at least so many.
constexpr std::size_t kTail = 4;
constexpr std::size_t kLongKey = 24;

std::string own_url(const Config& config, int port) {
  return fmt::format("http://{}:{}", reachable(config.server.host), port);
}

std::string listening(const Config& config, int port) {
  const std::string& host = config.server.host;
  const bool everywhere = host.empty();
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("http://{}:{}",
                     everywhere ? "0.0.0.0"
                     : v6       ? "[" + host + "]"
                                : host,
                     port);
}

/// A request that works as it stands, but for the key of the client.
std::string curl_line(const Config& config, int port) {
  const ExampleModel model =
      example_for(config, "openai-chat").value_or(ExampleModel{"", "MODEL"});
  const bool keyed = !config.server.client_keys.empty() || model.wants_key;
  const std::string url =
      own_url(config, port) + model.prefix + "/v1/chat/completions";
  return fmt::format(
      "curl -s {}{} -d '{{\"model\":\"{}\",\"messages\":[{{\"role\":\"user\","
      "\"content\":\"hi\"}}]}}'",
      shell_word(url), keyed ? " -H 'authorization: Bearer YOUR_KEY'" : "",
      model.name);
}

/// Backends of the default configuration that wait for a client's key.
bool waits_for_key(const Backend& backend) {
  return backend.pass_credentials && backend.api_key.empty();
}

std::string key_text(const Config& config, const Backend& backend) {
  const auto origin = [&](std::string_view key) {
    std::string found =
        origin_of(config, fmt::format("backends.{}.{}", backend.name, key));
    return found == "default" ? std::string() : " (" + found + ")";
  };
  if (!backend.api_key.empty())
    return fmt::format("key {}{}", masked(backend.api_key), origin("api_key"));
  if (!backend.aws.access_key_id.empty())
    return fmt::format("AWS key {}{}",
                       masked(Secret(backend.aws.access_key_id)),
                       origin("access_key_id"));
  if (backend.provider != nullptr && backend.provider->auth == AuthScheme::none)
    return "answers offline";
  return backend.pass_credentials ? "the client's own key" : "no key";
}

std::string backend_lines(const Config& config) {
  std::string out = "Backends\n";
  std::string waiting;
  std::size_t width = 0;
  for (const Backend& backend : config.backends)
    width = std::max(width, backend.name.size());
  for (const Backend& backend : config.backends) {
    if (waits_for_key(backend) && config.backends.size() > kNamesShown / 2) {
      waiting += (waiting.empty() ? "" : ", ") + backend.name;
      continue;
    }
    out += fmt::format("  {:<{}}  {}, {}\n", backend.name, width,
                       resolved_base_url(backend), key_text(config, backend));
  }
  if (!waiting.empty())
    out += fmt::format("  with the client's own key: {}\n", waiting);
  return out;
}

bool is_pattern(const Route& route) {
  return route.name.find('*') != std::string::npos;
}

std::string route_lines(const Config& config) {
  std::string out = "Models\n";
  std::size_t shown = 0;
  std::size_t left = 0;
  for (const Route& route : config.routes) {
    // Understood without being told.
    if (route.name == route.backend + "/*") continue;
    if (++shown > kNamesShown) {
      ++left;
      continue;
    }
    out += fmt::format("  {}{}{} -> {}{}{}\n", route.name,
                       route.prefix.empty() ? "" : " below ", route.prefix,
                       route.backend, route.model.empty() ? "" : " as ",
                       route.model);
  }
  if (left > 0) out += fmt::format("  and {} more\n", left);
  return shown == 0 ? out + "  none\n" : out;
}

std::string listed_line(const Config& config) {
  std::vector<std::string_view> names;
  bool patterns = false;
  for (const Route& route : config.routes) {
    patterns = patterns || is_pattern(route);
    if (!is_pattern(route)) names.push_back(route.name);
  }
  const std::size_t left =
      names.size() > kNamesShown ? names.size() - kNamesShown : 0;
  names.resize(names.size() - left);
  std::string out = fmt::format("{}", fmt::join(names, ", "));
  if (left > 0) out += fmt::format(" and {} more", left);
  if (patterns && config.server.model_lists.count() > 0) {
    out += out.empty() ? "" : ", and ";
    out += "what backends say they have for the names with *";
  }
  return out.empty() ? "nothing" : out;
}

std::string client_names() {
  std::string out;
  for (const ClientRow& row :
       clients().subspan(0, std::min(kClientsShown, clients().size()))) {
    if (!out.empty()) out += ", ";
    out += row.name;
  }
  return out;
}

}  // namespace

std::string masked(const Secret& key) {
  const std::string& text = key.reveal();
  if (text.size() < kLongKey) return "***";
  std::string tail = text.substr(text.size() - kTail);
  std::replace_if(
      tail.begin(), tail.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return "***" + tail;
}

std::string welcome(const Config& config, int port) {
  const bool keyed = !config.server.client_keys.empty();
  std::string out = fmt::format("llm-proxy {} listening on {}{}\n\n",
                                LLMPROXY_VERSION, listening(config, port),
                                keyed ? ", for clients with a key" : "");
  out += backend_lines(config) + "\n" + route_lines(config);
  out += fmt::format("  clients that list models see: {}\n\n",
                     listed_line(config));
  out += fmt::format("Try\n  {}\n\n", curl_line(config, port));
  out += fmt::format(
      "Point a client here\n  llm-proxy env {}\n  or {}, ...; \"llm-proxy "
      "env\" "
      "lists all\n\n",
      clients().front().name, client_names());
  out += "Each request is a line below; Ctrl-C ends.\n";
  return out;
}

std::string start_lines(const Config& config, int port) {
  return fmt::format("llm-proxy {} listening on {}, models: {}; try:\n  {}\n",
                     LLMPROXY_VERSION, listening(config, port),
                     served_names(config, kNamesShown),
                     curl_line(config, port));
}

}  // namespace llmproxy
