// AddressSanitizer and ThreadSanitizer must be told of every switch of stacks.
#include "server/fiber.h"

#include <memory>
#include <utility>

#include "server/fiber_loop.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace llmproxy {
namespace {

namespace context = boost::context;

/// The stack belongs to the Fiber, not to the context.
struct BorrowedStack {
  context::stack_context allocate() const { return {}; }
  void deallocate(context::stack_context&) const noexcept {}
};

}  // namespace

Fiber::~Fiber() = default;

bool Fiber::begin(Task& task) {
  if (!stack_) {
    stack_ = std::make_unique<FiberStack>();
    if (!stack_->ok()) {
      stack_.reset();
      return false;
    }
  }
  task_ = std::move(task);
  context::stack_context memory;
  memory.size = kStackBytes;
  memory.sp = stack_->top();
  inside_ = context::fiber(
      std::allocator_arg, context::preallocated(memory.sp, memory.size, memory),
      BorrowedStack{},
      [this](context::fiber&& caller) { return run(std::move(caller)); });
  return true;
}

#if defined(__SANITIZE_ADDRESS__)

void Fiber::resume() {
  void* shadow = nullptr;
  __sanitizer_start_switch_fiber(&shadow, stack_->lowest(), kStackBytes);
  inside_ = std::move(inside_).resume();
  __sanitizer_finish_switch_fiber(shadow, nullptr, nullptr);
}

void Fiber::suspend() {
  void* shadow = nullptr;
  __sanitizer_start_switch_fiber(&shadow, loop_stack_, loop_stack_bytes_);
  outside_ = std::move(outside_).resume();
  __sanitizer_finish_switch_fiber(shadow, &loop_stack_, &loop_stack_bytes_);
}

context::fiber Fiber::run(context::fiber&& caller) {
  __sanitizer_finish_switch_fiber(nullptr, &loop_stack_, &loop_stack_bytes_);
  outside_ = std::move(caller);
  task_();
  task_ = nullptr;
  __sanitizer_start_switch_fiber(nullptr, loop_stack_, loop_stack_bytes_);
  return std::move(outside_);
}

#elif defined(__SANITIZE_THREAD__)

void Fiber::resume() {
  if (sanitizer_fiber_ == nullptr) sanitizer_fiber_ = __tsan_create_fiber(0);
  sanitizer_loop_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(sanitizer_fiber_, 0);
  inside_ = std::move(inside_).resume();
  if (!over()) return;
  __tsan_destroy_fiber(std::exchange(sanitizer_fiber_, nullptr));
}

void Fiber::suspend() {
  __tsan_switch_to_fiber(sanitizer_loop_, 0);
  outside_ = std::move(outside_).resume();
}

context::fiber Fiber::run(context::fiber&& caller) {
  outside_ = std::move(caller);
  task_();
  task_ = nullptr;
  __tsan_switch_to_fiber(sanitizer_loop_, 0);
  return std::move(outside_);
}

#else

void Fiber::resume() { inside_ = std::move(inside_).resume(); }

void Fiber::suspend() { outside_ = std::move(outside_).resume(); }

context::fiber Fiber::run(context::fiber&& caller) {
  outside_ = std::move(caller);
  task_();
  task_ = nullptr;
  return std::move(outside_);
}

#endif

void Fiber::release_unused_stack() {
  // The frames of what is called from here stay. Bytes.
  constexpr std::size_t kRedZone = 512;
  stack_->release_below(static_cast<char*>(__builtin_frame_address(0)) -
                        kRedZone);
}

void Fiber::wake() { loop_.wake(*this); }

}  // namespace llmproxy
