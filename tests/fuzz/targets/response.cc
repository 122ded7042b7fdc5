// Answers of every dialect towards every other, whole and replayed as a
// stream; and what upstreams say of their failures.
#include "fuzz/kit/properties.h"
#include "support/grammar.h"

namespace llmproxy::fuzz {
namespace {

constexpr std::size_t kMostGrowth = 24;
// A stream says around each word what an answer says once.
constexpr std::size_t kMostStreamGrowth = 256;

/// What a client makes of a stream of ours.
struct Reader final : EventSink {
  void on_event(const StreamEvent& event) override {
    grammar.on_event(event);
    sum.on_event(event);
  }
  testing::GrammarChecker grammar;
  Accumulator sum;
};

void replayed(const ChatResponse& response, const Dialect& to,
              const RequestContext& context, bool words) {
  struct Writer final : EventSink {
    void on_event(const StreamEvent& event) override {
      grammar.on_event(event);
      encoder->on_event(event, out);
    }
    testing::GrammarChecker grammar;
    std::unique_ptr<StreamEncoder> encoder;
    std::string out;
  } writer;
  writer.encoder = to.new_stream_encoder(context);
  replay(response, writer, words);
  expect(writer.grammar.mistake().empty(), "a replay has the grammar",
         writer.grammar.mistake());
  Reader reader;
  const auto decoder = to.new_stream_decoder(context);
  decoder->feed(writer.out, reader);
  decoder->finish(reader);
  expect(reader.grammar.ended() && !reader.sum.error(),
         "a replayed stream ends well", writer.out);
  expect(is_utf8(writer.out) || to.framing != Framing::sse,
         "a replayed stream is UTF-8", writer.out);
}

void run(Input& input) {
  const Pair pair = choose_pair(input);
  const bool words = input.flag();
  const RequestContext context = choose_context(input);
  const std::string_view body = input.rest();
  const auto sent = translate_response(*pair.from, *pair.to, body, context);
  if (!sent) {
    const Error& error = sent.error();
    expect(error.fault == Fault::upstream, "it is the upstream's fault",
           error.message);
    return expect_error_text(error);
  }
  expect_losses(sent->losses);
  expect_object(sent->body, "the answer");
  expect_bounded(body.size(), sent->body.size(), kMostGrowth, "the answer");
  if (pair.from == pair.to) return;
  Losses losses;
  const auto read = decode_response(*pair.to, sent->body, losses);
  // What the other dialect put around it may be a level too many for an answer,
  // though not for a request that sends it back.
  if (!read && read.error().message.find("nested") != std::string::npos) return;
  expect(static_cast<bool>(read), "our own answer is read",
         read ? "" : read.error().message + "\n" + sent->body);
  replayed(*read, *pair.to, context, words);
  expect_bounded(body.size(), sent->body.size(), kMostStreamGrowth,
                 "the stream");
}

const Registered kRegistered({"response", Form::json, 16384, run});

}  // namespace
}  // namespace llmproxy::fuzz
