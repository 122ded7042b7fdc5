// StreamTranslator: decoder, filter and encoder in a row; or, for the same
// dialect on both sides, the bytes as they come beside a decoder that watches
// for usage, failure and the end.
#include <algorithm>
#include <utility>

#include "llmproxy/translate.h"
#include "translate/answer_filter.h"
#include "translate/answer_words.h"

namespace llmproxy {

struct StreamTranslator::State final : public EventSink {
  State(const Dialect& from, const Dialect& to, RequestContext request)
      : context(std::move(request)),
        client(to),
        passthrough(&from == &to),
        events(from.framing == Framing::sse && !context.json_array),
        decoder(from.new_stream_decoder(context)),
        encoder(to.new_stream_encoder(context)),
        filter(context, *this),
        filtered(!passthrough && !AnswerFilter::idle(context)) {}

  /// Behind the filter: remember what the caller may ask, and write.
  void on_event(const StreamEvent& event) override {
    if (done()) return;
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
    const bool first = event.kind == EventKind::started;
    if (first || event.kind == EventKind::finished) {
      return encoder->on_event(for_client(event, first), *out);
    }
    encoder->on_event(event, *out);
  }

  /// What says who answers, or how it ends, as the client is to be told.
  StreamEvent for_client(StreamEvent event, bool first) {
    event.service_tier = tier_for(client, event.service_tier, losses);
    tell_unknown_stop(client, event.stop_reason, event.stop_reason_text,
                      losses);
    if (!first) return event;
    if (!context.answer_model.empty()) event.model = context.answer_model;
    // Some upstreams say neither.
    if (event.model.empty()) event.model = context.model;
    if (event.id.empty()) event.id = context.answer_id;
    return event;
  }

  EventSink& sink() {
    return filtered ? static_cast<EventSink&>(filter) : *this;
  }

  bool done() const { return finished || error.has_value(); }

  /// The end was told by whoever drives this: nothing comes behind it.
  void close() { behind_end = told = true; }

  /// Passthrough: sends whole events on, up to the end of the answer; an error
  /// that the upstream tells as it comes.
  void relay(std::string& to) {
    const std::size_t read = decoder->consumed();
    std::size_t whole = read > relayed ? read - relayed : 0;
    if (finished && events) whole = end_of_line_ends(whole);
    // An array still has its bracket.
    const bool all = error || (finished && context.json_array);
    if (all && !behind_end && !unreadable()) whole = pending.size();
    const std::size_t count = std::min(whole, pending.size());
    // A byte order mark is legal at the very start only, and a keep-alive of
    // ours may stand there already.
    constexpr std::string_view kBom = "\xEF\xBB\xBF";
    const bool marked = relayed == 0 && count >= kBom.size() &&
                        pending.compare(0, kBom.size(), kBom) == 0;
    const std::size_t skip = marked ? kBom.size() : 0;
    to.append(pending, skip, count - skip);
    note_array(std::string_view(pending).substr(0, count));
    pending.erase(0, count);
    relayed += count;
    if (unreadable()) return tell_unreadable(to);
    if (behind_end || (finished && !events)) pending.clear();
  }

  /// Passthrough of an array: where in it the client is.
  void note_array(std::string_view sent) {
    if (!context.json_array) return;
    const std::size_t last = sent.find_last_not_of(" \t\r\n");
    if (last != std::string_view::npos) array_at = sent[last];
  }

  /// Tells the client of `failure` in its own words. The encoder saw nothing of
  /// what was passed on, and opens an array that the upstream had opened.
  void tell(const Error& failure, std::string& to) {
    StreamEvent event;
    event.kind = EventKind::failed;
    event.error = &failure;
    const std::size_t begin = to.size();
    encoder->on_event(event, to);
    if (array_at == '\0' || begin >= to.size() || to[begin] != '[') return;
    const bool behind_element = array_at != '[' && array_at != ',';
    to.replace(begin, 1, behind_element ? ",\n" : "");
  }

  /// Passthrough: line ends that belong to the last event, however the
  /// network cut them. What else comes behind the end is not for the client.
  std::size_t end_of_line_ends(std::size_t from) {
    if (behind_end || from > pending.size()) return 0;
    const std::size_t end = pending.find_first_not_of("\r\n", from);
    behind_end = end != std::string::npos;
    return std::min(end, pending.size());
  }

  /// Passthrough: the end came without the line ends behind it, without which
  /// readers of server-sent events drop the event.
  void end_last_event(std::string& to) const {
    if (!events || to.empty()) return;
    if (to.ends_with("\n\n") || to.ends_with("\r\r") ||
        to.ends_with("\r\n\r\n")) {
      return;
    }
    if (to.ends_with("\r\n")) {
      to += "\r\n";
    } else if (to.ends_with('\r')) {
      to += '\r';
    } else {
      to += to.ends_with('\n') ? "\n" : "\n\n";
    }
  }

  /// Passthrough: the upstream sent what is no event. (An error that it tells
  /// is one.)
  bool unreadable() const { return error && decoder->unreadable(); }

  /// Passthrough: the client gets the error in its own words instead of the
  /// rest.
  void tell_unreadable(std::string& to) {
    pending.clear();
    if (std::exchange(told, true)) return;
    tell(*error, to);
  }

  RequestContext context;
  const Dialect& client;
  const bool passthrough;
  const bool events;  // server-sent ones
  std::unique_ptr<StreamDecoder> decoder;
  std::unique_ptr<StreamEncoder> encoder;
  AnswerFilter filter;
  const bool filtered;
  std::string* out = nullptr;
  std::string pending;      // passthrough: bytes not relayed yet
  std::size_t relayed = 0;  // passthrough: bytes relayed so far
  char array_at = '\0';     // passthrough of an array: the last byte relayed
  bool behind_end = false;  // the end was told: nothing more is relayed
  bool started = false;
  bool finished = false;
  bool told = false;  // passthrough: of what is unreadable
  std::optional<Error> error;
  Usage usage;
  StopReason stop_reason = StopReason::end_turn;
  Losses losses;  // of words that the client's dialect lacks
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
  if (s.done()) {
    s.close();
    return;
  }
  s.out = &out;
  s.decoder->finish(s.sink());
  s.out = nullptr;
  if (!s.passthrough) return;
  if (s.finished) {
    s.relay(out);
    s.close();
    return s.end_last_event(out);
  }
  s.close();
  // Cut off: half an event is of no use; the client is told in its words.
  s.tell(*s.error, out);
}

void StreamTranslator::fail(const Error& error, std::string& out) {
  State& s = *state_;
  if (s.done()) return;
  s.close();
  s.error = error;
  s.tell(error, out);
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
  for (const Loss& loss : state_->losses) all.push_back(loss);
  for (const Loss& loss : state_->encoder->losses()) all.push_back(loss);
  return all;
}

}  // namespace llmproxy
