// Runs every target on what fuzzing found before, without libFuzzer: the
// corpus, the inputs that once broke something, and a few changes of each
// that are the same in every run.
//
//   fuzz_replay                  all of it
//   fuzz_replay TARGET FILE...   these inputs as they are
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#include "fuzz/kit/mutator.h"
#include "fuzz/kit/target.h"

namespace llmproxy::fuzz {
namespace {

namespace fs = std::filesystem;

/// Changes tried of each input; they are the business of make fuzz.
constexpr unsigned kChanges = 3;

struct Named {
  std::string name;
  std::string bytes;
};

/// What runs now, for when the process dies of it.
const Target* current_target = nullptr;
const Named* current = nullptr;
const std::string* current_bytes = nullptr;

void say_current() {
  if (current == nullptr) return;
  std::fprintf(stderr, "fuzz_replay: died in %s, of %s (%s)\n",
               std::string(current_target->name).c_str(), current->name.c_str(),
               *current_bytes == current->bytes ? "as it is" : "changed");
}

std::string whole_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// "<size>\n<bytes>\n" again and again, see corpus.py.
std::vector<Named> read_pack(const fs::path& file) {
  const std::string text = whole_file(file);
  std::vector<Named> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    const std::size_t size = std::stoul(text.substr(at, end - at));
    out.push_back(
        {file.filename().string() + "[" + std::to_string(out.size()) + "]",
         text.substr(end + 1, size)});
    at = end + 1 + size + 1;
  }
  return out;
}

std::vector<Named> inputs_of(const Target& target) {
  const fs::path folder = LLMPROXY_FUZZ_FOLDER;
  const std::string name(target.name);
  std::vector<Named> out = read_pack(folder / "corpus" / (name + ".pack"));
  std::vector<fs::path> files;
  const fs::path regressions = folder / "regressions" / name;
  if (fs::exists(regressions)) {
    for (const auto& entry : fs::directory_iterator(regressions)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    out.push_back({file.string(), whole_file(file)});
  }
  return out;
}

std::string changed(const Target& target, std::string bytes, unsigned seed) {
  const std::size_t size = bytes.size();
  bytes.resize(std::max(target.longest, size));
  const std::size_t now =
      mutate(target, reinterpret_cast<std::uint8_t*>(bytes.data()), size,
             bytes.size(), seed, nullptr);
  bytes.resize(now);
  return bytes;
}

class Replay {
 public:
  void run(const Target& target, const Named& named, unsigned changes) {
    current_target = &target;
    current = &named;
    once(named.bytes, "");
    for (unsigned seed = 1; seed <= changes; ++seed) {
      once(changed(target, named.bytes, seed),
           ", change " + std::to_string(seed));
    }
  }

  int end() const {
    std::printf("%zu passed, %zu failed\n", passed_, failed_);
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

 private:
  void once(const std::string& bytes, const std::string& how) {
    current_bytes = &bytes;
    Input input(bytes);
    try {
      current_target->run(input);
      ++passed_;
    } catch (const Broken& broken) {
      ++failed_;
      std::fprintf(stderr, "%s: %s%s: %s\n",
                   std::string(current_target->name).c_str(),
                   current->name.c_str(), how.c_str(), broken.what.c_str());
    }
  }

  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
};

int replay_all() {
  Replay replay;
  for (const Target& target : targets()) {
    const std::vector<Named> inputs = inputs_of(target);
    if (inputs.empty()) {
      std::fprintf(stderr, "%s: no inputs\n", std::string(target.name).c_str());
      return 1;
    }
    for (const Named& named : inputs) replay.run(target, named, kChanges);
  }
  return replay.end();
}

int replay_files(std::string_view name, const std::vector<std::string>& files) {
  const auto target =
      std::find_if(targets().begin(), targets().end(),
                   [&](const Target& row) { return row.name == name; });
  if (target == targets().end()) {
    std::fprintf(stderr, "fuzz_replay: no target of that name\n");
    return 2;
  }
  Replay replay;
  for (const std::string& file : files) {
    replay.run(*target, {file, whole_file(file)}, 0);
  }
  return replay.end();
}

}  // namespace
}  // namespace llmproxy::fuzz

int main(int count, char** words) {
  using namespace llmproxy::fuzz;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(say_current);
#endif
  const std::vector<std::string> arguments(words + 1, words + count);
  if (arguments.empty()) return replay_all();
  return replay_files(arguments.front(),
                      {arguments.begin() + 1, arguments.end()});
}
