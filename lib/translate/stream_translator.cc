// StreamTranslator: decoder, filter and encoder in a row; or, for the same
// dialect on both sides, the bytes as they come beside a decoder that watches
// for usage, failure and the end.
#include "llmproxy/translate.h"
#include "translate/answer_filter.h"

namespace llmproxy {

struct StreamTranslator::State final : public EventSink {
  State(const Dialect& from, const Dialect& to, RequestContext request)
      : context(std::move(request)),
        passthrough(&from == &to),
        decoder(from.new_stream_decoder(context)),
        encoder(to.new_stream_encoder(context)),
        filter(context, *this),
        filtered(!passthrough && !AnswerFilter::idle(context)) {}

  /// Behind the filter: remember what the caller may ask, and write.
  void on_event(const StreamEvent& event) override {
    if (event.usage != nullptr) usage = *event.usage;
    switch (event.kind) {
      case EventKind::part_started:
      case EventKind::started:
        started = true;
        break;
      case EventKind::finished:
        finished = true;
        stop_reason = event.stop_reason;
        break;
      case EventKind::failed:
        error = *event.error;
        break;
      default:
        break;
    }
    if (passthrough) return;
    if (event.kind == EventKind::started) {
      StreamEvent named = event;
      if (!context.answer_model.empty()) named.model = context.answer_model;
      // Some upstreams say neither.
      if (named.model.empty()) named.model = context.model;
      if (named.id.empty()) named.id = context.answer_id;
      return encoder->on_event(named, *out);
    }
    encoder->on_event(event, *out);
  }

  EventSink& sink() {
    return filtered ? static_cast<EventSink&>(filter) : *this;
  }

  bool done() const { return finished || error.has_value(); }

  /// Passthrough: sends whole events on; everything once nothing is left to
  /// watch for (the end came, or the stream is beyond our reading).
  void relay(std::string& to) {
    const bool watching = !done();
    const std::size_t whole =
        watching ? decoder->consumed() - relayed : pending.size();
    const std::size_t count = std::min(whole, pending.size());
    // A byte order mark is legal at the very start only, and a keep-alive of
    // ours may stand there already.
    constexpr std::string_view kBom = "\xEF\xBB\xBF";
    const bool marked = relayed == 0 && count >= kBom.size() &&
                        pending.compare(0, kBom.size(), kBom) == 0;
    const std::size_t skip = marked ? kBom.size() : 0;
    to.append(pending, skip, count - skip);
    pending.erase(0, count);
    relayed += count;
  }

  RequestContext context;
  const bool passthrough;
  std::unique_ptr<StreamDecoder> decoder;
  std::unique_ptr<StreamEncoder> encoder;
  AnswerFilter filter;
  const bool filtered;
  std::string* out = nullptr;
  std::string pending;      // passthrough: bytes not relayed yet
  std::size_t relayed = 0;  // passthrough: bytes relayed so far
  bool started = false;
  bool finished = false;
  std::optional<Error> error;
  Usage usage;
  StopReason stop_reason = StopReason::end_turn;
};

StreamTranslator::StreamTranslator(const Dialect& from, const Dialect& to,
                                   RequestContext context)
    : state_(std::make_unique<State>(from, to, std::move(context))) {}
StreamTranslator::StreamTranslator(StreamTranslator&&) noexcept = default;
StreamTranslator::~StreamTranslator() = default;

void StreamTranslator::feed(std::string_view bytes, std::string& out) {
  State& s = *state_;
  if (s.passthrough) s.pending.append(bytes);
  if (!s.done()) {
    s.out = &out;
    s.decoder->feed(bytes, s.sink());
    s.out = nullptr;
  }
  if (s.passthrough) s.relay(out);
}

void StreamTranslator::finish(std::string& out) {
  State& s = *state_;
  if (s.done()) return;
  s.out = &out;
  s.decoder->finish(s.sink());
  s.out = nullptr;
  if (!s.passthrough) return;
  if (s.finished) return s.relay(out);
  // Cut off: half an event is of no use; the client is told in its words.
  StreamEvent event;
  event.kind = EventKind::failed;
  event.error = &*s.error;
  s.encoder->on_event(event, out);
}

void StreamTranslator::fail(const Error& error, std::string& out) {
  State& s = *state_;
  if (s.done()) return;
  s.error = error;
  StreamEvent event;
  event.kind = EventKind::failed;
  event.error = &error;
  s.encoder->on_event(event, out);
}

void StreamTranslator::keep_alive(std::string& out) {
  const State& s = *state_;
  if (!s.done()) s.encoder->keep_alive(s.started, out);
}

bool StreamTranslator::started() const { return state_->started; }

bool StreamTranslator::done() const { return state_->done(); }

const Error* StreamTranslator::error() const {
  return state_->error ? &*state_->error : nullptr;
}

bool StreamTranslator::failed_before_start() const {
  return state_->error.has_value() && !state_->started;
}

const Usage& StreamTranslator::usage() const { return state_->usage; }

StopReason StreamTranslator::stop_reason() const { return state_->stop_reason; }

Losses StreamTranslator::losses() const {
  Losses all = state_->decoder->losses();
  for (const Loss& loss : state_->filter.losses()) all.push_back(loss);
  for (const Loss& loss : state_->encoder->losses()) all.push_back(loss);
  return all;
}

}  // namespace llmproxy
