// What a fuzz target is: a name, the form of its inputs, and a function that
// makes something of an input and checks what must hold whatever the input
// says. libfuzzer_main.cc runs one target under libFuzzer; replay.cc runs all
// of them on what earlier runs found.
//
//   void run(Input& input) {
//     const bool strict = input.flag();
//     expect(works(strict, input.rest()), "it works");
//   }
//   const Registered target({"name", Form::json, 4096, run});
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmproxy::fuzz {

/// Thrown by expect(): a property does not hold.
struct Broken {
  std::string what;
};

/// `holds` must be true; `seen` says what was there instead.
void expect(bool holds, std::string_view property, std::string_view seen = {});

/// The bytes of one run: a few that choose, then the text that is read. The
/// text stands behind a fixed number of bytes so that changing one leaves the
/// other alone.
class Input {
 public:
  /// Bytes that choose, at the front of every input.
  static constexpr std::size_t kChoices = 16;

  explicit Input(std::string_view bytes)
      : choices_(bytes.substr(0, kChoices)),
        rest_(bytes.substr(choices_.size())) {}

  /// 0 .. 255; 0 when all choices were made.
  std::uint8_t byte();
  /// 0 .. count-1.
  std::size_t below(std::size_t count) { return byte() % count; }
  bool flag() { return (byte() & 1) != 0; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view choices_;
  std::string_view rest_;
};

/// How the text of inputs is changed; see mutator.h.
enum class Form : std::uint8_t {
  bytes,   ///< no structure worth keeping
  lines,   ///< lines of text
  json,    ///< one JSON value
  events,  ///< lines, some of which hold a JSON object up to their end
};

struct Target {
  std::string_view name;
  Form form = Form::bytes;
  /// Longer inputs are not made. Bytes.
  std::size_t longest = 4096;
  void (*run)(Input& input) = nullptr;
};

/// All targets that are linked in.
std::vector<Target>& targets();

struct Registered {
  explicit Registered(const Target& target) { targets().push_back(target); }
};

}  // namespace llmproxy::fuzz
