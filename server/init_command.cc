// `llm-proxy init`: a configuration to begin with, for the providers whose
// keys are there. It names variables; no key is read into it.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands.h"
#include "server/schema_line.h"

namespace llmproxy {
namespace {

constexpr const char* kDotenv = ".env";

constexpr std::string_view kHead =
    "# Configuration of llm-proxy, made by \"llm-proxy init\".\n"
    "# \"llm-proxy check --config FILE\" says what it means;\n"
    "# \"llm-proxy schema >llm-proxy.schema.json\" lets editors complete it.\n"
    "# ${NAME} is a variable of the environment or of the file .env.\n"
    "\n"
    "server:\n"
    "  host: 127.0.0.1\n"
    "  port: 8080\n"
    "  # Keys that clients must send; needed to listen beyond this machine.\n"
    "  # client_keys: [\"${PROXY_KEY}\"]\n"
    "\n"
    "log:\n"
    "  level: info    # debug: routes, addresses, headers without keys\n"
    "  format: text   # or json\n"
    "\n"
    "# Where requests can be sent, by names of your choice.\n"
    "backends:\n";

constexpr std::string_view kModels =
    "\n"
    "# The name that a client uses: the backend that serves it. A name with *\n"
    "# needs quotes. Other names for models:\n"
    "#   fast: {backend: NAME, model: MODEL}\n"
    "models:\n";

/// Settings of a backend, and the variables that give them.
struct VariableRow {
  std::string_view key;
  std::string_view variable;
};

std::vector<VariableRow> rows_of(const Provider& provider) {
  if (provider.auth == AuthScheme::aws)
    return {{"api_key", provider.key_variable},
            {"base_url", provider.base_url_variable},
            {"region", "AWS_REGION"},
            {"access_key_id", "AWS_ACCESS_KEY_ID"},
            {"secret_access_key", "AWS_SECRET_ACCESS_KEY"},
            {"session_token", "AWS_SESSION_TOKEN"}};
  return {{"api_key", provider.key_variable},
          {"base_url", provider.base_url_variable},
          {"base_url", provider.other_base_url_variable}};
}

std::string backend_text(const Backend& backend, const Environment& is) {
  std::string out = fmt::format("  {}:\n    provider: {}\n", backend.name,
                                backend.provider->name);
  std::vector<std::string_view> written;
  for (const VariableRow& row : rows_of(*backend.provider)) {
    const bool twice =
        std::find(written.begin(), written.end(), row.key) != written.end();
    if (twice || row.variable.empty() ||
        is(std::string(row.variable)).value_or("").empty())
      continue;
    written.push_back(row.key);
    out += fmt::format("    {}: ${{{}}}\n", row.key, row.variable);
  }
  return out;
}

/// One that is there as an example, and does nothing.
std::string example_text() {
  return "  # A server on this machine, or any other of that API:\n"
         "  # local: {base_url: \"http://127.0.0.1:11434/v1\"}\n";
}

/// With a key of ours, or a server of ours that asks for none.
bool is_ours(const Backend& backend, const Environment& is) {
  const Provider& provider = *backend.provider;
  const std::string address(provider.base_url_variable);
  return !backend.pass_credentials ||
         (provider.key_optional && !address.empty() &&
          !is(address).value_or("").empty());
}

std::string route_text(const Route& route) {
  const std::string name = fmt::format("  \"{}\": ", route.name);
  if (route.model.empty()) return name + route.backend + "\n";
  return name + fmt::format("{{backend: {}, model: \"{}\"}}\n", route.backend,
                            route.model);
}

std::string text_for(const Config& config, const Environment& environment) {
  std::string out(kSchemaLine);
  out += kHead;
  std::string models(kModels);
  for (const Backend& backend : config.backends) {
    if (!is_ours(backend, environment)) continue;
    out += backend_text(backend, environment);
    for (const Route& route : config.routes) {
      const auto stars = std::count(route.name.begin(), route.name.end(), '*');
      // A file's names have one at most.
      if (route.backend == backend.name && stars < 2)
        models += route_text(route);
    }
  }
  return out + example_text() + models;
}

Result<void> failed(const std::string& file, int reason) {
  const bool there = reason == EEXIST;
  return invalid_request(fmt::format(
      "{}: {}{}", file, there ? "is there already" : std::strerror(reason),
      there ? "; --force replaces it, or name another file" : ""));
}

Result<void> write_file(const std::string& file, const std::string& text,
                        bool force) {
  const int mode = force ? O_TRUNC : O_EXCL;
  const int out =
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0644);
  if (out < 0) return failed(file, errno);
  const char* at = text.data();
  std::size_t left = text.size();
  int reason = 0;
  while (left > 0 && reason == 0) {
    const ssize_t n = ::write(out, at, left);
    if (n < 0 && errno != EINTR) reason = errno;
    if (n <= 0) continue;
    at += n;
    left -= static_cast<std::size_t>(n);
  }
  if (::close(out) != 0 && reason == 0) reason = errno;
  return reason == 0 ? Result<void>() : failed(file, reason);
}

void tell(const Config& config, const Environment& environment,
          const std::string& file) {
  std::vector<std::string_view> names;
  for (const Backend& backend : config.backends) {
    if (is_ours(backend, environment)) names.push_back(backend.name);
  }
  fmt::print(
      "wrote {} with {}\nnext:\n  llm-proxy check --config {}\n"
      "  llm-proxy --config {}\n",
      file, fmt::join(names, ", "), file, file);
}

}  // namespace

int init(const InitArguments& arguments) {
  if (const auto sound = check_dotenv(kDotenv); !sound) {
    complain(sound.error());
    return kExitUsage;
  }
  const Environment environment = with_dotenv(process_environment(), kDotenv);
  const auto config = default_config(environment);
  if (!config) {
    complain(config.error());
    return kExitUsage;
  }
  const std::string text = text_for(*config, environment);
  if (arguments.file == "-") {
    fmt::print("{}", text);
    return kExitOk;
  }
  const auto written = write_file(arguments.file, text, arguments.force);
  if (!written) {
    complain(written.error());
    return kExitUsage;
  }
  tell(*config, environment, arguments.file);
  return kExitOk;
}

}  // namespace llmproxy
