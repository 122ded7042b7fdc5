// Where the configuration comes from: file, environment, command line.
#include "server/commands.h"

namespace llmproxy {
namespace {

constexpr const char* kDotenv = ".env";
constexpr const char* kConfigVariable = "LLM_PROXY_CONFIG";
constexpr const char* kCommandLine = "command line";

Result<Config> read_file_or_default(const ServeArguments& arguments,
                                    const Environment& environment) {
  std::string file = arguments.config_file;
  if (file.empty()) file = environment(kConfigVariable).value_or("");
  return file.empty() ? default_config(environment)
                      : load_config(file, environment);
}

}  // namespace

Result<Config> read_config(const ServeArguments& arguments) {
  const Environment environment = with_dotenv(process_environment(), kDotenv);
  LLMPROXY_ASSIGN(Config config, read_file_or_default(arguments, environment));
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
