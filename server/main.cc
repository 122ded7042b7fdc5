// llm-proxy: reads the command line, runs one command, exits with its code.
#ifdef LLMPROXY_MIMALLOC
#include <mimalloc.h>
#endif

#include "server/command_line.h"

namespace {

/// A body may be as large as all else together: it goes back to the system
/// when it is freed, and not when the next one comes. (Small pieces, which are
/// freed all the time, stay.)
void give_large_pieces_back() {
#ifdef LLMPROXY_MIMALLOC
  mi_option_set(mi_option_segment_decommit_delay, 0);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  give_large_pieces_back();
  return llmproxy::CommandLine().run(argc, argv);
}
