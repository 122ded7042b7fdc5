// Properties of every stream case. See properties.h.
#include <algorithm>
#include <random>

#include "golden/equivalence.h"
#include "golden/properties.h"
#include "golden/stream_rules.h"
#include "support/dump.h"
#include "support/event_stream_text.h"
#include "support/grammar.h"
#include "support/json_text.h"
#include "wire/event_stream.h"

namespace llmproxy::testing {
namespace {

// Positions tried per property: all of a stream up to this size in bytes.
constexpr std::size_t kMostCuts = 8192;
// Above that, and for the costlier properties.
constexpr std::size_t kSample = 400;

std::string at_byte(std::size_t byte, const Dialect& to) {
  return "cut at byte " + std::to_string(byte) + ", to " + std::string(to.name);
}

std::string excerpt(std::string_view have, std::string_view want) {
  const auto differ =
      std::mismatch(have.begin(), have.end(), want.begin(), want.end());
  const auto at = static_cast<std::size_t>(differ.first - have.begin());
  return "byte " + std::to_string(at) +
         " of the output: " + quoted(have.substr(at, 80)) + " instead of " +
         quoted(want.substr(at, 80));
}

// Line ends as a server might write them.
std::string with_line_ends(std::string_view bytes, std::string_view end) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\r') {
      if (i + 1 < bytes.size() && bytes[i + 1] == '\n') ++i;
      out += end;
    } else if (bytes[i] == '\n') {
      out += end;
    } else {
      out += bytes[i];
    }
  }
  return out;
}

std::string with_comments(std::string_view bytes) {
  std::string out = ": first\n\n";
  std::string plain = with_line_ends(bytes, "\n");
  std::size_t at = 0;
  // A byte order mark must stay first.
  if (plain.starts_with("\xEF\xBB\xBF")) return plain;
  for (std::size_t end = plain.find("\n\n"); end != std::string::npos;
       end = plain.find("\n\n", at)) {
    out.append(plain, at, end + 2 - at);
    out += ": x\n\n";
    at = end + 2;
  }
  return out.append(plain, at);
}

// The same between frames: events of a type nobody knows.
std::string with_unknown_frames(std::string_view bytes) {
  std::string out;
  std::size_t taken = 0;
  for (const std::string_view frame : split_frames(bytes)) {
    wire::append_event_frame(out, "eventOfTomorrow", R"({"a":1})");
    out += frame;
    taken += frame.size();
  }
  return out.append(bytes.substr(taken));
}

// Feeds one byte at a time, with keep-alives in between when asked to.
std::string run_bytewise(const Scenario& scenario, const Dialect& to,
                         std::string_view input, bool keep_alive) {
  StreamTranslator translator(*scenario.from, to, scenario.context);
  std::string out;
  for (const char& byte : input) {
    translator.feed(std::string_view(&byte, 1), out);
    if (keep_alive && !translator.done()) translator.keep_alive(out);
  }
  translator.finish(out);
  return out;
}

// What a client of `to` makes of `bytes`.
struct Received {
  ChatResponse response;
  std::optional<Error> error;
  std::string mistake;
};
Received receive(const Dialect& to, const RequestContext& context,
                 std::string_view bytes) {
  struct Both final : EventSink {
    void on_event(const StreamEvent& event) override {
      grammar.on_event(event);
      sum.on_event(event);
    }
    GrammarChecker grammar;
    Accumulator sum;
  } both;
  decode_stream(to, context, bytes, both);
  std::string mistake = both.grammar.mistake();
  if (mistake.empty() && !both.grammar.ended()) mistake = "no end";
  return {both.sum.response(), both.sum.error(), std::move(mistake)};
}

class StreamChecks {
 public:
  StreamChecks(const Scenario& scenario, const Dialect& to, Report& report)
      : scenario_(scenario),
        to_(to),
        report_(report),
        whole_(run_stream(scenario, to, scenario.input)),
        canonical_(receive(*scenario.from, scenario.context, scenario.input)) {}

  void run() {
    splits();
    bytewise();
    line_ends();
    comments();
    truncation();
    rules();
    redecoded();
  }

 private:
  bool passthrough() const { return &to_ == scenario_.from; }

  void splits() {
    std::string wrong;
    for (const std::size_t cut : positions(scenario_.input.size(), kMostCuts)) {
      const StreamRun run = run_stream(scenario_, to_, scenario_.input, cut);
      if (run.bytes == whole_.bytes) continue;
      wrong = at_byte(cut, to_) + ": " + excerpt(run.bytes, whole_.bytes);
      break;
    }
    report_.property(wrong.empty(), "split", wrong);
  }

  void bytewise() {
    const std::string bytes =
        run_bytewise(scenario_, to_, scenario_.input, false);
    report_.property(bytes == whole_.bytes, "bytewise",
                     excerpt(bytes, whole_.bytes));
    // Keep-alives may stand between any two writes and mean nothing.
    const std::string kept =
        run_bytewise(scenario_, to_, scenario_.input, true);
    const Received a = receive(to_, scenario_.context, kept);
    const Received b = receive(to_, scenario_.context, whole_.bytes);
    report_.property(a.mistake == b.mistake && a.error == b.error &&
                         a.response == b.response,
                     "keep_alive",
                     "to " + std::string(to_.name) + ": " + a.mistake + "\n" +
                         dump(a.response) + "instead of\n" + dump(b.response));
  }

  // The same stream written differently must reach the client the same,
  // whole and byte by byte.
  void same(std::string_view name, const std::string& input) {
    const std::string outputs[] = {run_stream(scenario_, to_, input).bytes,
                                   run_bytewise(scenario_, to_, input, false)};
    for (const std::string& bytes : outputs) {
      const std::string wrong = difference(bytes);
      report_.property(wrong.empty(), name,
                       std::string(to_.name) + ": " + wrong);
    }
  }

  std::string difference(const std::string& bytes) const {
    if (!passthrough()) {
      return bytes == whole_.bytes ? "" : excerpt(bytes, whole_.bytes);
    }
    // A failure is told in our words, whatever the upstream's were.
    const Received got = receive(to_, scenario_.context, bytes);
    const bool equal = got.response == canonical_.response &&
                       got.error.has_value() == canonical_.error.has_value();
    return equal ? "" : "\n" + dump(got.response);
  }

  bool binary() const {
    return scenario_.from->framing == Framing::event_stream;
  }

  void line_ends() {
    if (binary()) return;
    same("crlf", with_line_ends(scenario_.input, "\r\n"));
    same("cr", with_line_ends(scenario_.input, "\r"));
  }

  void comments() {
    same("comments", binary() ? with_unknown_frames(scenario_.input)
                              : with_comments(scenario_.input));
  }

  // An upstream that stops in the middle reaches every client as an error.
  void truncation() {
    const std::string_view input = scenario_.input;
    const std::size_t end = normal_end(*scenario_.from, input);
    // What cannot be read is passed on for the client to judge.
    if (passthrough() && canonical_.error) return;
    std::string wrong;
    for (const std::size_t cut : positions(end, kMostCuts)) {
      wrong = truncated(cut);
      if (!wrong.empty()) break;
    }
    report_.property(wrong.empty(), "truncation", wrong);
  }

  std::string truncated(std::size_t cut) {
    const StreamRun run =
        run_stream(scenario_, to_, scenario_.input.substr(0, cut));
    const std::string where = at_byte(cut, to_) + ": ";
    if (!run.failed) return where + "no failure";
    if (!run.done) return where + "not done";
    // Most cuts fall into one event and give what the one before gave.
    if (run.bytes == last_truncated_) return "";
    last_truncated_ = run.bytes;
    if (looks_finished(to_, run.bytes)) return where + "a normal end is told";
    const Received got = receive(to_, scenario_.context, run.bytes);
    if (!got.mistake.empty()) return where + got.mistake;
    if (!got.error) return where + "the client sees no error";
    return where_broken(where, run.bytes);
  }

  // Our own output keeps the rules; what passes through is the upstream's.
  std::string where_broken(const std::string& where,
                           std::string_view bytes) const {
    if (passthrough()) return "";
    const std::string rule =
        broken_stream_rule(to_, scenario_.context, bytes, true);
    return rule.empty() ? "" : where + rule;
  }

  void rules() {
    if (passthrough()) {
      report_.property(canonical_.mistake.empty(), "grammar",
                       canonical_.mistake);
      return;
    }
    const std::string rule =
        broken_stream_rule(to_, scenario_.context, whole_.bytes, whole_.failed);
    report_.property(rule.empty(), "client rules",
                     std::string(to_.name) + ": " + rule);
  }

  // Decoding our own output gives what went in, but for declared losses; and
  // so do the unstreamed answer and the replayed one.
  void redecoded() {
    Received got = receive(to_, scenario_.context, whole_.bytes);
    report_.property(got.mistake.empty(), "own output",
                     std::string(to_.name) + ": " + got.mistake);
    if (canonical_.error) {
      report_.property(
          got.error && got.error->message.find(canonical_.error->message) !=
                           std::string::npos,
          "error crosses",
          dump(*canonical_.error) + "became " +
              (got.error ? dump(*got.error) : "no error"));
      return;
    }
    const ChatResponse meant = for_client(scenario_, to_, canonical_.response);
    // Where the upstream never counts, the client keeps our estimate.
    if (!meant.usage.input_tokens) got.response.usage.input_tokens.reset();
    const std::string difference =
        unexplained_difference(meant, got.response, whole_.losses);
    report_.property(difference.empty(), "own output",
                     std::string(to_.name) + ": " + difference);

    Losses losses;
    std::string body;
    to_.encode_response(meant, scenario_.context, body, losses);
    const Result<ChatResponse> unstreamed = decode_response(to_, body, losses);
    if (!unstreamed) {
      report_.property(false, "parity", dump(unstreamed.error()));
      return;
    }
    agree("parity with the unstreamed answer", *unstreamed, got.response);

    const std::string replayed = encode_replay(meant, to_, scenario_.context);
    Received again = receive(to_, scenario_.context, replayed);
    if (!meant.usage.input_tokens) again.response.usage.input_tokens.reset();
    agree("parity with the replayed answer", again.response, got.response);
    const std::string rule =
        broken_stream_rule(to_, scenario_.context, replayed, false);
    report_.property(rule.empty(), "client rules of the replayed answer", rule);
  }

  // Two ways to one answer. Usage stands in a stream only when asked for.
  void agree(std::string_view name, ChatResponse a, ChatResponse b) {
    if (!scenario_.context.include_usage) a.usage = b.usage = {};
    // Citations of an upstream pass on; answers of our own making have none.
    for (ChatResponse* response : {&a, &b}) {
      for (ContentPart& part : response->content) {
        if (auto* text = part.as<TextPart>()) text->citations.clear();
      }
    }
    const std::string difference = unexplained_difference(a, b, {});
    report_.property(difference.empty(), name,
                     std::string(to_.name) + ": " + difference);
  }

  const Scenario& scenario_;
  const Dialect& to_;
  Report& report_;
  const StreamRun whole_;
  const Received canonical_;
  std::string last_truncated_;
};

// A case that gives an answer both ways: they must be one answer.
void check_given_response(const Scenario& scenario, Report& report) {
  if (scenario.response.empty()) return;
  Losses losses;
  const Result<ChatResponse> unstreamed =
      decode_response(*scenario.from, scenario.response, losses);
  const Received streamed =
      receive(*scenario.from, scenario.context, scenario.input);
  if (!unstreamed) {
    report.property(false, "stream equals response", dump(unstreamed.error()));
    return;
  }
  const std::string difference =
      unexplained_difference(*unstreamed, streamed.response, {});
  report.property(difference.empty(), "stream equals response", difference);
}

}  // namespace

std::vector<std::size_t> positions(std::size_t size, std::size_t most) {
  std::vector<std::size_t> out;
  if (size <= most) {
    for (std::size_t at = 1; at < size; ++at) out.push_back(at);
    return out;
  }
  std::mt19937 random(20251118);  // any fixed seed: runs must be repeatable
  std::uniform_int_distribution<std::size_t> any(1, size - 1);
  for (std::size_t i = 0; i < kSample; ++i) out.push_back(any(random));
  return out;
}

void check_stream(const Scenario& scenario, Report& report) {
  for (const Dialect* to : dialects()) {
    if (may_answer(scenario, *to)) StreamChecks(scenario, *to, report).run();
  }
  check_given_response(scenario, report);
}

}  // namespace llmproxy::testing
