// Fiber: a task with a stack of its own, which its loop resumes and which
// suspends itself where it waits. Boost.Context switches the stacks.
//
// All but wake() belongs to the thread of the loop.
#pragma once

#include <poll.h>

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "llmproxy/waiting.h"
#include "server/fiber_stack.h"

namespace llmproxy {

class FiberLoop;

/// Used again for one task after the other, and kept until its loop ends: a
/// wake() may come late.
class Fiber final : public Wakeup {
 public:
  using Task = std::function<void()>;

  explicit Fiber(FiberLoop& loop) : loop_(loop) {}
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() override;

  /// False = there is no stack to be had; `task` is untouched then.
  bool begin(Task& task);
  /// Runs until the fiber suspends itself or its task is over.
  void resume();
  bool over() const { return !task_; }
  /// From within: back to who resumed.
  void suspend();
  /// From within: gives the part of the stack back that is not in use.
  void release_unused_stack();
  /// Gives the whole stack back; the task must be over.
  void release_stack() { stack_.reset(); }

  void wake() override;

  // The loop's notes:
  enum class Waits : std::uint8_t { no, parked, polls };
  Waits waits = Waits::no;
  bool woken = false;  ///< wake() came; ends this or the next park()
  std::span<pollfd> sockets;
  Waiter::Time until;
  Waiter::Time timer = Waiter::Time::max();  ///< key in the loop's timers

 private:
  boost::context::fiber run(boost::context::fiber&& caller);

  FiberLoop& loop_;
  std::unique_ptr<FiberStack> stack_;
  Task task_;
  boost::context::fiber inside_;   ///< the fiber, while it is suspended
  boost::context::fiber outside_;  ///< the loop, while the fiber runs
#if defined(__SANITIZE_ADDRESS__)
  const void* loop_stack_ = nullptr;
  std::size_t loop_stack_bytes_ = 0;
#endif
#if defined(__SANITIZE_THREAD__)
  void* sanitizer_fiber_ = nullptr;
  void* sanitizer_loop_ = nullptr;
#endif
};

}  // namespace llmproxy
