#include "llmproxy/replay.h"

#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "client/no_transport.h"
#include "client/recording.h"
#include "client/transfer_error.h"

namespace llmproxy {
namespace {

// --- Recording

/// The file; shared by all transfers. Thread-safe.
class Tape {
 public:
  explicit Tape(const std::string& file) : out_(file, std::ios::binary) {
    out_ << kRecordingTitle << '\n' << std::flush;
  }
  bool good() const { return out_.good(); }
  void add(RecordedTransfer transfer) {
    std::string text;
    write_transfer(without_secrets(std::move(transfer)), text);
    const std::lock_guard lock(mutex_);
    out_ << text << std::flush;
  }

 private:
  std::mutex mutex_;
  std::ofstream out_;
};

/// Listens to one transfer.
class Listener final : public ResponseHandler {
 public:
  Listener(std::shared_ptr<Tape> tape, UpstreamRequest request,
           ResponseHandler& next)
      : tape_(std::move(tape)), next_(next) {
    transfer_.request = std::move(request);
    transfer_.reply.status = 0;
  }

  /// Lives until on_done.
  void own(std::unique_ptr<Listener> self) { self_ = std::move(self); }

  void on_head(int status, const Headers& headers) override {
    transfer_.reply.status = status;
    transfer_.reply.headers = headers;
    next_.on_head(status, headers);
  }
  Flow on_body(std::string_view bytes) override {
    transfer_.reply.pieces.emplace_back(bytes);
    return next_.on_body(bytes);
  }
  void on_done(const Result<void>& result) override {
    const std::unique_ptr<Listener> self = std::move(self_);
    transfer_.reply.end = result;
    tape_->add(std::move(transfer_));
    next_.on_done(result);
  }

 private:
  const std::shared_ptr<Tape> tape_;
  ResponseHandler& next_;
  RecordedTransfer transfer_;
  std::unique_ptr<Listener> self_;
};

class RecordingTransport final : public Transport {
 public:
  RecordingTransport(std::shared_ptr<Transport> inner,
                     std::shared_ptr<Tape> tape)
      : inner_(std::move(inner)), tape_(std::move(tape)) {}

  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled& cancelled) override {
    Listener listener(tape_, request, handler);
    inner_->perform(request, listener, cancelled);
  }

  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) override {
    // Goes nowhere: see transport.h.
    if (request.url.empty()) return inner_->start(std::move(request), handler);
    auto listener = std::make_unique<Listener>(tape_, request, handler);
    Listener& stays = *listener;
    stays.own(std::move(listener));
    return inner_->start(std::move(request), stays);
  }

 private:
  const std::shared_ptr<Transport> inner_;
  const std::shared_ptr<Tape> tape_;
};

// --- Replaying

/// All answers to one request, in order.
struct Answers {
  std::vector<Reply> replies;
  std::size_t next = 0;
};

class Library {
 public:
  Library(std::string file, std::vector<RecordedTransfer> transfers)
      : file_(std::move(file)) {
    for (RecordedTransfer& transfer : transfers) {
      answers_[key(transfer.request)].replies.push_back(
          std::move(transfer.reply));
    }
  }

  Reply reply_to(const UpstreamRequest& request) {
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(key(request));
    if (found == answers_.end()) return not_recorded(request);
    Answers& answers = found->second;
    const Reply& reply = answers.replies[answers.next];
    if (answers.next + 1 < answers.replies.size()) ++answers.next;
    return reply;
  }

 private:
  static std::string key(const UpstreamRequest& request) {
    return request.method + ' ' + without_secrets_in_url(request.url) + '\n' +
           request.body;
  }

  Reply not_recorded(const UpstreamRequest& request) const {
    constexpr std::size_t kShown = 200;
    Reply reply;
    reply.status = 0;
    reply.end = internal_error(fmt::format(
        "{} has no recorded answer to {} {} with this body of {} bytes: {}{}",
        file_, request.method, without_secrets_in_url(request.url),
        request.body.size(), request.body.substr(0, kShown),
        request.body.size() > kShown ? "..." : ""));
    return reply;
  }

  const std::string file_;
  std::mutex mutex_;
  std::map<std::string, Answers> answers_;
};

}  // namespace

Result<std::shared_ptr<Transport>> make_recording_transport(
    std::shared_ptr<Transport> inner, const std::string& file) {
  auto tape = std::make_shared<Tape>(file);
  if (!tape->good()) return internal_error("cannot write " + file);
  return std::shared_ptr<Transport>(std::make_shared<RecordingTransport>(
      or_none(std::move(inner)), std::move(tape)));
}

Result<std::shared_ptr<Transport>> make_replaying_transport(
    const std::string& file) {
  const std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) {
    Error error = invalid_request("cannot read " + file);
    error.kind = ErrorKind::not_found;
    return error;
  }
  auto transfers = read_recording(text.str());
  if (!transfers) {
    return invalid_request(file + ": " + transfers.error().message);
  }
  auto library = std::make_shared<Library>(file, *std::move(transfers));
  return make_reply_transport([library](const UpstreamRequest& request) {
    return library->reply_to(request);
  });
}

}  // namespace llmproxy
