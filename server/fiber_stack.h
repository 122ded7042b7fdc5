// FiberStack: memory for one fiber's stack, with a page below it that must
// not be touched, so that an overflow ends the process and nothing worse.
#pragma once

#include <cstddef>

namespace llmproxy {

/// Bytes of stack a fiber or a thread of ours gets. Sanitizers put redzones
/// around locals, so their frames need several times as much.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::size_t kStackBytes = std::size_t{2} << 20;
#else
inline constexpr std::size_t kStackBytes = std::size_t{256} << 10;
#endif

class FiberStack {
 public:
  /// Check ok(): the process may be out of memory or of mappings.
  FiberStack();
  ~FiberStack();
  FiberStack(const FiberStack&) = delete;
  FiberStack& operator=(const FiberStack&) = delete;

  bool ok() const { return lowest_ != nullptr; }
  char* lowest() const { return lowest_; }
  char* top() const { return lowest_ + kStackBytes; }
  /// Gives the pages below `end` back to the system; what they held is gone.
  void release_below(const void* end) const;

 private:
  char* lowest_ = nullptr;
};

}  // namespace llmproxy
