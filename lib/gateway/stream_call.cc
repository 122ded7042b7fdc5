// See relay.h for who does what.
#include "gateway/stream_call.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "chat/long_events.h"
#include "chat/take_replay.h"
#include "gateway/backend_error.h"
#include "gateway/details.h"
#include "gateway/ending.h"
#include "gateway/headers.h"
#include "gateway/offload.h"
#include "gateway/redact.h"
#include "gateway/upstream_answer.h"
#include "llmproxy/waiting.h"
#include "translate/take_response.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kJson = "application/json";

// More blanks than these are taken for what was announced. Bytes.
constexpr std::size_t kMaxBeginning = 512;
// Of an answer that came whole, a delta has no more than these. Bytes.
constexpr std::size_t kMostDelta = std::size_t{16} << 10;

bool is_json_head(const Headers& headers) {
  const std::string_view type = find_header(headers, "content-type");
  return same_header_name(type.substr(0, kJson.size()), kJson);
}

}  // namespace

// Encodes the events of a whole answer and sends what they make, a piece when
// the client has taken the one before. Waits on the thread of handle(), to
// which all of it belongs.
class StreamCall::Replay final : public EventSink {
 public:
  Replay(StreamCall& call, Lock& lock)
      : call_(call),
        lock_(lock),
        encoder_(call.call_.client->new_stream_encoder(call.call_.context)) {
    auto* long_events = dynamic_cast<LongEvents*>(encoder_.get());
    if (long_events == nullptr) return;
    long_events->on_output([this](std::string&) { send(); });
  }

  void on_event(const StreamEvent& event) override {
    if (told_ || call_.client_gone()) return;
    last_ = event.kind == EventKind::finished;
    if (call_.shut_down()) fail(Ending::error());
    if (!error_) {
      encoder_->on_event(event, call_.out_);
      send();
    }
    if (error_) tell();
  }

  /// Ends it behind the event that is being sent.
  void fail(const Error& error) {
    if (!error_) error_ = error;
  }
  const Losses& losses() const { return encoder_->losses(); }

 private:
  void send() {
    if (error_ || call_.client_gone()) return call_.out_.clear();
    // The last events go together: they end the answer.
    if (last_ || call_.out_.size() < kPiece / 2) return;
    call_.write_and_wait(lock_);
    lock_.unlock();
    wait_for({}, Clock::now());  // others of this thread have their turn
    lock_.lock();
  }

  void tell() {
    told_ = true;
    call_.out_.clear();
    StreamEvent event;
    event.kind = EventKind::failed;
    event.error = &*error_;
    encoder_->on_event(event, call_.out_);
    call_.replay_error_ = error_;
  }

  StreamCall& call_;
  Lock& lock_;
  const std::unique_ptr<StreamEncoder> encoder_;
  std::optional<Error> error_;
  bool last_ = false;
  bool told_ = false;
};

StreamCall::StreamCall(Exchange& exchange, UpstreamCall& call)
    : Relay(exchange, *call.backend),
      call_(call),
      max_bytes_(exchange.core.config().upstream.max_answer_bytes),
      max_event_bytes_(exchange.core.config().upstream.max_event_bytes),
      translator_(*call.upstream, *call.client, call.context),
      partial_(&exchange.core.budget()) {
  if (call.turn && call.same_dialect()) own_id_.emplace(call.context.answer_id);
}

std::chrono::milliseconds StreamCall::patience() const {
  return exchange_.core.config().server.keep_alive;
}

void StreamCall::wait_quietly() {
  if (!streams() || complete() || Clock::now() - last_sent_ < patience()) {
    return;
  }
  if (!answer_.started()) start_answer();
  translator_.keep_alive(out_);
  write();
}

Flow StreamCall::take(std::string_view bytes) {
  if (form_ != BodyForm::unknown) return take_known(bytes);
  beginning_ += bytes;
  form_ = form_of(beginning_);
  const bool wait =
      form_ == BodyForm::unknown && beginning_.size() < kMaxBeginning;
  return wait ? Flow::go_on : take_known(std::exchange(beginning_, {}));
}

Flow StreamCall::take_known(std::string_view bytes) {
  return streams() ? translate(bytes) : collect_whole(bytes);
}

bool StreamCall::announces_stream() const {
  // No content-type at all is taken for a stream: that was asked for. A JSON
  // array that streams looks like an answer in one piece.
  const bool array = call_.context.json_array && call_.same_dialect();
  return array || !is_json_head(upstream_.headers);
}

// What came says more than what was announced: no framing of events begins as
// a JSON object, a page or a compressed file does.
bool StreamCall::streams() const {
  if (!is_success(upstream_.status)) return false;
  if (form_ == BodyForm::unknown) return announces_stream();
  return form_ == BodyForm::other;
}

Flow StreamCall::collect_whole(std::string_view bytes) {
  return collect(bytes, max_bytes_, upstream_);
}

Flow StreamCall::translate(std::string_view bytes) {
  translator_.feed(bytes, out_);
  bound_event(bytes.size());
  if (own_id_) own_id_->apply_to_events(out_);
  if (translator_.error()) redact(*call_.backend, exchange_.request, out_);
  if (!answer_.started()) {
    // Nothing was promised yet: this can still become a proper HTTP error.
    if (translator_.failed_before_start()) return Flow::stop;
    if (!translator_.started()) return Flow::go_on;
    start_answer();
  }
  return send();
}

// Comments that pass before the answer has begun wait in out_.
void StreamCall::bound_event(std::size_t bytes) {
  const bool silent = out_.empty() || !translator_.started();
  silent_bytes_ = silent ? silent_bytes_ + bytes : 0;
  if (silent_bytes_ <= max_event_bytes_) return lease_event();
  translator_.fail(
      upstream_malformed(fmt::format(
          "an event of the upstream's stream is larger than {} bytes",
          max_event_bytes_)),
      out_);
}

// The pieces of an event that is not whole yet wait in the translator.
void StreamCall::lease_event() {
  const std::size_t waiting = silent_bytes_ > kPiece ? silent_bytes_ : 0;
  if (waiting <= partial_.bytes()) {
    partial_.shrink(partial_.bytes() - waiting);
  } else if (!partial_.grow(waiting - partial_.bytes())) {
    translator_.fail(no_room(), out_);
  }
}

void StreamCall::start_answer() {
  begun_ = true;
  Losses losses = call_.losses;
  const Losses found = translator_.losses();
  losses.insert(losses.end(), found.begin(), found.end());
  Headers headers = answer_headers(exchange_, call_, upstream_.headers, losses);
  headers.push_back(
      {"content-type", call_.context.json_array
                           ? std::string(kJson)
                           : std::string(call_.client->stream_content_type)});
  if (call_.client->framing == Framing::event_stream) {
    headers.push_back({"x-amzn-bedrock-content-type", std::string(kJson)});
  }
  headers.push_back({"cache-control", "no-cache"});
  // Asks nginx and those who copy it not to collect the events.
  headers.push_back({"x-accel-buffering", "no"});
  answer_.start(200, std::move(headers));
}

void StreamCall::look_at_output() {
  if (!call_.turn || !complete()) return;
  store_streamed_turn(exchange_, *std::exchange(call_.turn, std::nullopt),
                      out_);
}

bool StreamCall::complete() const {
  return replayed_ || replay_error_ || translator_.done();
}

const Error* StreamCall::error() const {
  return replay_error_ ? &*replay_error_ : translator_.error();
}

void StreamCall::tell(const Error& error) {
  if (replay_ != nullptr) return replay_->fail(error);
  translator_.fail(error, out_);
}

void StreamCall::end(Lock& lock) {
  const bool whole = upstream_.status != 0 && !streams();
  whole ? conclude_whole(lock) : conclude_stream();
}

void StreamCall::account() {
  RequestRecord& record = answer_.record();
  record.losses = call_.losses.size() + translator_.losses().size();
  tell_losses(exchange_, translator_.losses());
  if (!whole_) note_usage(translator_.usage(), record);
  if (const Error* failure = error()) answer_.note(*failure);
}

void StreamCall::conclude_stream() {
  if (!translator_.done()) {
    if (result()) {
      translator_.finish(out_);
    } else {
      translator_.fail(at_backend(*call_.backend, result().error()), out_);
    }
  }
  if (own_id_) own_id_->apply_to_events(out_);
  const Error* error = translator_.error();
  if (error != nullptr) redact(*call_.backend, exchange_.request, out_);
  if (!answer_.started() && error != nullptr) return fail(*error);
  if (!answer_.started()) start_answer();
  write();
}

void StreamCall::conclude_whole(Lock& lock) {
  // A status of an error says more than a broken body behind it.
  if (!is_success(upstream_.status)) {
    return relay_error(exchange_, call_, std::move(upstream_));
  }
  if (upstream_.no_room) return fail(no_room());
  if (upstream_.cut) return fail(too_large_answer(max_bytes_));
  if (!result()) {
    return fail(at_backend(*call_.backend, result().error()));
  }
  remove_bom(upstream_.body);
  const BodyForm form = form_of(upstream_.body);
  Result<ChatResponse> response = read_whole(lock);
  if (!response) {
    return fail(unreadable_answer(form, upstream_.headers, response.error()));
  }
  whole_ = true;
  note_usage(response->usage, answer_.record());
  if (!answer_.started()) start_answer();
  replay_whole(*std::move(response), lock);
  upstream_.lease.release();
  write();
}

void StreamCall::replay_whole(ChatResponse response, Lock& lock) {
  Replay replay(*this, lock);
  replay_ = &replay;
  take_replay(std::move(response), replay, kMostDelta);
  replay_ = nullptr;
  const Losses& losses = replay.losses();
  call_.losses.insert(call_.losses.end(), losses.begin(), losses.end());
  replayed_ = !replay_error_;
}

void StreamCall::fail(Error error) {
  redact(*call_.backend, exchange_.request, error.message);
  if (answer_.started()) {  // by a keep-alive
    translator_.fail(error, out_);
    return write();
  }
  answer_.send_error(
      *call_.client, error,
      answer_headers(exchange_, call_, upstream_.headers, call_.losses));
}

// An upstream that does not stream though it was asked to: the answer that
// a client who did not ask either would get.
Result<ChatResponse> StreamCall::read_whole(Lock& lock) {
  const std::size_t bytes = upstream_.body.size();
  Losses losses;
  // The transfer is over: nobody else looks at what is used here.
  lock.unlock();
  Result<ChatResponse> response = run_sized(bytes, [&] {
    return take_answer(*call_.upstream, *call_.client,
                       std::move(upstream_.body), call_.context, losses);
  });
  lock.lock();
  call_.losses.insert(call_.losses.end(), losses.begin(), losses.end());
  if (response && own_id_) response->id = call_.context.answer_id;
  return response;
}

}  // namespace llmproxy::gateway
