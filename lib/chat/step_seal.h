// The thinking of one step of an answer, for clients that keep no thoughts but
// give back one signature with each step's first call: Google's own servers
// sign there, and their clients echo that and nothing else. All that is needed
// to think on is sealed into it: every piece with its words, its signature or
// encrypted form, its issuer and its id.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/chat.h"

namespace llmproxy {

/// One piece of thinking and where it stood in its step.
struct StepThought {
  ThinkingPart thinking;
  bool behind_text = false;  ///< else before all that was said in the step
};

/// Gathers a step's thinking while an answer is written. Not thread-safe.
class StepSeal {
 public:
  /// Thinking beyond this is not sealed, in bytes: clients send it back with
  /// every request from then on.
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

  void add(ThinkingPart thinking);
  /// Something was said: what is thought from now on stands behind it.
  void said_something() { behind_text_ = true; }
  /// Nothing to seal.
  bool empty() const { return thoughts_.empty(); }
  /// There is thinking that is of no use without its signature; unsigned
  /// thinking is given back beside calls only.
  bool has_signed() const;
  /// The step's end: its thinking as one text that any dialect's field for
  /// signatures takes; empty where there is none.
  std::string take();
  /// Thinking was too large to seal.
  bool overflowed() const { return overflowed_; }

 private:
  std::vector<StepThought> thoughts_;
  std::size_t bytes_ = 0;
  bool behind_text_ = false;
  bool full_ = false;  // of this step
  bool overflowed_ = false;
};
inline constexpr std::string_view kOverflowedSeal =
    "the thinking is too large for clients to give it back";

/// True when `text` begins as what StepSeal::take() makes.
bool is_step_seal(std::string_view text);
/// What StepSeal::take() made; nothing of what was cut or made up. nullopt =
/// the text is something else.
std::optional<std::vector<StepThought>> unseal_step(std::string_view text);

/// Puts thinking that came back into the step that begins at `begin` of
/// `content` and whose call or last text comes next: in the order in which it
/// was thought and said. Words of it that the client kept are replaced.
void place_step(std::vector<StepThought> thoughts, const SourcePlace& source,
                std::size_t begin, std::vector<ContentPart>& content);

}  // namespace llmproxy
