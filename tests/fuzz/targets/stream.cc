// Streams of every dialect towards every other, cut anywhere, with keep-alives
// between the pieces, broken off, and failed from outside.
#include <algorithm>
#include <vector>

#include "fuzz/kit/properties.h"
#include "golden/stream_rules.h"
#include "json/json.h"
#include "support/event_text.h"
#include "support/grammar.h"

namespace llmproxy::fuzz {
namespace {

// What our writing adds to the shortest of events.
constexpr std::size_t kMostGrowth = 256;

struct Run {
  std::string out;
  bool failed = false;
};

/// Where to cut: `seed` says how, the same for the same one.
std::vector<std::size_t> cuts(std::size_t size, unsigned seed) {
  std::vector<std::size_t> out;
  // Byte by byte where that is cheap.
  constexpr std::size_t kBytewise = 512;
  unsigned step = seed % 7 == 0 && size <= kBytewise ? 0 : seed;
  for (std::size_t at = 0; at < size; at += 1 + step % 97) {
    out.push_back(at);
    step = step == 0 ? 0 : step * 1103515245U + 12345U;
  }
  out.push_back(size);
  return out;
}

/// A client that reads what it gets.
struct Reader final : EventSink {
  void on_event(const StreamEvent& event) override {
    grammar.on_event(event);
    sum.on_event(event);
  }
  testing::GrammarChecker grammar;
  Accumulator sum;
};

void read(const Dialect& dialect, const RequestContext& context,
          std::string_view bytes, Reader& reader) {
  const auto decoder = dialect.new_stream_decoder(context);
  decoder->feed(bytes, reader);
  decoder->finish(reader);
  expect(decoder->consumed() <= bytes.size(), "no more was read than given");
}

class StreamRun {
 public:
  StreamRun(const Pair& pair, const RequestContext& context,
            std::string_view bytes)
      : pair_(pair), context_(context), bytes_(bytes) {}

  Run whole() const {
    StreamTranslator translator(*pair_.from, *pair_.to, context_);
    Run run;
    translator.feed(bytes_, run.out);
    translator.finish(run.out);
    expect(translator.done(), "finish() ends it", run.out);
    expect_losses(translator.losses());
    run.failed = translator.error() != nullptr;
    if (run.failed) expect_error_text(*translator.error());
    const std::size_t size = run.out.size();
    translator.finish(run.out);
    translator.fail(upstream_malformed("late"), run.out);
    translator.keep_alive(run.out);
    expect(run.out.size() == size, "it ends once", run.out);
    return run;
  }

  std::string cut(unsigned seed, bool keep_alive) const {
    StreamTranslator translator(*pair_.from, *pair_.to, context_);
    std::string out;
    std::size_t from = 0;
    for (const std::size_t to : cuts(bytes_.size(), seed)) {
      translator.feed(bytes_.substr(from, to - from), out);
      if (keep_alive) translator.keep_alive(out);
      from = to;
    }
    translator.finish(out);
    return out;
  }

  /// Broken off after `size` bytes, by its end or by a failure.
  void broken_off(std::size_t size, bool fails) const {
    StreamTranslator translator(*pair_.from, *pair_.to, context_);
    std::string out;
    translator.feed(bytes_.substr(0, size), out);
    const bool ended = translator.done();
    if (fails) {
      translator.fail(upstream_malformed("reset"), out);
    } else {
      translator.finish(out);
    }
    expect(translator.done(), "a broken stream is over", out);
    if (ended || !translator.error()) return;
    Reader reader;
    read(*pair_.to, context_, out, reader);
    // Half of what passes through may be beyond reading.
    if (pair_.from != pair_.to) {
      expect(reader.sum.error().has_value(), "a client sees that it broke",
             out);
    }
  }

 private:
  const Pair pair_;
  const RequestContext& context_;
  const std::string_view bytes_;
};

/// The model's own arguments are broken behind their first brace. They go on
/// as they come, as in the vendors' own APIs: a client sees them early, and
/// what was sent cannot be taken back.
bool breaks_its_arguments(const Pair& pair, const RequestContext& context,
                          std::string_view bytes) {
  Reader reader;
  read(*pair.from, context, bytes, reader);
  const auto& content = reader.sum.response().content;
  return std::any_of(
      content.begin(), content.end(), [](const ContentPart& part) {
        const auto* call = part.as<ToolCallPart>();
        if (call == nullptr || json::is_json_object(call->arguments)) {
          return false;
        }
        const std::size_t first = call->arguments.find_first_not_of(" \t\r\n");
        return first != std::string::npos && call->arguments[first] == '{';
      });
}

void expect_readable(const Pair& pair, const RequestContext& context,
                     std::string_view bytes, const Run& whole,
                     const std::string& kept) {
  if (pair.from == pair.to) return;
  const std::string rule =
      testing::broken_stream_rule(*pair.to, context, whole.out, whole.failed);
  const bool excused = rule.starts_with("input is no JSON object") &&
                       breaks_its_arguments(pair, context, bytes);
  expect(rule.empty() || excused, "a stream keeps its clients' rules",
         rule + "\n" + whole.out);
  Reader a;
  Reader b;
  read(*pair.to, context, whole.out, a);
  read(*pair.to, context, kept, b);
  expect(a.grammar.mistake().empty() && a.grammar.ended(),
         "a stream has the grammar", a.grammar.mistake() + "\n" + whole.out);
  expect(a.sum.error().has_value() == whole.failed,
         "a client sees what became of it", whole.out);
  expect(a.sum.response() == b.sum.response() && a.sum.error() == b.sum.error(),
         "keep-alives mean nothing", kept);
}

void run(Input& input) {
  const Pair pair = choose_pair(input);
  const RequestContext context = choose_context(input);
  const unsigned seed = input.byte();
  const bool raw = input.byte() > 200;
  std::string bytes(input.rest());
  // Frames have checksums, which no change of bytes would get right.
  if (pair.from->framing == Framing::event_stream && !raw) {
    bytes = testing::frames_of_text(bytes);
  }
  const StreamRun stream(pair, context, bytes);
  const Run whole = stream.whole();
  expect_bounded(bytes.size(), whole.out.size(), kMostGrowth, "a stream");
  const std::string cut = stream.cut(seed, false);
  expect(cut == whole.out, "cuts mean nothing",
         cut + "\ninstead of\n" + whole.out);
  expect_readable(pair, context, bytes, whole, stream.cut(seed, true));
  const std::size_t size = input.byte() * (bytes.size() + 1) / 256;
  stream.broken_off(size, input.flag());
}

const Registered kRegistered({"stream", Form::events, 16384, run});

}  // namespace
}  // namespace llmproxy::fuzz
