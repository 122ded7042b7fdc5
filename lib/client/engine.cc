#include "client/engine.h"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <utility>

#include "client/engine_loop.h"
#include "client/job.h"

namespace llmproxy {
namespace {

/// A thread that takes no signals: they belong to the host's own threads.
/// (SIGPIPE of a TLS connection is thereby only an error of write().)
std::thread start_thread(std::unique_ptr<EngineLoop> loop) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread([loop = std::move(loop)] {
      pthread_setname_np(pthread_self(), "llmproxy-engine");
      loop->run();
    });
  } catch (const std::system_error&) {
    // No threads left; the caller sees one that cannot be joined.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

std::unique_ptr<Engine> Engine::create(const CurlOptions& options,
                                       std::size_t max_idle,
                                       std::shared_ptr<SharedCache> cache,
                                       std::shared_ptr<IdleTimes> idle_times) {
  auto commands = std::make_shared<CommandQueue>();
  auto loop = EngineLoop::create(options, max_idle, std::move(cache),
                                 std::move(idle_times), commands);
  if (loop == nullptr) return nullptr;
  std::thread thread = start_thread(std::move(loop));
  if (!thread.joinable()) return nullptr;
  return std::unique_ptr<Engine>(
      new Engine(std::move(commands), std::move(thread)));
}

Engine::Engine(std::shared_ptr<CommandQueue> commands, std::thread thread)
    : commands_(std::move(commands)), thread_(std::move(thread)) {}

Engine::~Engine() {
  commands_->ask_stop();
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

std::shared_ptr<Transfer> Engine::start(UpstreamRequest request,
                                        ResponseHandler& handler) {
  auto job = std::make_shared<Job>(commands_, std::move(request), handler);
  commands_->post({CommandKind::start, job});
  return job;
}

}  // namespace llmproxy
