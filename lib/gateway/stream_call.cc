// See stream_call.h for who does what. Everything between the two threads
// goes through one mutex, so the sink sees one call at a time.
#include "gateway/stream_call.h"

#include <utility>

#include "gateway/headers.h"
#include "gateway/redact.h"
#include "json/json.h"

namespace llmproxy::gateway {
namespace {

// How often the client is looked at. It leaves in silence, and its upstream
// must stop within a second.
constexpr std::chrono::milliseconds kTick{200};
// How long an upstream may keep its connection open behind the last event
// before it is closed for it.
constexpr std::chrono::milliseconds kGrace{250};

constexpr std::string_view kJson = "application/json";

bool is_json_head(const Headers& headers) {
  const std::string_view type = find_header(headers, "content-type");
  return same_header_name(type.substr(0, kJson.size()), kJson);
}

/// Encodes events into one text.
class EncodingSink final : public EventSink {
 public:
  EncodingSink(StreamEncoder& encoder, std::string& out)
      : encoder_(encoder), out_(out) {}
  void on_event(const StreamEvent& event) override {
    encoder_.on_event(event, out_);
  }

 private:
  StreamEncoder& encoder_;
  std::string& out_;
};

}  // namespace

StreamCall::StreamCall(Exchange& exchange, Call& call)
    : exchange_(exchange),
      call_(call),
      answer_(exchange.answer),
      translator_(*call.upstream, *call.client, call.context),
      last_sent_(Clock::now()) {}

StreamCall::~StreamCall() {
  // Only an exception leads here with a transfer that still runs.
  Lock lock(mutex_);
  if (transfer_ && !result_) {
    cancel(lock);
    wait_until_done(lock);
  }
}

void StreamCall::run() {
  transfer_ = exchange_.core.transport_for(*call_.backend)
                  .start(std::move(call_.request), *this);
  Lock lock(mutex_);
  while (!result_ && !over()) {
    changed_.wait_for(lock, kTick, [this] { return needs_attention(); });
    if (!result_) look(lock);
  }
  if (!result_) cancel(lock);
  wait_until_done(lock);
  conclude(lock);
}

bool StreamCall::needs_attention() const {
  return result_ || client_gone_ || blocked_;
}

bool StreamCall::over() const {
  return client_gone_ || (finished_ && Clock::now() - *finished_ >= kGrace);
}

void StreamCall::look(Lock& lock) {
  if (answer_.client_gone()) client_gone_ = true;
  if (client_gone_ || finished_) return;
  if (blocked_) return drain(lock);
  keep_alive();
}

void StreamCall::drain(Lock& lock) {
  // The engine does not write while blocked_ is set.
  lock.unlock();
  const Written drained = answer_.drain(kTick);
  lock.lock();
  if (drained == Written::gone) client_gone_ = true;
  if (drained != Written::ok) return;
  write();
  if (blocked_ || client_gone_) return;
  lock.unlock();
  transfer_->resume();
  lock.lock();
}

void StreamCall::keep_alive() {
  const auto patience = exchange_.core.config().server.keep_alive;
  if (!streams() || complete() || Clock::now() - last_sent_ < patience) {
    return;
  }
  if (!answer_.started()) start_answer();
  translator_.keep_alive(out_);
  write();
}

void StreamCall::cancel(Lock& lock) {
  // Not under the lock: the transport may hold one of its own that it also
  // holds while it calls us.
  lock.unlock();
  transfer_->cancel();
  lock.lock();
}

void StreamCall::wait_until_done(Lock& lock) {
  changed_.wait(lock, [this] { return result_.has_value(); });
}

void StreamCall::on_head(int status, const Headers& headers) {
  const Lock lock(mutex_);
  upstream_.status = status;
  upstream_.headers = headers;
  last_sent_ = Clock::now();
}

Flow StreamCall::on_body(std::string_view bytes) {
  const Lock lock(mutex_);
  if (client_gone_) return Flow::stop;
  return streams() ? translate(bytes) : collect(bytes);
}

void StreamCall::on_done(const Result<void>& result) {
  // Told under the lock: once it is free, this object may be gone.
  const Lock lock(mutex_);
  result_ = result;
  changed_.notify_all();
}

bool StreamCall::streams() const {
  // No content-type at all is taken for a stream: that was asked for. A JSON
  // array that streams looks like an answer in one piece.
  const bool array = call_.context.json_array && call_.same_dialect();
  return is_success(upstream_.status) &&
         (array || !is_json_head(upstream_.headers));
}

Flow StreamCall::collect(std::string_view bytes) {
  if (upstream_.body.size() + bytes.size() > kMaxAnswer) {
    too_large_ = true;
    return Flow::stop;
  }
  upstream_.body += bytes;
  return Flow::go_on;
}

Flow StreamCall::translate(std::string_view bytes) {
  translator_.feed(bytes, out_);
  if (translator_.error()) redact(call_.backend->api_key, out_);
  if (!answer_.started()) {
    // Nothing was promised yet: this can still become a proper HTTP error.
    if (translator_.failed_before_start()) return Flow::stop;
    if (!translator_.started()) return Flow::go_on;
    start_answer();
  }
  // A keep-alive may have filled the client's buffer since the last call.
  if (blocked_) return Flow::pause;
  write();
  if (client_gone_) return Flow::stop;
  return blocked_ ? Flow::pause : Flow::go_on;
}

void StreamCall::start_answer() {
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

void StreamCall::write() {
  Written written = Written::ok;
  if (call_.turn && complete()) {
    store_streamed_turn(exchange_, *std::exchange(call_.turn, std::nullopt),
                        out_);
  }
  if (!out_.empty()) {
    written = answer_.write(out_);
    out_.clear();
    last_sent_ = Clock::now();
  }
  blocked_ = written == Written::not_now;
  client_gone_ = client_gone_ || written == Written::gone;
  if (written != Written::ok) return changed_.notify_all();
  if (!complete() || finished_) return;
  finished_ = Clock::now();
  answer_.finish();
}

bool StreamCall::complete() const { return replayed_ || translator_.done(); }

void StreamCall::conclude(Lock& lock) {
  if (!client_gone_ && !finished_) {
    const bool whole = upstream_.status != 0 && !streams();
    whole ? conclude_whole() : conclude_stream();
    while (blocked_ && !client_gone_) drain(lock);
  }
  RequestRecord& record = answer_.record();
  record.losses = call_.losses.size() + translator_.losses().size();
  if (!replayed_) note_usage(translator_.usage(), record);
  if (const Error* error = translator_.error()) answer_.note(*error);
  if (client_gone_ && !finished_) answer_.note_client_gone();
}

void StreamCall::conclude_stream() {
  if (!translator_.done()) {
    if (*result_) {
      translator_.finish(out_);
    } else {
      translator_.fail(result_->error(), out_);
    }
  }
  const Error* error = translator_.error();
  if (!answer_.started() && error != nullptr) return fail(*error);
  if (!answer_.started()) start_answer();
  // What a slow client still has to read goes first, see drain().
  if (!blocked_) write();
}

void StreamCall::conclude_whole() {
  if (too_large_) return fail(upstream_malformed("the answer is too large"));
  if (!*result_) return fail(result_->error());
  if (!is_success(upstream_.status)) {
    return relay_error(exchange_, call_, std::move(upstream_));
  }
  const Result<void> replayed = replay_whole();
  if (!replayed) return fail(replayed.error());
  start_answer();
  write();
}

void StreamCall::fail(Error error) {
  redact(call_.backend->api_key, error.message);
  answer_.send_error(
      *call_.client, error,
      answer_headers(exchange_, call_, upstream_.headers, call_.losses));
}

// An upstream that does not stream though it was asked to: the answer that
// a client who did not ask either would get, as events.
Result<void> StreamCall::replay_whole() {
  LLMPROXY_ASSIGN(const TranslatedResponse translated,
                  translate_response(*call_.upstream, *call_.client,
                                     upstream_.body, call_.context));
  call_.losses.insert(call_.losses.end(), translated.losses.begin(),
                      translated.losses.end());
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value body, document.parse(translated.body));
  Losses own;  // of a dialect to itself: none that matter
  LLMPROXY_ASSIGN(const ChatResponse response,
                  call_.client->decode_response(body, own));
  const auto encoder = call_.client->new_stream_encoder(call_.context);
  EncodingSink sink(*encoder, out_);
  replay(response, sink);
  note_usage(response.usage, answer_.record());
  replayed_ = true;
  return {};
}

}  // namespace llmproxy::gateway
