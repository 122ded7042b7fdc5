// Where the configuration comes from: file, environment, command line.
#include <fmt/format.h>

#include "server/commands.h"

namespace llmproxy {
namespace {

constexpr const char* kDotenv = ".env";
constexpr const char* kConfigVariable = "LLM_PROXY_CONFIG";
constexpr const char* kCommandLine = "command line";

/// A file that lies in the working directory may not choose what is served:
/// a configuration sends any variable of the environment anywhere.
Result<void> check_choice(const Environment& real,
                          const Environment& environment) {
  if (real(kConfigVariable) || !environment(kConfigVariable)) return {};
  return invalid_request(fmt::format(
      "{0} may not name the configuration: set {1} in the environment, or pass "
      "--config",
      kDotenv, kConfigVariable));
}

Result<Config> read_file_or_default(const ServeArguments& arguments,
                                    const Environment& real,
                                    const Environment& environment) {
  std::string file = arguments.config_file;
  if (file.empty()) {
    LLMPROXY_TRY(check_choice(real, environment));
    file = real(kConfigVariable).value_or("");
  }
  return file.empty() ? default_config(environment)
                      : load_config(file, environment);
}

}  // namespace

Result<Config> read_config(const ServeArguments& arguments) {
  const Environment real = process_environment();
  LLMPROXY_TRY(check_dotenv(kDotenv));
  LLMPROXY_ASSIGN(
      Config config,
      read_file_or_default(arguments, real, with_dotenv(real, kDotenv)));
  const auto set = [&config](const char* path) {
    config.origins.push_back({path, kCommandLine});
  };
  if (arguments.host) {
    config.server.host = *arguments.host;
    set("server.host");
  }
  if (arguments.port) {
    config.server.port = *arguments.port;
    set("server.port");
  }
  if (arguments.allow_anonymous) {
    config.server.allow_anonymous = true;
    set("server.allow_anonymous");
  }
  return config;
}

}  // namespace llmproxy
