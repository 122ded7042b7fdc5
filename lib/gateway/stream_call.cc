// See relay.h for who does what.
#include "gateway/stream_call.h"

#include <utility>

#include "gateway/headers.h"
#include "gateway/redact.h"
#include "json/json.h"

namespace llmproxy::gateway {
namespace {

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
    : Relay(exchange, *call.backend),
      call_(call),
      translator_(*call.upstream, *call.client, call.context) {}

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
  return streams() ? translate(bytes) : collect(bytes);
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
  if (translator_.error()) redact(*call_.backend, exchange_.request, out_);
  if (!answer_.started()) {
    // Nothing was promised yet: this can still become a proper HTTP error.
    if (translator_.failed_before_start()) return Flow::stop;
    if (!translator_.started()) return Flow::go_on;
    start_answer();
  }
  return send();
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

void StreamCall::look_at_output() {
  if (!call_.turn || !complete()) return;
  store_streamed_turn(exchange_, *std::exchange(call_.turn, std::nullopt),
                      out_);
}

bool StreamCall::complete() const { return replayed_ || translator_.done(); }

void StreamCall::end() {
  const bool whole = upstream_.status != 0 && !streams();
  whole ? conclude_whole() : conclude_stream();
}

void StreamCall::account() {
  RequestRecord& record = answer_.record();
  record.losses = call_.losses.size() + translator_.losses().size();
  if (!replayed_) note_usage(translator_.usage(), record);
  if (const Error* error = translator_.error()) answer_.note(*error);
}

void StreamCall::conclude_stream() {
  if (!translator_.done()) {
    if (result()) {
      translator_.finish(out_);
    } else {
      translator_.fail(result().error(), out_);
    }
  }
  const Error* error = translator_.error();
  if (!answer_.started() && error != nullptr) return fail(*error);
  if (!answer_.started()) start_answer();
  // What a slow client still has to read goes first, see drain().
  if (!blocked()) write();
}

void StreamCall::conclude_whole() {
  if (too_large_) return fail(upstream_malformed("the answer is too large"));
  if (!result()) return fail(result().error());
  if (!is_success(upstream_.status)) {
    return relay_error(exchange_, call_, std::move(upstream_));
  }
  const Result<void> replayed = replay_whole();
  if (!replayed) return fail(replayed.error());
  start_answer();
  write();
}

void StreamCall::fail(Error error) {
  redact(*call_.backend, exchange_.request, error.message);
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
