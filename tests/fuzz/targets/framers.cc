// How streams are cut into events: server-sent events, event streams, JSON
// arrays; in one piece and in many.
#include <memory>
#include <vector>

#include "fuzz/kit/target.h"
#include "support/event_text.h"
#include "wire/event_stream.h"
#include "wire/json_array.h"
#include "wire/sse.h"

namespace llmproxy::fuzz {
namespace {

struct Event {
  std::string name;
  std::string data;
  bool exception = false;
  bool operator==(const Event&) const = default;
};

struct Events {
  std::vector<Event> all;
  std::vector<std::size_t> begins;
  bool faulty = false;
  bool operator==(const Events&) const = default;
};

std::unique_ptr<wire::Framer> make_framer(std::size_t kind) {
  switch (kind) {
    case 0:
      return std::make_unique<wire::SseDecoder>();
    case 1:
      return std::make_unique<wire::EventStreamDecoder>();
    case 2:
      return std::make_unique<wire::JsonArrayFramer>();
    default:
      return std::make_unique<wire::SseOrArrayFramer>();
  }
}

Events read(std::size_t kind, std::string_view bytes, std::size_t step) {
  const auto framer = make_framer(kind);
  Events events;
  wire::Frame frame;
  std::size_t consumed = 0;
  const auto take = [&] {
    expect(frame.begin >= consumed && frame.begin < framer->consumed(),
           "an event begins behind the last one");
    events.begins.push_back(frame.begin);
    events.all.push_back(
        {std::string(frame.name), std::string(frame.data), frame.exception});
  };
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    framer->feed(bytes.substr(at, step));
    while (framer->next(frame)) {
      take();
      expect(framer->consumed() >= consumed, "what is taken stays taken");
      consumed = framer->consumed();
    }
    expect(framer->consumed() <= at + step, "no more is taken than came");
  }
  if (framer->last(frame)) take();
  events.faulty = !framer->fault().empty();
  return events;
}

/// Events written again are the same events.
void write_again(const Events& events) {
  std::string text;
  std::string frames;
  std::vector<Event> plain;
  for (const Event& event : events.all) {
    if (event.data.find_first_of("\r\n") != std::string::npos ||
        event.data.empty() || event.name.size() > 200) {
      continue;
    }
    wire::append_event(text, event.name, event.data);
    wire::append_event_frame(frames, event.name, event.data);
    plain.push_back({event.name, event.data, false});
  }
  // An event without a name cannot be told from one without a type.
  for (const std::size_t kind : {0, 1}) {
    const Events again = read(kind, kind == 0 ? text : frames, 7);
    expect(again.all == plain, "events are written as they are read", text);
  }
}

void run(Input& input) {
  const std::size_t kind = input.below(4);
  const bool raw = input.flag();
  const std::size_t step = 1 + input.byte() % 61;
  std::string bytes(input.rest());
  if (kind == 1 && !raw) bytes = testing::frames_of_text(bytes);
  const Events whole = read(kind, bytes, bytes.size() + 1);
  const Events pieces = read(kind, bytes, step);
  expect(whole == pieces, "cuts mean nothing", bytes);
  std::size_t size = 0;
  for (const Event& event : whole.all) {
    size += event.data.size();
    expect(event.data.find('\0') == std::string::npos ||
               bytes.find('\0') != std::string::npos,
           "nothing is made up");
  }
  expect(size <= bytes.size(), "no more comes out than went in");
  if (kind == 0) write_again(whole);
}

const Registered kRegistered({"framers", Form::events, 4096, run});

}  // namespace
}  // namespace llmproxy::fuzz
