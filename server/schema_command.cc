// `llm-proxy schema`, for editors; see docs/configuration.md.
#include <fmt/format.h>

#include "llmproxy/config_files.h"
#include "server/commands.h"

namespace llmproxy {

int print_schema() {
  fmt::print("{}", config_schema());
  return kExitOk;
}

}  // namespace llmproxy
