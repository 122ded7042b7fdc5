#include "server/fiber_stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace llmproxy {
namespace {

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

FiberStack::FiberStack() {
  const std::size_t guard = page_bytes();
  void* memory = ::mmap(nullptr, guard + kStackBytes, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  char* lowest = static_cast<char*>(memory) + guard;
  if (::mprotect(lowest, kStackBytes, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(memory, guard + kStackBytes);
    return;
  }
  lowest_ = lowest;
}

FiberStack::~FiberStack() {
  if (lowest_ == nullptr) return;
  const std::size_t guard = page_bytes();
  ::munmap(lowest_ - guard, guard + kStackBytes);
}

void FiberStack::release_below(const void* end) const {
  const auto page = page_bytes();
  const auto begin = reinterpret_cast<std::uintptr_t>(lowest_);
  const auto last = reinterpret_cast<std::uintptr_t>(end) / page * page;
  if (last > begin) ::madvise(lowest_, last - begin, MADV_DONTNEED);
}

}  // namespace llmproxy
