// Properties of every response case and of every error case. See
// properties.h.
#include "golden/equivalence.h"
#include "golden/properties.h"
#include "golden/stream_rules.h"
#include "json/json.h"
#include "support/dump.h"
#include "support/grammar.h"
#include "support/json_text.h"

namespace llmproxy::testing {
namespace {

constexpr std::size_t kMostCuts = 1024;
constexpr std::string_view kUnknown =
    R"("x_golden_unknown":{"n":12345678901234567890,"f":1.0})";

class ResponseChecks {
 public:
  ResponseChecks(const Scenario& scenario, Report& report)
      : scenario_(scenario),
        report_(report),
        canonical_(
            decode_response(*scenario.from, scenario.input, decode_losses_)) {}

  void run() {
    prefixes();
    if (!canonical_) {
      refused();
      return;
    }
    for (const Dialect* to : dialects()) {
      translated(*to);
      streamed(*to);
    }
    usage_alone();
    unknown_field();
  }

 private:
  void prefixes() {
    std::string_view body = scenario_.input;
    while (!body.empty() && body.back() != '}') body.remove_suffix(1);
    std::string wrong;
    for (const std::size_t cut : positions(body.size(), kMostCuts)) {
      for (const Dialect* to : dialects()) {
        if (to == scenario_.from) continue;
        const auto half =
            translate_response(*scenario_.from, *to, body.substr(0, cut));
        if (!half && half.error().kind == ErrorKind::upstream_malformed &&
            half.error().fault == Fault::upstream) {
          continue;
        }
        wrong = "cut at byte " + std::to_string(cut) + ": " +
                (half ? "taken" : dump(half.error()));
      }
      if (!wrong.empty()) break;
    }
    report_.property(wrong.empty(), "truncation", wrong);
  }

  void refused() {
    report_.property(canonical_.error().fault == Fault::upstream,
                     "the upstream's fault", dump(canonical_.error()));
  }

  // Of an answer that is passed on only the usage is read: the same one.
  void usage_alone() {
    json::Document document;
    const auto root = document.parse(scenario_.input);
    const Usage alone = scenario_.from->read_usage(*root);
    report_.property(alone == canonical_->usage, "usage alone",
                     std::string(scenario_.from->name));
  }

  // Decoding our own output gives what went in, but for declared losses.
  void translated(const Dialect& to) {
    const ChatResponse meant = for_client(scenario_, to, *canonical_);
    Losses losses = decode_losses_;
    std::string body, twice;
    to.encode_response(meant, scenario_.context, body, losses);
    Losses unused;
    to.encode_response(meant, scenario_.context, twice, unused);
    report_.property(body == twice, "determinism", std::string(to.name));
    Losses none;
    const auto there = decode_response(to, body, none);
    if (!there) {
      report_.property(false, "own output", dump(there.error()));
      return;
    }
    const std::string difference =
        unexplained_difference(meant, *there, losses);
    report_.property(difference.empty(), "round trip",
                     "by " + std::string(to.name) + ": " + difference);
  }

  // The answer replayed as a stream keeps the rules and says the same.
  void streamed(const Dialect& to) {
    struct Both final : EventSink {
      void on_event(const StreamEvent& event) override {
        grammar.on_event(event);
        sum.on_event(event);
      }
      GrammarChecker grammar;
      Accumulator sum;
    } both;
    const ChatResponse meant = for_client(scenario_, to, *canonical_);
    replay(meant, both);
    report_.property(both.grammar.mistake().empty(), "grammar",
                     both.grammar.mistake());
    const std::string bytes = encode_replay(meant, to, scenario_.context);
    const std::string rule =
        broken_stream_rule(to, scenario_.context, bytes, false);
    report_.property(rule.empty(), "client rules",
                     std::string(to.name) + ": " + rule);
    Accumulator received;
    decode_stream(to, scenario_.context, bytes, received);
    Losses losses;
    std::string body;
    to.encode_response(meant, scenario_.context, body, losses);
    Result<ChatResponse> unstreamed = decode_response(to, body, losses);
    if (!unstreamed) {
      report_.property(false, "own output", dump(unstreamed.error()));
      return;
    }
    ChatResponse sum = received.response();
    if (!scenario_.context.include_usage) sum.usage = unstreamed->usage = {};
    for (ChatResponse* response : {&sum, &*unstreamed}) {
      for (ContentPart& part : response->content) {
        if (auto* text = part.as<TextPart>()) text->citations.clear();
      }
    }
    const std::string difference = unexplained_difference(*unstreamed, sum, {});
    report_.property(difference.empty(), "parity with the stream",
                     std::string(to.name) + ": " + difference);
  }

  void unknown_field() {
    json::Document document;
    const auto root = document.parse(scenario_.input);
    if (!root) return;
    const std::string body = with_member(root->raw(), kUnknown);
    Losses losses;
    const auto response = decode_response(*scenario_.from, body, losses);
    std::string out;
    if (response) {
      scenario_.from->encode_response(*response, scenario_.context, out,
                                      losses);
    }
    report_.property(compact_json(out).find(kUnknown) != std::string::npos,
                     "unknown field arrives", out);
  }

  const Scenario& scenario_;
  Report& report_;
  Losses decode_losses_;
  const Result<ChatResponse> canonical_;
};

// Filters have no word of their own in every dialect.
bool same_kind(ErrorKind a, ErrorKind b) {
  const auto plain = [](ErrorKind kind) {
    return kind == ErrorKind::content_filtered ? ErrorKind::invalid_request
                                               : kind;
  };
  return plain(a) == plain(b);
}

}  // namespace

void check_response(const Scenario& scenario, Report& report) {
  ResponseChecks(scenario, report).run();
}

void check_error(const Scenario& scenario, Report& report) {
  const Error error = scenario.from->decode_error(
      scenario.status, scenario.headers, scenario.input);
  report.property(!error.message.empty(), "an error has a message",
                  dump(error));
  for (const Dialect* to : dialects()) {
    const TranslatedError sent = translate_error(
        *scenario.from, *to, scenario.status, scenario.headers, scenario.input);
    report.property(sent.status >= 400 && sent.status <= 599,
                    "an error's status", std::to_string(sent.status));
    report.property(json::is_json_object(sent.body), "an error's body",
                    sent.body);
    // Read again, it is the same kind of error, with the same words.
    const Error again = to->decode_error(sent.status, {}, sent.body);
    report.property(
        same_kind(again.kind, error.kind), "kind crosses",
        std::string(to->name) + ": " + dump(error) + "became " + dump(again));
  }
}

}  // namespace llmproxy::testing
