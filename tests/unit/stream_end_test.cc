// A stream ends once, for every client, however its last bytes are cut and
// whatever an upstream sends behind the end.
#include <catch2/catch.hpp>

#include "base/text.h"
#include "llmproxy/translate.h"
#include "wire/event_stream.h"

namespace llmproxy {
namespace {

constexpr std::string_view kBlankLine = "\n\n";

/// How often a client of a dialect is told the end, and a failure.
struct Ends {
  std::size_t normal = 0;
  std::size_t failed = 0;
  std::size_t all() const { return normal + failed; }
};

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + word.size())) {
    ++found;
  }
  return found;
}

struct Marks {
  std::string_view dialect, normal, failed;
  std::string_view failed_first = {};  ///< where nothing came before
};
constexpr Marks kMarks[] = {
    {"openai-chat", "data: [DONE]", "data: {\"error\""},
    {"claude", "\"type\":\"message_stop\"", "\"type\":\"error\""},
    {"openai-responses", "\ndata: {\"type\":\"response.completed\"",
     "\ndata: {\"type\":\"response.failed\"", "\ndata: {\"type\":\"error\""},
    {"gemini", "\"finishReason\":", "\"error\":{"},
    {"bedrock", "\"type\":\"message_stop\"", ""},
    {"bedrock-converse", "messageStop", ""},
};

/// Frames as lines: their type, and what a chunk holds.
std::string plain(const Dialect& dialect, const std::string& bytes,
                  std::size_t& exceptions) {
  if (dialect.framing == Framing::sse) return bytes;
  wire::EventStreamDecoder frames;
  frames.feed(bytes);
  wire::Frame frame;
  std::string out;
  while (frames.next(frame)) {
    exceptions += frame.exception ? 1 : 0;
    out.append(frame.name).append(" ");
    constexpr std::string_view kBytes = "{\"bytes\":\"";
    if (frame.data.starts_with(kBytes)) {
      frame.data.remove_prefix(kBytes.size());
      out += decode_base64(frame.data.substr(0, frame.data.find('"')))
                 .value_or("");
    }
    out += '\n';
  }
  return out;
}

Ends ends_of(const Dialect& dialect, const std::string& bytes) {
  Ends ends;
  const std::string text = plain(dialect, bytes, ends.failed);
  for (const Marks& marks : kMarks) {
    if (marks.dialect != dialect.name) continue;
    ends.normal = count(text, marks.normal);
    for (const std::string_view mark : {marks.failed, marks.failed_first}) {
      if (!mark.empty()) ends.failed += count(text, mark);
    }
  }
  return ends;
}

/// What an upstream of that dialect streams, event by event.
std::vector<std::string> events_of(const Dialect& dialect) {
  ChatResponse answer;
  answer.id = "r1";
  answer.model = "m";
  answer.content.push_back({TextPart{"Let me look.", {}}, {}, {}});
  answer.content.push_back(
      {ToolCallPart{"call_1", "look", R"({"at":1})", false}, {}, {}});
  answer.stop_reason = StopReason::tool_use;
  answer.usage.input_tokens = 3;
  answer.usage.output_tokens = 2;
  struct Events final : EventSink {
    void on_event(const StreamEvent& event) override {
      std::string bytes;
      encoder->on_event(event, bytes);
      if (!bytes.empty()) out.push_back(std::move(bytes));
    }
    std::unique_ptr<StreamEncoder> encoder;
    std::vector<std::string> out;
  } events;
  events.encoder = dialect.new_stream_encoder({});
  replay(answer, events);
  // What the end makes is one write of several events.
  if (dialect.framing == Framing::event_stream) return events.out;
  std::vector<std::string> single;
  for (const std::string& bytes : events.out) {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t end = bytes.find(kBlankLine, at) + kBlankLine.size();
      single.push_back(bytes.substr(at, end - at));
      at = end;
    }
  }
  return single;
}

std::string joined(const std::vector<std::string>& events) {
  std::string out;
  for (const std::string& event : events) out += event;
  return out;
}

/// All of `bytes` in one piece, byte by byte, and cut in the last event.
std::vector<std::vector<std::string>> ways_to_feed(const std::string& bytes) {
  std::vector<std::vector<std::string>> ways = {{bytes}, {}};
  for (const char c : bytes) ways.back().emplace_back(1, c);
  constexpr std::size_t kTail = 12;
  for (std::size_t tail = 1; tail < std::min(kTail, bytes.size()); ++tail) {
    ways.push_back({bytes.substr(0, bytes.size() - tail),
                    bytes.substr(bytes.size() - tail)});
  }
  return ways;
}

std::string run(const Dialect& from, const Dialect& to,
                const std::vector<std::string>& pieces) {
  StreamTranslator translator(from, to, {});
  std::string out;
  for (const std::string& piece : pieces) translator.feed(piece, out);
  translator.finish(out);
  CHECK(translator.done());
  // Whoever drives it may be late to notice.
  Error late;
  late.message = "late";
  translator.finish(out);
  translator.fail(late, out);
  translator.feed(pieces.back(), out);
  translator.keep_alive(out);
  translator.finish(out);
  return out;
}

/// Exactly one end, `failed` or not, in every way to feed `bytes`.
void check_one_end(const Dialect& from, const std::string& bytes,
                   const std::string& what, bool failed = false) {
  for (const Dialect* to : dialects()) {
    for (const auto& pieces : ways_to_feed(bytes)) {
      const std::string out = run(from, *to, pieces);
      const Ends ends = ends_of(*to, out);
      INFO(from.name << " to " << to->name << ": " << what << ", in "
                     << pieces.size() << " pieces\n"
                     << out);
      REQUIRE(ends.all() == 1);
      REQUIRE((ends.failed == 1) == failed);
      if (to->framing == Framing::sse) {
        REQUIRE((out.ends_with("\n\n") || out.ends_with("\r\r") ||
                 out.ends_with("\r\n\r\n")));
      }
    }
  }
}

TEST_CASE("a stream whose last line ends are cut or odd ends once",
          "[stream_end]") {
  for (const Dialect* from : dialects()) {
    if (from->framing != Framing::sse) continue;
    std::string whole = joined(events_of(*from));
    while (whole.ends_with('\n')) whole.pop_back();
    for (const char* tail : {"", "\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n",
                             "\n\n\n", "\n\n: bye\n\n", "\n\n: bye"}) {
      check_one_end(*from, whole + tail, "tail " + std::to_string(*tail));
    }
  }
}

TEST_CASE("a passed on stream keeps the event whose blank line is missing",
          "[stream_end]") {
  for (const Dialect* dialect : dialects()) {
    if (dialect->framing != Framing::sse) continue;
    const std::string whole = joined(events_of(*dialect));
    std::string cut = whole;
    while (cut.ends_with('\n')) {
      cut.pop_back();
      INFO(dialect->name);
      CHECK(run(*dialect, *dialect, {cut}) == whole);
    }
  }
}

TEST_CASE("what comes behind the end changes nothing", "[stream_end]") {
  for (const Dialect* from : dialects()) {
    const std::vector<std::string> events = events_of(*from);
    const std::string whole = joined(events);
    const std::string& last = events.back();
    // The end of these is that the upstream closes; what comes before counts.
    const bool open_end = from->name == "gemini";
    if (open_end) continue;
    std::vector<std::string> behind = {last, last + last, whole, events[1]};
    std::string failure;
    Error error;
    error.kind = ErrorKind::overloaded;
    error.message = "too late";
    StreamEvent event;
    event.kind = EventKind::failed;
    event.error = &error;
    from->new_stream_encoder({})->on_event(event, failure);
    behind.push_back(failure);
    behind.push_back(last.substr(0, last.size() / 2));
    if (from->framing == Framing::sse) {
      behind.push_back("data: not JSON\n\n");
      behind.push_back("data: {\"choices\":\n\n");
      behind.push_back("garbage");
    }
    for (const std::string& more : behind) {
      check_one_end(*from, whole + more, "behind the end: " + more);
    }
  }
}

TEST_CASE("a stream without its end fails once", "[stream_end]") {
  for (const Dialect* from : dialects()) {
    const std::vector<std::string> events = events_of(*from);
    std::string begun;
    for (std::size_t i = 0; i + 2 < events.size(); ++i) begun += events[i];
    check_one_end(*from, begun, "cut off", true);
    check_one_end(*from, events.front().substr(0, events.front().size() / 2),
                  "cut in the first event", true);
  }
}

TEST_CASE("an empty stream fails once", "[stream_end]") {
  for (const Dialect* from : dialects()) {
    for (const Dialect* to : dialects()) {
      StreamTranslator translator(*from, *to, {});
      std::string out;
      translator.finish(out);
      translator.finish(out);
      INFO(from->name << " to " << to->name << "\n" << out);
      CHECK(translator.done());
      CHECK(translator.failed_before_start());
      CHECK(!out.empty());
    }
  }
}

/// Keeps what a decoder says of a stream's end and of its parts.
struct Seen final : EventSink {
  void on_event(const StreamEvent& event) override {
    begins += event.kind == EventKind::started ? 1 : 0;
    ends += event.kind == EventKind::finished || event.kind == EventKind::failed
                ? 1
                : 0;
    open += event.kind == EventKind::part_started ? 1 : 0;
    open -= event.kind == EventKind::part_ended ? 1 : 0;
    reason = event.kind == EventKind::finished ? event.stop_reason : reason;
    if (event.kind == EventKind::part_started) names.emplace_back(event.name);
  }
  int begins = 0, ends = 0, open = 0;
  StopReason reason = StopReason::other;
  std::vector<std::string> names;
};

Seen decoded(std::string_view dialect, std::string_view bytes) {
  Seen seen;
  const auto decoder = find_dialect(dialect)->new_stream_decoder({});
  decoder->feed(bytes, seen);
  decoder->finish(seen);
  decoder->finish(seen);
  return seen;
}

TEST_CASE("a decoder's events are legal whatever the upstream sends",
          "[stream_end]") {
  struct Row {
    const char* what;
    const char* bytes;
  };
  const Row rows[] = {
      {"no begin",
       "data: {\"type\":\"content_block_start\",\"index\":0,"
       "\"content_block\":{\"type\":\"text\",\"text\":\"hi\"}}\n\n"
       "data: {\"type\":\"message_stop\"}\n\n"},
      {"two begins",
       "data: {\"type\":\"message_start\",\"message\":{\"id\":\"a\"}}\n\n"
       "data: {\"type\":\"message_start\",\"message\":{\"id\":\"a\"}}\n\n"
       "data: {\"type\":\"message_stop\"}\n\n"},
      {"a block that never ends",
       "data: {\"type\":\"message_start\",\"message\":{\"id\":\"a\"}}\n\n"
       "data: {\"type\":\"content_block_start\",\"index\":7,"
       "\"content_block\":{\"type\":\"thinking\",\"thinking\":\"t\"}}\n\n"
       "data: {\"type\":\"message_stop\"}\n\n"},
  };
  for (const Row& row : rows) {
    const Seen seen = decoded("claude", row.bytes);
    INFO(row.what);
    CHECK(seen.begins == 1);
    CHECK(seen.ends == 1);
    CHECK(seen.open == 0);
  }
}

}  // namespace
}  // namespace llmproxy
