// Events to a response and back: the one pair of functions that keeps the
// streaming and the non-streaming path from disagreeing.
#include "llmproxy/stream.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "chat/stream_parts.h"
#include "chat/take_replay.h"

namespace llmproxy {
namespace {

/// Decoders of a host's may say anything; what is no JSON is left out.
RawJson checked(std::string_view json) {
  Result<RawJson> read = RawJson::parse(std::string(json));
  return read ? *std::move(read) : RawJson();
}

void append_delta(std::vector<ContentPart>& parts, const StreamEvent& event) {
  if (event.part >= parts.size()) return;
  ContentPart& part = parts[event.part];
  if (std::string* text = text_of(part)) text->append(event.text);
  auto* text = part.as<TextPart>();
  if (text != nullptr && !event.citation.empty()) {
    RawJson citation = checked(event.citation);
    if (!citation.empty()) text->citations.push_back(std::move(citation));
  }
  auto* thinking = part.as<ThinkingPart>();
  if (thinking != nullptr && !event.signature.empty()) {
    thinking->signature.assign(event.signature);
    thinking->issuer = event.issuer;
  }
}

/// What several kinds of events say.
void note(const StreamEvent& event, ChatResponse& response) {
  if (event.usage) response.usage = *event.usage;
  if (!event.service_tier.empty()) {
    response.service_tier.assign(event.service_tier);
  }
}

void end(const StreamEvent& event, ChatResponse& response) {
  response.stop_reason = event.stop_reason;
  response.stop_reason_text.assign(event.stop_reason_text);
  response.stop_sequence.assign(event.stop_sequence);
  response.refusal_explanation.assign(event.refusal_explanation);
}

PartKind kind_of(const ContentPart& part) {
  if (const auto* thinking = part.as<ThinkingPart>()) {
    return thinking->redacted_data.empty() ? PartKind::thinking
                                           : PartKind::redacted_thinking;
  }
  if (const auto* call = part.as<ToolCallPart>()) {
    return call->custom ? PartKind::custom_tool_call : PartKind::tool_call;
  }
  if (part.as<RefusalPart>()) return PartKind::refusal;
  if (part.as<TextPart>()) return PartKind::text;
  if (part.as<ImagePart>()) return PartKind::image;
  return PartKind::opaque;
}

/// How texts are cut.
struct Cut {
  bool words = false;  ///< each with the blanks before it
  std::size_t most = std::numeric_limits<std::size_t>::max();  ///< bytes
};

/// Bytes of the next piece of `text`, which is not empty.
std::size_t next_piece(std::string_view text, const Cut& cut) {
  std::size_t length = text.size();
  if (cut.words) {
    const auto word = text.find_first_not_of(" \n\t");
    if (word != std::string_view::npos) {
      length = std::min(length, text.find_first_of(" \n\t", word));
    }
  }
  if (length <= cut.most) return length;
  // Not within a character; what is no UTF-8 is cut anywhere.
  constexpr std::size_t kLongestCharacter = 4;
  length = cut.most;
  while (cut.most - length < kLongestCharacter && length > 1 &&
         (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) {
    --length;
  }
  return length;
}

/// Sends one part's deltas.
class PartReplay {
 public:
  PartReplay(EventSink& sink, PartKind kind, std::uint32_t part, Cut cut)
      : sink_(sink),
        event_(part_event(EventKind::part_delta, kind, part)),
        cut_(cut) {}

  void text(std::string_view text) {
    while (!text.empty()) {
      event_.text = text.substr(0, next_piece(text, cut_));
      sink_.on_event(event_);
      text.remove_prefix(event_.text.size());
    }
    event_.text = {};
  }
  void signature(std::string_view signature, ReasoningIssuer issuer) {
    if (signature.empty()) return;
    event_.signature = signature;
    event_.issuer = issuer;
    sink_.on_event(event_);
    event_.signature = {};
  }
  void citation(std::string_view citation) {
    event_.citation = citation;
    sink_.on_event(event_);
    event_.citation = {};
  }

 private:
  EventSink& sink_;
  StreamEvent event_;
  const Cut cut_;
};

void replay_begin(const ContentPart& part, PartKind kind, std::uint32_t index,
                  EventSink& sink) {
  StreamEvent begin = part_event(EventKind::part_started, kind, index);
  if (const auto* call = part.as<ToolCallPart>()) {
    begin.id = call->id;
    begin.name = call->name;
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    begin.text = thinking->redacted_data;
    begin.id = thinking->id;
    begin.issuer = thinking->issuer;
  } else if (const auto* image = part.as<ImagePart>()) {
    begin.name = image->source.media_type;
    begin.text = image->source.data;
  } else if (const auto* opaque = part.as<OpaquePart>()) {
    begin.id = opaque->dialect;
    begin.name = opaque->type;
    begin.text = opaque->json.text();
  }
  sink.on_event(begin);
}

/// All of a part but its end.
void replay_open(const ContentPart& part, PartKind kind, std::uint32_t index,
                 EventSink& sink, Cut cut) {
  replay_begin(part, kind, index, sink);
  PartReplay deltas(sink, kind, index, cut);
  if (const auto* text = part.as<TextPart>()) {
    deltas.text(text->text);
    for (const RawJson& citation : text->citations) {
      deltas.citation(citation.text());
    }
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    deltas.text(thinking->text);
    deltas.signature(thinking->signature, thinking->issuer);
  } else if (const auto* call = part.as<ToolCallPart>()) {
    deltas.text(call->arguments);
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    deltas.text(refusal->text);
  }
}

void replay_end(PartKind kind, std::uint32_t index, EventSink& sink) {
  sink.on_event(part_event(EventKind::part_ended, kind, index));
}

void replay_part(const ContentPart& part, std::uint32_t index, EventSink& sink,
                 Cut cut) {
  const PartKind kind = kind_of(part);
  replay_open(part, kind, index, sink, cut);
  replay_end(kind, index, sink);
}

void replay_start(const ChatResponse& response, EventSink& sink) {
  StreamEvent started;
  started.kind = EventKind::started;
  started.id = response.id;
  started.model = response.model;
  started.created = response.created;
  started.service_tier = response.service_tier;
  // What was read is known from the start, what is written is not.
  Usage input = response.usage;
  input.output_tokens.reset();
  input.reasoning_tokens.reset();
  input.output_audio_tokens.reset();
  started.usage = &input;
  sink.on_event(started);
}

void replay_finish(const ChatResponse& response, EventSink& sink) {
  StreamEvent finished;
  finished.kind = EventKind::finished;
  finished.stop_reason = response.stop_reason;
  finished.stop_reason_text = response.stop_reason_text;
  finished.stop_sequence = response.stop_sequence;
  finished.refusal_explanation = response.refusal_explanation;
  finished.service_tier = response.service_tier;
  finished.usage = &response.usage;
  sink.on_event(finished);
}

}  // namespace

ContentPart empty_part(const StreamEvent& event) {
  ContentPart part;
  switch (event.part_kind) {
    case PartKind::text:
      part.value = TextPart{};
      break;
    case PartKind::thinking:
      part.value =
          ThinkingPart{{}, {}, {}, event.issuer, std::string(event.id)};
      break;
    case PartKind::redacted_thinking:
      part.value = ThinkingPart{
          {}, {}, std::string(event.text), event.issuer, std::string(event.id)};
      break;
    case PartKind::tool_call:
    case PartKind::custom_tool_call:
      part.value = ToolCallPart{std::string(event.id),
                                std::string(event.name),
                                {},
                                event.part_kind == PartKind::custom_tool_call};
      break;
    case PartKind::refusal:
      part.value = RefusalPart{};
      break;
    case PartKind::image:
      part.value = ImagePart{
          {MediaKind::base64, std::string(event.text), std::string(event.name)},
          {}};
      break;
    case PartKind::opaque:
      part.value = OpaquePart{std::string(event.id), std::string(event.name),
                              checked(event.text)};
      break;
  }
  return part;
}

OwnedStreamEvent::OwnedStreamEvent(const StreamEvent& event)
    : kind(event.kind),
      part_kind(event.part_kind),
      part(event.part),
      id(event.id),
      model(event.model),
      name(event.name),
      text(event.text),
      signature(event.signature),
      citation(event.citation),
      issuer(event.issuer),
      created(event.created),
      stop_reason(event.stop_reason),
      stop_reason_text(event.stop_reason_text),
      stop_sequence(event.stop_sequence),
      refusal_explanation(event.refusal_explanation),
      service_tier(event.service_tier) {
  if (event.usage) usage = *event.usage;
  if (event.error) error = *event.error;
}

StreamEvent OwnedStreamEvent::view() const {
  StreamEvent event;
  event.kind = kind;
  event.part_kind = part_kind;
  event.part = part;
  event.id = id;
  event.model = model;
  event.name = name;
  event.text = text;
  event.signature = signature;
  event.citation = citation;
  event.issuer = issuer;
  event.created = created;
  event.stop_reason = stop_reason;
  event.stop_reason_text = stop_reason_text;
  event.stop_sequence = stop_sequence;
  event.refusal_explanation = refusal_explanation;
  event.service_tier = service_tier;
  event.usage = usage ? &*usage : nullptr;
  event.error = error ? &*error : nullptr;
  return event;
}

void Accumulator::on_event(const StreamEvent& event) {
  note(event, response_);
  switch (event.kind) {
    case EventKind::started:
      response_.id.assign(event.id);
      response_.model.assign(event.model);
      response_.created = event.created;
      break;
    case EventKind::part_started:
      response_.content.push_back(empty_part(event));
      break;
    case EventKind::part_delta:
      append_delta(response_.content, event);
      break;
    case EventKind::finished:
      end(event, response_);
      done_ = true;
      break;
    case EventKind::failed:
      if (event.error) error_ = *event.error;
      break;
    case EventKind::part_ended:
    case EventKind::usage:
    case EventKind::ping:
      break;
  }
}

void replay(const ChatResponse& response, EventSink& sink, bool words) {
  replay_start(response, sink);
  std::uint32_t index = 0;
  for (const ContentPart& part : response.content) {
    replay_part(part, index++, sink, {.words = words});
  }
  replay_finish(response, sink);
}

void replay_part(const ContentPart& part, std::uint32_t index,
                 EventSink& sink) {
  replay_part(part, index, sink, Cut{});
}

void take_replay(ChatResponse response, EventSink& sink, std::size_t most) {
  replay_start(response, sink);
  std::uint32_t index = 0;
  for (ContentPart& part : response.content) {
    const PartKind kind = kind_of(part);
    replay_open(part, kind, index, sink, {.most = most});
    part = ContentPart();
    replay_end(kind, index++, sink);
  }
  replay_finish(response, sink);
}

}  // namespace llmproxy
