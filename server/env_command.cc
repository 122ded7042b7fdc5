// `llm-proxy env`: what to set, and to type, so that a client uses the proxy.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "llmproxy/provider.h"
#include "llmproxy/suggest.h"
#include "server/client_table.h"
#include "server/commands.h"
#include "server/example_model.h"

namespace llmproxy {
namespace {

constexpr std::size_t kNamesShown = 12;
// Of a name that was typed; as much as a message can use.
constexpr std::size_t kTypedShown = 64;

void caution(const std::string& text) {
  fmt::print(stderr, "llm-proxy: warning: {}\n", text);
}

int list_clients() {
  fmt::print("llm-proxy env CLIENT; the clients it knows:\n");
  for (const ClientRow& row : clients()) {
    fmt::print("  {:<14} {}\n", row.name, row.title);
  }
  return kExitOk;
}

Error unknown_client(std::string_view typed) {
  std::vector<std::string_view> names;
  for (const ClientRow& row : clients()) names.push_back(row.name);
  return invalid_request(fmt::format(
      "there is no client \"{}\"{}\nexpected {}; for any other, set its base "
      "URL as for openai, anthropic or google-genai",
      typed.substr(0, kTypedShown), did_you_mean(typed, names),
      list_of(names)));
}

/// It is put into lines that a shell reads.
Result<void> check_model(std::string_view model) {
  const bool plain = std::all_of(model.begin(), model.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  });
  if (plain) return {};
  return invalid_request("--model: a model's name has no control characters");
}

ExampleModel model_for(const Config& config, const EnvArguments& arguments,
                       const ClientRow& client) {
  if (!arguments.model.empty()) {
    auto place = place_of(config, arguments.model, client.dialect);
    if (place) return *place;
    caution(fmt::format("no model \"{}\" is served here; served: {}",
                        arguments.model.substr(0, kTypedShown),
                        served_names(config, kNamesShown)));
    return {"", arguments.model};
  }
  if (auto example = example_for(config, client.dialect)) return *example;
  caution(
      fmt::format("the configuration names no model in full ({}): replace "
                  "MODEL with one that "
                  "the backend has, or pass --model",
                  served_names(config, kNamesShown)));
  return {"", "MODEL"};
}

std::string url_of(const ServerConfig& server, const std::string& prefix) {
  if (server.port == 0) {
    caution(
        "the system chooses the port: replace 0 with the port that llm-proxy "
        "prints "
        "at its start");
  }
  return fmt::format("http://{}:{}{}", reachable(server.host), server.port,
                     prefix);
}

bool is_exported(std::string_view text, std::string_view variable) {
  if (variable.empty()) return false;
  for (const std::string_view before : {"export ", " "}) {
    if (text.find(fmt::format("{}{}=", before, variable)) != text.npos)
      return true;
  }
  return false;
}

/// The proxy's own variables among those the text sets: started with them, it
/// would ask itself.
std::string read_by_us(std::string_view text) {
  std::vector<std::string_view> names;
  for (const Provider& row : providers()) {
    for (const std::string_view variable :
         {row.base_url_variable, row.other_base_url_variable}) {
      if (is_exported(text, variable) &&
          std::find(names.begin(), names.end(), variable) == names.end())
        names.push_back(variable);
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void print_settings(const Config& config, const ClientRow& client,
                    const ExampleModel& model) {
  const bool keyed = !config.server.client_keys.empty() || model.wants_key;
  const std::string text =
      settings_for(client, {url_of(config.server, model.prefix),
                            keyed ? "YOUR_KEY" : "none", model.name});
  fmt::print("{}", text);
  const std::string ours = read_by_us(text);
  if (!ours.empty()) {
    fmt::print(
        "# for the client's shell only: llm-proxy itself reads {} as the "
        "address of its upstream\n",
        ours);
  }
  if (model.wants_key) {
    caution(
        "the client's own key is passed on: replace YOUR_KEY with the key of "
        "the "
        "provider");
  }
}

}  // namespace

int print_environment(const EnvArguments& arguments) {
  if (arguments.client.empty()) return list_clients();
  const ClientRow* client = find_client(arguments.client);
  if (client == nullptr) {
    complain(unknown_client(arguments.client));
    return kExitUsage;
  }
  const auto config = read_config(arguments.serving);
  if (!config) {
    complain(config.error());
    return kExitUsage;
  }
  if (const auto sound = check_model(arguments.model); !sound) {
    complain(sound.error());
    return kExitUsage;
  }
  print_settings(*config, *client, model_for(*config, arguments, *client));
  return kExitOk;
}

}  // namespace llmproxy
