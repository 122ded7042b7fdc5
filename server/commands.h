// The commands of llm-proxy, each with its arguments as a plain value.
// main.cc reads the command line and turns the result into the exit code.
#pragma once

#include <optional>
#include <string>

#include "llmproxy/config.h"
#include "llmproxy/result.h"

namespace llmproxy {

/// Exit codes, the same for every command.
inline constexpr int kExitOk = 0;
/// It was tried and failed: no port, a stream that ended in an error.
inline constexpr int kExitFailed = 1;
/// The user must change something: arguments, configuration, input.
inline constexpr int kExitUsage = 2;

struct ServeArguments {
  /// Empty = what LLM_PROXY_CONFIG names, or the default configuration.
  std::string config_file;
  std::optional<std::string> host;
  std::optional<int> port;
  bool allow_anonymous = false;
};
/// Serves until SIGTERM or SIGINT.
int serve(const ServeArguments& arguments);

/// Prints what a configuration means and where each value came from, without
/// any key.
int check(const ServeArguments& arguments);

struct EnvArguments {
  ServeArguments serving;
  std::string client;  ///< "claude-code"; empty = list those that are known
  std::string model;   ///< empty = one of the configuration's
};
/// Prints what to set, and to type, so that a client uses the proxy.
int print_environment(const EnvArguments& arguments);

/// Prints version, commit, compiler and libraries.
int print_version();

struct TranslateArguments {
  std::string kind;  ///< request, response, stream or error
  std::string from;
  std::string to;
  bool strict = false;
  int status = 500;          ///< of the error answer
  std::string request_file;  ///< the client's request, for answers
  bool head = false;
  std::string model;
  /// Where the client's request was sent, for dialects that name the model
  /// there; empty = `model` and `stream` say it.
  std::string path;
  bool stream = false;
};
/// Standard input to standard output; losses to standard error.
int translate(const TranslateArguments& arguments);

struct InitArguments {
  std::string file = "llm-proxy.yaml";  ///< "-" = standard output
  bool force = false;
};
/// Writes a configuration for the providers whose keys are there.
int init(const InitArguments& arguments);

struct ImportArguments {
  std::string program;
  std::string file;  ///< "-" = standard input
};
/// Prints a configuration made of another program's, and on standard error
/// what has no place in it.
int import_configuration(const ImportArguments& arguments);

/// Prints the JSON Schema of the configuration.
int print_schema();

/// The configuration to serve: of the file, or where none is named the
/// default one; then the environment, `.env` in the working directory
/// included; then the command line.
Result<Config> read_config(const ServeArguments& arguments);

/// Where a client on this machine finds a server that listens on `host`.
std::string reachable(const std::string& host);
/// Where `path` was set ("llm-proxy.yaml:12"), the place that counts last;
/// "default" = nowhere.
std::string origin_of(const Config& config, std::string_view path);

/// Error when `server` would be open to other machines without a key.
Result<void> check_exposure(const ServerConfig& server);

/// Error when a backend of `config` is the server itself, however its address
/// is written. Asks for names only where the ports are the same.
Result<void> check_own_address(const Config& config);

/// Prints what of `config` is likely a mistake to standard error.
void warn(const Config& config);

/// Prints "llm-proxy: message" to standard error.
void complain(const Error& error);

}  // namespace llmproxy
