// `llm-proxy version`.
#include <fmt/format.h>

#include "llmproxy/version.h"
#include "server/build_info.h"
#include "server/commands.h"

namespace llmproxy {

int print_version() {
  fmt::print("llm-proxy {}\n", LLMPROXY_VERSION);
  for (const BuildFact& fact : build_facts()) {
    fmt::print("  {:<10} {}\n", fact.name, fact.value);
  }
  return kExitOk;
}

}  // namespace llmproxy
