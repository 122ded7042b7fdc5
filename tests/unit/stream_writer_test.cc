// What all stream encoders get from StreamWriter.
#include "chat/stream_writer.h"

#include <catch2/catch.hpp>
#include <string>

#include "chat/stream_parts.h"

using namespace llmproxy;

namespace {

/// Says which of its members were called.
class Encoder final : public StreamWriter {
 public:
  explicit Encoder(PartOrder order) : StreamWriter("Nobody", order) {}
  void keep_alive(bool begun, std::string& out) override {
    out += begun ? "alive " : "waiting ";
  }

 private:
  void on_started(const StreamEvent&) override { out() += "started "; }
  void open_text(const StreamEvent&) override { out() += "[text "; }
  void open_thinking(const StreamEvent&) override { out() += "[thinking "; }
  void open_redacted_thinking(const StreamEvent& event) override {
    lose_part(event);
  }
  void open_refusal(const StreamEvent&) override { out() += "[refusal "; }
  void open_tool_call(const StreamEvent& event) override {
    input_.begin(event.part_kind == PartKind::custom_tool_call);
    out() += "[call ";
  }
  void open_image(const StreamEvent& event) override { lose_part(event); }
  void open_opaque(const StreamEvent& event) override { lose_part(event); }
  void on_text(const StreamEvent& event) override { out() += event.text; }
  void on_thinking(const StreamEvent&) override { out() += "thought "; }
  void on_refusal(const StreamEvent&) override { out() += "refused "; }
  void on_tool_call(const StreamEvent& event) override {
    out() += input_.take(event.text);
  }
  void on_signature(const StreamEvent&) override { out() += "signed "; }
  void on_citation(const StreamEvent&) override {
    lose("/content/citations", "citations");
  }
  void close_part(const StreamEvent& event) override {
    out() += rest_of(input_, event.part_kind) + "] ";
  }
  void on_finished(const StreamEvent&) override {
    out() += "finished " + service_tier_;
  }
  void on_failed(const Error& error) override { out() += error.message; }

  StreamedInput input_;
};

struct Stream {
  explicit Stream(PartOrder order = PartOrder::in_turn) : encoder(order) {}
  void say(EventKind kind, PartKind part_kind = PartKind::text,
           std::uint32_t part = 0, std::string_view text = {}) {
    StreamEvent event = part_event(kind, part_kind, part);
    event.text = text;
    encoder.on_event(event, out);
  }
  Encoder encoder;
  std::string out;
};

}  // namespace

TEST_CASE("an event of a stream is written by the member of its kind",
          "[stream_writer]") {
  Stream stream;
  stream.say(EventKind::ping);
  stream.say(EventKind::started);
  stream.say(EventKind::ping);
  stream.say(EventKind::part_started, PartKind::thinking);
  StreamEvent event = part_event(EventKind::part_delta, PartKind::thinking, 0);
  event.text = "hm";
  event.signature = "c2ln";
  stream.encoder.on_event(event, stream.out);
  stream.say(EventKind::part_ended, PartKind::thinking);
  event = {};
  event.kind = EventKind::finished;
  event.service_tier = "flex";
  stream.encoder.on_event(event, stream.out);
  CHECK(stream.out ==
        "waiting started alive [thinking thought signed ] finished flex");
}

TEST_CASE("parts are written one after the other, or as they come",
          "[stream_writer]") {
  for (const PartOrder order : {PartOrder::in_turn, PartOrder::interleaved}) {
    Stream stream(order);
    stream.say(EventKind::part_started, PartKind::text, 0);
    stream.say(EventKind::part_started, PartKind::text, 1);
    stream.say(EventKind::part_delta, PartKind::text, 1, "b");
    stream.say(EventKind::part_delta, PartKind::text, 0, "a");
    stream.say(EventKind::part_ended, PartKind::text, 0);
    stream.say(EventKind::part_ended, PartKind::text, 1);
    CHECK(stream.out == (order == PartOrder::in_turn ? "[text a] [text b] "
                                                     : "[text [text ba] ] "));
  }
}

TEST_CASE("nothing is written behind the end of a stream", "[stream_writer]") {
  Error error;
  error.message = "failed";
  StreamEvent failed;
  failed.kind = EventKind::failed;
  failed.error = &error;
  for (const bool first : {true, false}) {
    Stream stream;
    if (!first) stream.say(EventKind::finished);
    stream.encoder.on_event(failed, stream.out);
    stream.encoder.on_event(failed, stream.out);
    stream.say(EventKind::finished);
    stream.say(EventKind::ping);
    CHECK(stream.out == (first ? "failed" : "finished "));
  }
}

TEST_CASE("a stream tells each loss once", "[stream_writer]") {
  Stream stream;
  StreamEvent event = part_event(EventKind::part_delta, PartKind::text, 0);
  event.citation = "{}";
  stream.say(EventKind::part_started);
  stream.encoder.on_event(event, stream.out);
  stream.encoder.on_event(event, stream.out);
  stream.say(EventKind::part_ended);
  for (const std::uint32_t part : {1U, 2U}) {
    stream.say(EventKind::part_started, PartKind::image, part);
    stream.say(EventKind::part_ended, PartKind::image, part);
  }
  CHECK(stream.encoder.losses() ==
        Losses{{"/content/citations", "Nobody does not take citations; dropped",
                LossKind::dropped},
               {"/content", "Nobody does not take images in answers; dropped",
                LossKind::dropped}});
}

TEST_CASE("free text of a call in a stream becomes an object at its end",
          "[stream_writer]") {
  Stream stream;
  stream.say(EventKind::part_started, PartKind::custom_tool_call);
  stream.say(EventKind::part_delta, PartKind::custom_tool_call, 0, "ls ");
  stream.say(EventKind::part_delta, PartKind::custom_tool_call, 0, "-l");
  stream.say(EventKind::part_ended, PartKind::custom_tool_call);
  CHECK(stream.out == R"([call {"_raw_arguments":"ls -l"}] )");
  REQUIRE(stream.encoder.losses().size() == 1);
  CHECK(stream.encoder.losses()[0].kind == LossKind::approximated);
}
