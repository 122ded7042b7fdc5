// Runs one of the hottest paths a given number of times, for callgrind:
//
//   instruction_driver versions
//   instruction_driver PATH COUNT [slowed|floor]
//
// "slowed" parses each input three times more than needed, to prove that the
// check of the counts sees such a thing; "floor" runs the path's floor instead.
#include <gnu/libc-version.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "bench/micro/paths.h"
#include "json/json.h"

namespace {

using llmproxy::find_dialect;
namespace bench = llmproxy::bench;

bench::Path make(std::string_view name) {
  const auto& chat = *find_dialect("openai-chat");
  const auto& claude = *find_dialect("claude");
  if (name == "stream_event") return bench::event_path(chat, claude);
  if (name == "large_request") {
    return bench::request_path(claude, chat, bench::kLarge);
  }
  if (name == "passed_request") {
    return bench::request_path(chat, chat, bench::kLarge);
  }
  if (name == "small_request") {
    return bench::request_path(chat, claude, bench::kSmall);
  }
  if (name == "response") return bench::response_path(claude, chat);
  std::cerr << "no such path: " << name << '\n';
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "versions") {
    std::cout << "g++ " << __VERSION__ << ", glibc " << gnu_get_libc_version()
              << ", " << bench::json_library_versions() << '\n';
    return 0;
  }
  if (argc < 3) {
    std::cerr << "usage: instruction_driver PATH COUNT [slowed|floor]\n";
    return 2;
  }
  const std::string_view how = argc > 3 ? argv[3] : "";
  bench::Path path = make(name);
  llmproxy::json::Document document;
  std::size_t bytes = 0;
  for (int left = std::atoi(argv[2]); left > 0; --left) {
    bytes += how == "floor" ? path.floor.run() : path.run();
    if (how != "slowed") continue;
    for (int i = 0; i < 3; ++i) {
      for (const std::string& text : path.input) {
        if (!document.parse(text)) return 1;
      }
    }
  }
  return bytes > 0 ? 0 : 1;
}
