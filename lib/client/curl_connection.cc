#include "client/curl_connection.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "client/curl_poll.h"
#include "client/sigpipe.h"
#include "client/transfer_error.h"
#include "llmproxy/waiting.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

Error out_of_resources(CURLMcode code) {
  return internal_error(curl_multi_strerror(code));
}

}  // namespace

std::unique_ptr<CurlConnection> CurlConnection::create(
    const CurlOptions& options, std::shared_ptr<SharedCache> cache) {
  std::unique_ptr<EasyHandle> handle =
      EasyHandle::create(options, std::move(cache));
  CURLM* loop = handle ? curl_multi_init() : nullptr;
  if (loop == nullptr) return nullptr;
  return std::unique_ptr<CurlConnection>(
      new CurlConnection(loop, std::move(handle)));
}

CurlConnection::CurlConnection(CURLM* loop, std::unique_ptr<EasyHandle> handle)
    : loop_(loop), handle_(std::move(handle)) {
  curl_multi_setopt(loop_, CURLMOPT_MAXCONNECTS, 1L);
  curl_multi_setopt(loop_, CURLMOPT_SOCKETFUNCTION, &CurlConnection::on_socket);
  curl_multi_setopt(loop_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(loop_, CURLMOPT_TIMERFUNCTION, &CurlConnection::on_timer);
  curl_multi_setopt(loop_, CURLMOPT_TIMERDATA, this);
}

CurlConnection::~CurlConnection() {
  const SigpipeGuard guard;  // TLS says goodbye, whoever still listens
  // The handle first: the loop owns the connection that it may still hold.
  handle_.reset();
  curl_multi_cleanup(loop_);
}

void CurlConnection::run(const UpstreamRequest& request, CurlTransfer& transfer,
                         const Cancelled& cancelled, milliseconds max_idle) {
  if (Result<void> loaded = handle_->load(request, transfer, max_idle);
      !loaded) {
    handle_->unload();
    return transfer.finish(std::move(loaded).error());
  }
  std::optional<SigpipeGuard> guard;
  if (transfer.origin().tls) guard.emplace();
  const Result<CURLcode> code = drive(transfer, cancelled);
  // A transfer that is taken out before its end loses its connection: that
  // is what tells the upstream to stop.
  curl_multi_remove_handle(loop_, handle_->get());
  handle_->unload();
  guard.reset();
  if (code) {
    transfer.finish(*code, handle_->detail());
  } else {
    transfer.finish(code.error());
  }
}

int CurlConnection::on_timer(CURLM*, long delay, void* self) {
  static_cast<CurlConnection*>(self)->curl_due_ =
      delay < 0 ? Time::max() : Clock::now() + milliseconds(delay);
  return 0;
}

int CurlConnection::on_socket(CURL*, curl_socket_t socket, int what, void* self,
                              void*) {
  auto& sockets = static_cast<CurlConnection*>(self)->sockets_;
  std::erase_if(sockets,
                [&](const pollfd& known) { return known.fd == socket; });
  if (what != CURL_POLL_REMOVE) {
    sockets.push_back({socket, poll_events(what), 0});
  }
  return 0;
}

CURLMcode CurlConnection::turn(Time until) {
  int running = 0;
  CURLMcode failed = CURLM_OK;
  if (curl_due_ > Clock::now()) {
    wait_for(sockets_, std::min(until, curl_due_));
    ready_ = sockets_;  // which libcurl changes while it hears of them
    for (const pollfd& socket : ready_) {
      if (socket.revents == 0 || failed != CURLM_OK) continue;
      failed = curl_multi_socket_action(
          loop_, socket.fd,
          curl_events(static_cast<unsigned short>(socket.revents)), &running);
    }
  }
  if (failed == CURLM_OK && curl_due_ <= Clock::now()) {
    curl_due_ = Time::max();  // libcurl sets the next one during the call
    failed = curl_multi_socket_action(loop_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  return failed;
}

Result<CURLcode> CurlConnection::drive(CurlTransfer& transfer,
                                       const Cancelled& cancelled) {
  CURLMcode failed = curl_multi_add_handle(loop_, handle_->get());
  Time ask_next = Clock::now() + kAskInterval;
  Time until = Time::min();
  while (failed == CURLM_OK) {
    failed = turn(until);
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(loop_, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    const Time now = Clock::now();
    if (cancelled && now >= ask_next) {
      if (cancelled()) return cancelled_error();
      ask_next = now + kAskInterval;
    }
    if (const auto passed = transfer.clock().passed(now)) {
      return deadline_error(*passed, transfer.origin());
    }
    until = transfer.clock().next_check(now);
    if (cancelled) until = std::min(until, ask_next);
  }
  return out_of_resources(failed);
}

// --- A connection that libcurl only opens ------------------------------------

// The handle stays in its loop: taken out, it loses its connection.
Result<CURLcode> CurlConnection::open(const UpstreamRequest& request,
                                      CurlTransfer& transfer,
                                      const Cancelled& cancelled) {
  close();
  transfer.connect_by(handle_->get());
  handle_->load_connection(request, transfer.origin());
  Result<CURLcode> code = drive(transfer, cancelled);
  if (code && *code == CURLE_OK) {
    curl_easy_getinfo(handle_->get(), CURLINFO_ACTIVESOCKET, &socket_);
  }
  if (socket_ == CURL_SOCKET_BAD) {
    curl_multi_remove_handle(loop_, handle_->get());
    if (code && *code == CURLE_OK) return CURLE_COULDNT_CONNECT;
  }
  return code;
}

void CurlConnection::close() {
  if (std::exchange(socket_, CURL_SOCKET_BAD) == CURL_SOCKET_BAD) return;
  curl_multi_remove_handle(loop_, handle_->get());
}

// Of TLS there may be tickets to be read, which are no answer.
bool CurlConnection::usable(Time now, milliseconds max_idle) {
  if (socket_ == CURL_SOCKET_BAD) return false;
  if (now - used_ >= max_idle) return false;
  char byte = 0;
  std::string_view got;
  return receive(&byte, sizeof(byte), got) == CURLE_AGAIN;
}

CURLcode CurlConnection::send(std::string_view& bytes) {
  std::size_t sent = 0;
  const CURLcode code =
      curl_easy_send(handle_->get(), bytes.data(), bytes.size(), &sent);
  if (code == CURLE_OK) bytes.remove_prefix(sent);
  return code;
}

CURLcode CurlConnection::receive(char* to, std::size_t size,
                                 std::string_view& got) {
  std::size_t count = 0;
  const CURLcode code = curl_easy_recv(handle_->get(), to, size, &count);
  got = std::string_view(to, code == CURLE_OK ? count : 0);
  return code;
}

void CurlConnection::wait(short events, Time until) {
  pollfd socket{socket_, events, 0};
  wait_for({&socket, 1}, until);
}

}  // namespace llmproxy
