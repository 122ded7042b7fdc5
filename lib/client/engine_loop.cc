#include "client/engine_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>

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

}  // namespace

std::unique_ptr<EngineLoop> EngineLoop::create(
    const CurlOptions& options, std::size_t max_idle,
    std::shared_ptr<SharedCache> cache, std::shared_ptr<IdleTimes> times,
    std::shared_ptr<CommandQueue> commands) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  CURLM* multi = curl_multi_init();
  std::unique_ptr<EngineLoop> loop(
      new EngineLoop(options, max_idle, std::move(cache), std::move(times),
                     std::move(commands), epoll, multi));
  if (epoll < 0 || multi == nullptr || loop->commands_->fd() < 0)
    return nullptr;
  // Of HTTP/2 too a stream has a connection of its own: where they share one,
  // libcurl 7.88 lets a paused stream hold up all the others.
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &EngineLoop::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, loop.get());
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &EngineLoop::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, loop.get());
  loop->watch(EPOLL_CTL_ADD, loop->commands_->fd(), EPOLLIN);
  return loop;
}

EngineLoop::EngineLoop(const CurlOptions& options, std::size_t max_idle,
                       std::shared_ptr<SharedCache> cache,
                       std::shared_ptr<IdleTimes> times,
                       std::shared_ptr<CommandQueue> commands, int epoll,
                       CURLM* multi)
    : options_(options),
      max_idle_(max_idle),
      cache_(std::move(cache)),
      idle_times_(std::move(times)),
      commands_(std::move(commands)),
      epoll_(epoll),
      multi_(multi) {}

EngineLoop::~EngineLoop() {
  spare_.clear();
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  if (epoll_ >= 0) close(epoll_);
}

void EngineLoop::run() {
  for (bool stop = false; !stop;) {
    wait();
    CommandQueue::Batch batch = commands_->take();
    for (const Command& command : batch.commands) execute(command);
    check_deadlines();
    collect();
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
  int running = 0;
  for (int i = 0; i < count; ++i) {
    const int fd = events[static_cast<std::size_t>(i)].data.fd;
    if (fd == commands_->fd()) continue;
    curl_multi_socket_action(
        multi_, fd, curl_events(events[static_cast<std::size_t>(i)].events),
        &running);
  }
  if (curl_due_ <= Clock::now()) {
    curl_due_ = Time::max();  // libcurl sets the next one during the call
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

int EngineLoop::wait_time() const {
  Time until = curl_due_;
  if (!deadlines_.empty()) until = std::min(until, deadlines_.begin()->first);
  if (until == Time::max()) return -1;
  const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
  return static_cast<int>(
      std::clamp(left, milliseconds(0), milliseconds(INT_MAX)).count());
}

int EngineLoop::on_timer(CURLM*, long delay, void* self) {
  static_cast<EngineLoop*>(self)->curl_due_ =
      delay < 0 ? Time::max() : Clock::now() + milliseconds(delay);
  return 0;
}

int EngineLoop::on_socket(CURL* easy, curl_socket_t socket, int what,
                          void* self, void* known) {
  auto* loop = static_cast<EngineLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    loop->watch(EPOLL_CTL_DEL, socket, 0);
    return 0;
  }
  const auto job = loop->jobs_.find(easy);
  if (job != loop->jobs_.end() && job->second->socket != socket) {
    job->second->socket = socket;
    loop->idle_sockets_.used(socket, job->second.get());
  }
  loop->watch(known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket,
              static_cast<std::uint32_t>(poll_events(what)));
  // Comes back as `known` next time.
  if (known == nullptr) curl_multi_assign(loop->multi_, socket, self);
  return 0;
}

int EngineLoop::on_close(void* self, curl_socket_t socket) noexcept {
  static_cast<EngineLoop*>(self)->idle_sockets_.closed(socket);
  return close(socket);
}

void EngineLoop::watch(int operation, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
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
  // libcurl looks for an idle connection through all of an origin's, busy ones
  // too: with thousands of streams that takes longer than opening another.
  if (!take_idle(origin_key, Clock::now())) {
    curl_easy_setopt(job->handle->get(), CURLOPT_FRESH_CONNECT, 1L);
  }
  job->state = Job::State::running;
  jobs_.emplace(job->handle->get(), job);
  set_max_connections();
  arm(*job, Clock::now());
  curl_multi_add_handle(multi_, job->handle->get());
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

void EngineLoop::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto found = jobs_.find(message->easy_handle);
    if (found != jobs_.end()) end(*found->second, message->data.result);
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
  curl_multi_remove_handle(multi_, job.handle->get());
  std::shared_ptr<Job> kept =
      std::move(jobs_.extract(job.handle->get()).mapped());
  set_max_connections();
  return kept;
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
  std::deque<Time>& left = left_idle_[origin];
  left.push_back(Clock::now());
  if (left.size() > max_idle_ + 1) left.pop_front();
}

bool EngineLoop::take_idle(const std::string& origin, Time now) {
  const auto found = left_idle_.find(origin);
  if (found == left_idle_.end()) return false;
  std::deque<Time>& left = found->second;
  const auto max_idle = idle_times_->of(origin);
  while (!left.empty() && now - left.front() >= max_idle) left.pop_front();
  const bool there = !left.empty();
  if (there) {
    left.pop_back();
    idle_sockets_.shut_down_readable(origin);
  }
  if (left.empty()) left_idle_.erase(found);
  return there;
}

/// libcurl's limit counts the connections in use as well.
void EngineLoop::set_max_connections() {
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS,
                    static_cast<long>(jobs_.size() + max_idle_ + 1));
}

}  // namespace llmproxy
