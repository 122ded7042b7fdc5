#include "server/fiber_loop.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <exception>
#include <system_error>

#include "server/epoll.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Events taken from the kernel at a time; more wait for the next turn.
constexpr int kEventsAtOnce = 256;
/// Stacks that are kept for the next fibers.
constexpr std::size_t kSpareStacks = 256;
/// New tasks that begin in one turn; a crowd of them waits for the next.
constexpr std::size_t kBeginsAtOnce = 64;
/// Before a helper is asked for again, where the system had no thread for one.
constexpr milliseconds kNoThreadPause{20};
/// How long a fiber may run while others wait.
constexpr std::chrono::microseconds kSlice{200};

thread_local FiberLoop* this_threads_loop = nullptr;

/// The bits of poll(2) and epoll(7) mean the same where we use them.
static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLHUP == EPOLLHUP &&
              POLLERR == EPOLLERR);

}  // namespace

FiberLoop::FiberLoop(TaskQueue& helpers)
    : helpers_(helpers),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      inbox_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!epoll_control(epoll_, EPOLL_CTL_ADD, inbox_fd_, EPOLLIN)) return;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    // ok() tells.
  }
}

FiberLoop::~FiberLoop() {
  if (thread_.joinable()) {
    stop();
    thread_.join();
  }
  if (inbox_fd_ >= 0) ::close(inbox_fd_);
  if (epoll_ >= 0) ::close(epoll_);
}

bool FiberLoop::on_fiber() {
  return this_threads_loop != nullptr && this_threads_loop->running_ != nullptr;
}

void FiberLoop::give_way() {
  if (!on_fiber()) return;
  FiberLoop& loop = *this_threads_loop;
  if (Clock::now() < loop.slice_end_) return;
  loop.gave_way_.push_back(loop.running_);
  loop.running_->suspend();
}

void FiberLoop::release_unused_stack() {
  if (on_fiber()) this_threads_loop->running_->release_unused_stack();
}

// --- From other threads ----------------------------------------------------

void FiberLoop::post(const std::function<void(Inbox&)>& write) {
  const std::lock_guard lock(mutex_);
  const bool first = inbox_.tasks.empty() && inbox_.wakes.empty();
  write(inbox_);
  if (first) ::eventfd_write(inbox_fd_, 1);
}

void FiberLoop::enqueue(Fiber::Task task) {
  ++fibers_;
  post([&](Inbox& inbox) { inbox.tasks.push_back(std::move(task)); });
}

void FiberLoop::stop() {
  post([](Inbox& inbox) {
    inbox.stop = true;
    // A wake-up of nobody, so that the loop wakes.
    inbox.wakes.push_back(nullptr);
  });
}

void FiberLoop::wake(Fiber& fiber) {
  post([&](Inbox& inbox) { inbox.wakes.push_back(&fiber); });
}

void FiberLoop::take_inbox() {
  {
    const std::lock_guard lock(mutex_);
    if (inbox_.tasks.empty() && inbox_.wakes.empty()) return;
    eventfd_t count = 0;
    ::eventfd_read(inbox_fd_, &count);
    for (Fiber::Task& task : inbox_.tasks)
      taken_tasks_.push_back(std::move(task));
    inbox_.tasks.clear();
    std::swap(inbox_.wakes, taken_wakes_);
    stopping_ = inbox_.stop;
  }
  for (Fiber* fiber : taken_wakes_) {
    if (fiber == nullptr) continue;
    fiber->woken = true;
    if (fiber->waits == Fiber::Waits::parked) make_ready(*fiber);
  }
  taken_wakes_.clear();
}

void FiberLoop::begin_some() {
  for (std::size_t i = 0; i < kBeginsAtOnce && !taken_tasks_.empty(); ++i) {
    begin(taken_tasks_.front());
    taken_tasks_.pop_front();
  }
}

// --- The loop --------------------------------------------------------------

void FiberLoop::run() {
  ::pthread_setname_np(::pthread_self(), "llmproxy-fibers");
  this_threads_loop = this;
  set_thread_waiter(this);
  while (!stopping_ || fibers_ > 0) {
    run_ready();
    wait();
    take_inbox();
    begin_some();
    end_waits(Clock::now());
  }
}

void FiberLoop::begin(Fiber::Task& task) {
  if (spare_.empty()) {
    all_.push_back(std::make_unique<Fiber>(*this));
    spare_.push_back(all_.back().get());
  }
  Fiber* fiber = spare_.back();
  if (!fiber->begin(task)) {
    task();  // on no fiber, which it sees
    --fibers_;
    return;
  }
  spare_.pop_back();
  ready_.push_back(fiber);
}

void FiberLoop::run_ready() {
  // Those that become ready meanwhile have their turn after the kernel was
  // asked for events.
  for (std::size_t count = ready_.size(); count > 0; --count) {
    Fiber& fiber = *ready_.front();
    ready_.pop_front();
    run(fiber);
  }
  if (gave_way_.empty()) return;
  Fiber& fiber = *gave_way_.front();
  gave_way_.pop_front();
  run(fiber);
}

void FiberLoop::run(Fiber& fiber) {
  running_ = &fiber;
  slice_end_ = Clock::now() + kSlice;
  fiber.resume();
  running_ = nullptr;
  if (!fiber.over()) return;
  if (spare_.size() >= kSpareStacks) fiber.release_stack();
  spare_.push_back(&fiber);
  --fibers_;
}

void FiberLoop::wait() {
  std::array<epoll_event, kEventsAtOnce> events;
  const int count =
      ::epoll_wait(epoll_, events.data(), kEventsAtOnce, wait_time());
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd != inbox_fd_) note_event(event.data.fd, event.events);
  }
}

int FiberLoop::wait_time() const {
  if (!ready_.empty() || !gave_way_.empty() || !taken_tasks_.empty()) return 0;
  if (timers_.empty()) return -1;
  const auto left =
      std::chrono::ceil<milliseconds>(timers_.begin()->first - Clock::now());
  return static_cast<int>(
      std::clamp(left, milliseconds(0), milliseconds(INT_MAX)).count());
}

void FiberLoop::note_event(int fd, std::uint32_t events) {
  Fiber* fiber = watchers_[static_cast<std::size_t>(fd)];
  if (fiber == nullptr) return;
  for (pollfd& socket : fiber->sockets) {
    if (socket.fd == fd) socket.revents = static_cast<short>(events);
  }
  if (fiber->waits == Fiber::Waits::polls) make_ready(*fiber);
}

void FiberLoop::make_ready(Fiber& fiber) {
  fiber.waits = Fiber::Waits::no;
  ready_.push_back(&fiber);
}

// --- Time ------------------------------------------------------------------

void FiberLoop::set_timer(Fiber& fiber, Time at) {
  if (fiber.timer != Time::max()) timers_.erase({fiber.timer, &fiber});
  fiber.timer = at;
  if (at != Time::max()) timers_.emplace(at, &fiber);
}

void FiberLoop::end_waits(Time now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Fiber& fiber = *timers_.begin()->second;
    const bool waits = fiber.waits != Fiber::Waits::no;
    if (waits && fiber.until > now) {
      set_timer(fiber, fiber.until);
      continue;
    }
    set_timer(fiber, Time::max());
    if (waits) make_ready(fiber);
  }
}

// --- What fibers call ------------------------------------------------------

void FiberLoop::sleep(Fiber& fiber, Fiber::Waits what, Time until) {
  fiber.waits = what;
  fiber.until = until;
  if (until < fiber.timer) set_timer(fiber, until);
  fiber.suspend();
}

void FiberLoop::park(Time until) {
  Fiber& fiber = *running_;
  if (!fiber.woken) sleep(fiber, Fiber::Waits::parked, until);
  fiber.woken = false;
}

bool FiberLoop::watch(const pollfd& socket, Fiber& fiber) {
  const auto index = static_cast<std::size_t>(socket.fd);
  if (index >= watchers_.size()) watchers_.resize(index + 1);
  watchers_[index] = &fiber;
  const std::uint32_t events =
      static_cast<std::uint16_t>(socket.events) | EPOLLONESHOT;
  // A descriptor stays in the epoll, asleep, until it is closed.
  return epoll_control(epoll_, EPOLL_CTL_MOD, socket.fd, events) ||
         (errno == ENOENT &&
          epoll_control(epoll_, EPOLL_CTL_ADD, socket.fd, events));
}

int FiberLoop::poll(std::span<pollfd> descriptors, Time until) {
  Fiber& fiber = *running_;
  int ready = 0;
  for (pollfd& socket : descriptors) {
    socket.revents = 0;
    if (watch(socket, fiber)) continue;
    socket.revents = POLLNVAL;
    ++ready;
  }
  fiber.sockets = descriptors;
  if (ready == 0) sleep(fiber, Fiber::Waits::polls, until);
  fiber.sockets = {};
  ready = 0;
  for (const pollfd& socket : descriptors) {
    watchers_[static_cast<std::size_t>(socket.fd)] = nullptr;
    if (socket.revents != 0) {
      ++ready;
    } else {
      epoll_control(epoll_, EPOLL_CTL_MOD, socket.fd, EPOLLONESHOT);
    }
  }
  return ready;
}

void FiberLoop::run_apart(const std::function<void()>& work) {
  Fiber* const fiber = running_;
  std::exception_ptr thrown;
  std::atomic<bool> done{false};
  TaskQueue::Task task = [&work, &thrown, &done, fiber] {
    try {
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
    done = true;
    fiber->wake();
  };
  // Never here: the others of this loop would wait for it too.
  while (!helpers_.enqueue(task)) park(Clock::now() + kNoThreadPause);
  while (!done) park(Time::max());
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace llmproxy
