// Job: one transfer on the engine, and the handle its caller holds. The
// engine's fields are touched by the engine thread alone; callers only post
// commands.
#pragma once

#include <memory>
#include <utility>

#include "client/command_queue.h"
#include "client/curl_groups.h"
#include "client/curl_transfer.h"
#include "client/easy_handle.h"
#include "llmproxy/transport.h"

namespace llmproxy {

class Job final : public Transfer, public std::enable_shared_from_this<Job> {
 public:
  Job(std::shared_ptr<CommandQueue> commands, UpstreamRequest upstream_request,
      ResponseHandler& response_handler)
      : request(std::move(upstream_request)),
        handler(response_handler),
        commands_(std::move(commands)) {}

  void cancel() override {
    commands_->post({CommandKind::cancel, shared_from_this()});
  }
  void resume() override {
    commands_->post({CommandKind::resume, shared_from_this()});
  }
  void linger() override {
    commands_->post({CommandKind::linger, shared_from_this()});
  }

  // The engine's:
  enum class State { posted, running, over };
  State state = State::posted;
  UpstreamRequest request;
  ResponseHandler& handler;
  std::unique_ptr<CurlTransfer> transfer;
  std::unique_ptr<EasyHandle> handle;
  CurlGroup* group = nullptr;              ///< while it runs
  curl_socket_t socket = CURL_SOCKET_BAD;  ///< that libcurl last waited for
  DeadlineClock::Time next_check;  ///< key in the engine's list of deadlines

 private:
  const std::shared_ptr<CommandQueue> commands_;
};

}  // namespace llmproxy
