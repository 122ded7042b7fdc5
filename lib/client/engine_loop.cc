#include "client/engine_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <iterator>

#include "client/caught.h"
#include "client/curl_poll.h"
#include "client/job.h"
#include "client/transfer_error.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Events taken from the kernel at a time; more wait for the next round.
constexpr int kEventsAtOnce = 256;

/// The least that libcurl allows. Bytes.
constexpr long kUploadPiece = 16L << 10;

// What epoll keeps of a socket: its descriptor, and the number of its group.

std::uint64_t marked(int fd, std::uint32_t group) {
  return std::uint64_t{group} << 32 | static_cast<std::uint32_t>(fd);
}

int fd_of(const epoll_event& event) {
  return static_cast<int>(event.data.u64 & UINT32_MAX);
}

std::uint32_t group_of(const epoll_event& event) {
  return static_cast<std::uint32_t>(event.data.u64 >> 32);
}

}  // namespace

std::unique_ptr<EngineLoop> EngineLoop::create(
    const CurlOptions& options, std::size_t max_idle,
    std::shared_ptr<SharedCache> cache, std::shared_ptr<IdleTimes> times,
    std::shared_ptr<CommandQueue> commands) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::unique_ptr<EngineLoop> loop(
      new EngineLoop(options, max_idle, std::move(cache), std::move(times),
                     std::move(commands), epoll));
  if (epoll < 0 || loop->commands_->fd() < 0 ||
      loop->groups_.with_room() == nullptr) {
    return nullptr;
  }
  loop->watch(EPOLL_CTL_ADD, loop->commands_->fd(), EPOLLIN, 0);
  return loop;
}

EngineLoop::EngineLoop(const CurlOptions& options, std::size_t max_idle,
                       std::shared_ptr<SharedCache> cache,
                       std::shared_ptr<IdleTimes> times,
                       std::shared_ptr<CommandQueue> commands, int epoll)
    : options_(options),
      max_idle_(max_idle),
      cache_(std::move(cache)),
      idle_times_(std::move(times)),
      commands_(std::move(commands)),
      epoll_(epoll),
      groups_(this, max_idle, &EngineLoop::on_socket, &EngineLoop::on_timer) {}

EngineLoop::~EngineLoop() {
  spare_.clear();
  for (const auto& group : groups_.all()) {
    if (group != nullptr) groups_.free(*group);
  }
  if (epoll_ >= 0) close(epoll_);
}

void EngineLoop::run() {
  for (bool stop = false; !stop;) {
    wait();
    CommandQueue::Batch batch = commands_->take();
    for (const Command& command : batch.commands) execute(command);
    check_deadlines();
    stop = batch.stop;
  }
  shut_down();
}

void EngineLoop::shut_down() {
  // A handler may start another transfer in its on_done; that one is over
  // before it began.
  do {
    while (!jobs_.empty()) end(*jobs_.begin()->second, cancelled_error());
    for (const Command& command : commands_->take().commands) {
      if (command.kind == CommandKind::start) {
        tell_done(command.job->handler, cancelled_error());
      }
    }
  } while (!commands_->close());
}

// --- Waiting ---------------------------------------------------------------

void EngineLoop::wait() {
  std::array<epoll_event, kEventsAtOnce> events;
  const int count =
      epoll_wait(epoll_, events.data(), kEventsAtOnce, wait_time());
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const int fd = fd_of(event);
    if (fd == commands_->fd()) continue;
    // libcurl knows which of its sockets are no more.
    CurlGroup* group = groups_.at(group_of(event));
    if (group != nullptr) act(*group, fd, curl_events(event.events));
  }
  run_timers();
}

void EngineLoop::run_timers() {
  const Time now = Clock::now();
  // Handlers only post commands, so no group comes or goes meanwhile.
  for (const auto& group : groups_.all()) {
    if (group == nullptr || group->due > now) continue;
    group->due = Time::max();  // libcurl sets the next one during the call
    act(*group, CURL_SOCKET_TIMEOUT, 0);
  }
  free_groups(now);
}

void EngineLoop::act(CurlGroup& group, curl_socket_t socket, int events) {
  int number = 0;
  curl_multi_socket_action(group.multi, socket, events, &number);
  while (const CURLMsg* message = curl_multi_info_read(group.multi, &number)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto found = jobs_.find(message->easy_handle);
    if (found != jobs_.end()) end(*found->second, message->data.result);
  }
}

int EngineLoop::wait_time() const {
  Time until = Time::max();
  for (const auto& group : groups_.all()) {
    if (group != nullptr) until = std::min(until, group->due);
  }
  if (!deadlines_.empty()) until = std::min(until, deadlines_.begin()->first);
  if (until == Time::max()) return -1;
  const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
  return static_cast<int>(
      std::clamp(left, milliseconds(0), milliseconds(INT_MAX)).count());
}

int EngineLoop::on_timer(CURLM*, long delay, void* its_group) {
  static_cast<CurlGroup*>(its_group)->due =
      delay < 0 ? Time::max() : Clock::now() + milliseconds(delay);
  return 0;
}

int EngineLoop::on_socket(CURL* easy, curl_socket_t socket, int what,
                          void* its_group, void* known) {
  const auto* group = static_cast<CurlGroup*>(its_group);
  auto* loop = static_cast<EngineLoop*>(group->owner);
  if (what == CURL_POLL_REMOVE) {
    loop->watch(EPOLL_CTL_DEL, socket, 0, 0);
    return 0;
  }
  const auto job = loop->jobs_.find(easy);
  if (job != loop->jobs_.end() && job->second->socket != socket) {
    job->second->socket = socket;
    loop->idle_sockets_.used(socket, job->second.get());
  }
  loop->watch(known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket,
              static_cast<std::uint32_t>(poll_events(what)), group->number);
  // Comes back as `known` next time.
  if (known == nullptr) curl_multi_assign(group->multi, socket, loop);
  return 0;
}

int EngineLoop::on_close(void* self, curl_socket_t socket) noexcept {
  static_cast<EngineLoop*>(self)->idle_sockets_.closed(socket);
  return close(socket);
}

void EngineLoop::watch(int operation, int fd, std::uint32_t events,
                       std::uint32_t group) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = marked(fd, group);
  if (epoll_ctl(epoll_, operation, fd, &event) == 0) return;
  // A descriptor that was closed and handed out again behind our back.
  if (errno == EEXIST) epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
  if (errno == ENOENT && operation == EPOLL_CTL_MOD) {
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

// --- Jobs ------------------------------------------------------------------

void EngineLoop::execute(const Command& command) {
  Job& job = *command.job;
  if (command.kind == CommandKind::start) return start(command.job);
  if (job.state != Job::State::running) return;
  if (command.kind == CommandKind::cancel) return end(job, cancelled_error());
  if (command.kind == CommandKind::linger) {
    const Time now = Clock::now();
    disarm(job);
    job.transfer->clock().linger(now);
    return arm(job, now);
  }
  if (const CURLcode code = job.transfer->resume(); code != CURLE_OK) {
    end(job, code);
  }
}

std::unique_ptr<EasyHandle> EngineLoop::take_handle() {
  if (!spare_.empty()) {
    std::unique_ptr<EasyHandle> handle = std::move(spare_.back());
    spare_.pop_back();
    return handle;
  }
  std::unique_ptr<EasyHandle> handle = EasyHandle::create(options_, cache_);
  if (handle == nullptr) return nullptr;
  // Kept as long as the stream; a body that is larger goes in pieces.
  curl_easy_setopt(handle->get(), CURLOPT_UPLOAD_BUFFERSIZE, kUploadPiece);
  curl_easy_setopt(handle->get(), CURLOPT_CLOSESOCKETFUNCTION,
                   &EngineLoop::on_close);
  curl_easy_setopt(handle->get(), CURLOPT_CLOSESOCKETDATA, this);
  return handle;
}

void EngineLoop::start(const std::shared_ptr<Job>& job) {
  Result<Origin> origin = parse_origin(job->request.url);
  if (!origin) return tell_done(job->handler, std::move(origin).error());
  job->transfer = std::make_unique<CurlTransfer>(
      job->handler, std::move(*origin), job->request.deadlines,
      CurlTransfer::may_pause);
  job->handle = take_handle();
  if (job->handle == nullptr)
    return job->transfer->finish(CURLE_OUT_OF_MEMORY, {});
  const std::string& origin_key = job->transfer->origin().key;
  if (Result<void> loaded = job->handle->load(job->request, *job->transfer,
                                              idle_times_->of(origin_key));
      !loaded) {
    job->transfer->finish(std::move(loaded).error());
    return recycle(*job);
  }
  job->transfer->let_go_when_sent(job->request.body);
  const Time now = Clock::now();
  job->group = take_idle(origin_key, now);
  if (job->group == nullptr) {
    // libcurl would look through all connections of the group, in vain.
    curl_easy_setopt(job->handle->get(), CURLOPT_FRESH_CONNECT, 1L);
    job->group = groups_.with_room();
  }
  if (job->group == nullptr) {
    job->transfer->finish(CURLE_OUT_OF_MEMORY, {});
    return recycle(*job);
  }
  job->state = Job::State::running;
  jobs_.emplace(job->handle->get(), job);
  arm(*job, now);
  groups_.add(*job->group, job->handle->get());
}

void EngineLoop::check_deadlines() {
  const Time now = Clock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Job& job = *deadlines_.begin()->second;
    if (const auto passed = job.transfer->clock().passed(now)) {
      end(job, deadline_error(*passed, job.transfer->origin()));
    } else {
      disarm(job);
      arm(job, now);
    }
  }
}

void EngineLoop::arm(Job& job, Time now) {
  job.next_check = job.transfer->clock().next_check(now);
  if (job.next_check != Time::max()) deadlines_.emplace(job.next_check, &job);
}

void EngineLoop::disarm(Job& job) { deadlines_.erase({job.next_check, &job}); }

void EngineLoop::end(Job& job, Error error) {
  const std::shared_ptr<Job> keep = take_out(job);
  job.transfer->finish(std::move(error));
  recycle(job);
}

void EngineLoop::end(Job& job, CURLcode code) {
  const std::shared_ptr<Job> keep = take_out(job);
  if (code == CURLE_OK) note_idle(job);
  job.transfer->finish(code, job.handle->detail());
  recycle(job);
}

std::shared_ptr<Job> EngineLoop::take_out(Job& job) {
  job.state = Job::State::over;
  disarm(job);
  groups_.remove(*job.group, job.handle->get(), Clock::now());
  return std::move(jobs_.extract(job.handle->get()).mapped());
}

/// Whoever still holds the Transfer should not hold the request's body and a
/// handle as well.
void EngineLoop::recycle(Job& job) {
  job.handle->unload();
  if (spare_.size() < max_idle_) spare_.push_back(std::move(job.handle));
  job.handle.reset();
  job.transfer.reset();
  job.request = {};
}

void EngineLoop::note_idle(Job& job) {
  const std::string& origin = job.transfer->origin().key;
  idle_times_->note(origin, job.transfer->headers());
  if (!job.transfer->keeps_connection()) return;
  // Of HTTP/2 frames may come that are no answer; libcurl reads them.
  if (!options_.http2 || !job.transfer->origin().tls) {
    idle_sockets_.left(origin, job.socket, &job);
  }
  std::deque<LeftIdle>& left = left_idle_[origin];
  left.push_back({Clock::now(), job.group});
  if (left.size() > max_idle_ + 1) left.pop_front();
}

CurlGroup* EngineLoop::take_idle(const std::string& origin, Time now) {
  const auto found = left_idle_.find(origin);
  if (found == left_idle_.end()) return nullptr;
  std::deque<LeftIdle>& left = found->second;
  const auto max_idle = idle_times_->of(origin);
  while (!left.empty() && now - left.front().since >= max_idle)
    left.pop_front();
  const auto last =
      std::find_if(left.rbegin(), left.rend(),
                   [](const LeftIdle& one) { return one.group->has_room(); });
  CurlGroup* group = nullptr;
  if (last != left.rend()) {
    group = last->group;
    left.erase(std::next(last).base());
    idle_sockets_.shut_down_readable(origin);
  }
  if (left.empty()) left_idle_.erase(found);
  return group;
}

void EngineLoop::free_groups(Time now) {
  for (const auto& group : groups_.all()) {
    if (group == nullptr || group->number == 0 || group->transfers > 0 ||
        now - group->last_used < options_.max_idle) {
      continue;
    }
    for (auto& [origin, left] : left_idle_) {
      std::erase_if(left, [&group](const LeftIdle& one) {
        return one.group == group.get();
      });
    }
    groups_.free(*group);
  }
}

}  // namespace llmproxy
