// What the library really says for a section of a case. See expectations.h.
#include "golden/expectations.h"

#include <utility>

#include "golden/fitted.h"
#include "support/dump.h"
#include "support/event_text.h"
#include "support/json_text.h"

namespace llmproxy::testing {
namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string error_body(const TranslatedError& error) {
  return "status " + std::to_string(error.status) + "\n" +
         layout_json(error.body);
}

Error no_such(const Section& section, std::string_view why) {
  return invalid_request("`" + section.title() + "`: " + std::string(why));
}

// One outcome towards one dialect: a body or an error, and the losses.
struct Outcome {
  std::string body;
  Losses losses = {};
  std::optional<Error> error = {};
  /// Where the request goes, for dialects that name the model there.
  std::string path = {};
};

Outcome translate(const Scenario& scenario, const Dialect& to) {
  Outcome out;
  if (scenario.noun == Noun::request) {
    Result<TranslatedRequest> sent = sent_request(scenario, to);
    if (!sent) return {{}, {}, sent.error()};
    out.body = std::move(sent->body);
    out.losses = std::move(sent->losses);
    if (to.model_in_path()) out.path = sent->target();
    return out;
  }
  if (scenario.noun == Noun::response) {
    Result<TranslatedResponse> sent = translate_response(
        *scenario.from, to, scenario.input, scenario.context);
    if (!sent) return {{}, {}, sent.error()};
    return {std::move(sent->body), std::move(sent->losses), {}};
  }
  StreamRun run = run_stream(scenario, to, scenario.input);
  out.body = std::move(run.bytes);
  out.losses = std::move(run.losses);
  if (run.failed_before_start) out.error = std::move(run.error);
  return out;
}

std::string canonical_request(const Scenario& scenario) {
  const Result<ChatRequest> request =
      decode_request(*scenario.from, scenario.input, scenario.path);
  return request ? dump(*request) : dump(request.error());
}

std::string canonical_response(const Scenario& scenario) {
  Losses losses;
  const Result<ChatResponse> response =
      decode_response(*scenario.from, scenario.input, losses);
  return response ? dump(*response) : dump(response.error());
}

std::string canonical(const Scenario& scenario) {
  switch (scenario.noun) {
    case Noun::request:
      return canonical_request(scenario);
    case Noun::response:
      return canonical_response(scenario);
    case Noun::stream: {
      DumpSink sink;
      decode_stream(*scenario.from, scenario.context, scenario.input, sink);
      return sink.text();
    }
    case Noun::error:
      return dump(scenario.from->decode_error(scenario.status, scenario.headers,
                                              scenario.input));
  }
  return {};
}

// Binary streams as text.
std::string readable(const std::string& bytes, const Dialect& to) {
  return to.framing == Framing::event_stream ? text_of_frames(bytes) : bytes;
}

// A finished stream as the one answer it adds up to, or an answer as the
// stream it would be.
Result<std::string> other_form(const Scenario& scenario, const Section& section,
                               const Dialect& to) {
  Losses losses;
  if (scenario.noun == Noun::stream) {
    Accumulator sum;
    decode_stream(*scenario.from, scenario.context, scenario.input, sum);
    if (sum.error()) return no_such(section, "the stream fails");
    std::string out;
    to.encode_response(sum.response(), scenario.context, out, losses);
    return layout_json(out);
  }
  LLMPROXY_ASSIGN(const ChatResponse response,
                  decode_response(*scenario.from, scenario.input, losses));
  return readable(encode_replay(response, to, scenario.context), to);
}

Result<std::string> error_section(const Scenario& scenario,
                                  const Section& section, const Dialect& to) {
  if (scenario.noun == Noun::error) {
    return error_body(translate_error(*scenario.from, to, scenario.status,
                                      scenario.headers, scenario.input));
  }
  if (scenario.noun == Noun::request) {
    const auto request =
        decode_request(*scenario.from, scenario.input, scenario.path);
    if (request) return no_such(section, "the request can be read");
    return error_body(write_error(to, request.error()));
  }
  const Outcome outcome = translate(scenario, to);
  if (!outcome.error) return no_such(section, "there is no error");
  return error_body(write_error(to, *outcome.error));
}

// Fails for an upstream that is not even asked: the kind, place and message.
Result<std::string> refusal_section(const Scenario& scenario,
                                    const Section& section, const Dialect& to) {
  const Outcome outcome = translate(scenario, to);
  if (!outcome.error) return no_such(section, "nothing is refused");
  return dump(*outcome.error);
}

Result<std::string> context_section(const Scenario& scenario,
                                    const Dialect& to) {
  LLMPROXY_ASSIGN(const TranslatedRequest sent, sent_request(scenario, to));
  return dump(sent.context);
}

Result<std::string> body_section(const Scenario& scenario,
                                 const Section& section, const Dialect& to) {
  const Outcome outcome = translate(scenario, to);
  if (outcome.error && scenario.noun != Noun::stream) {
    return no_such(section, "refused instead: " + dump(*outcome.error));
  }
  if (scenario.noun == Noun::stream) return readable(outcome.body, to);
  const std::string line =
      outcome.path.empty() ? "" : "POST " + outcome.path + "\n";
  return line + layout_json(outcome.body);
}

std::string_view word_of(Noun noun) {
  switch (noun) {
    case Noun::request:
      return "request";
    case Noun::response:
      return "response";
    case Noun::stream:
      return "stream";
    case Noun::error:
      return "error";
  }
  return "";
}

Section expect(std::string_view what, std::string_view dialect = {}) {
  Section section;
  section.kind = SectionKind::expect;
  section.what = what;
  section.dialect = dialect;
  return section;
}

// What there is to say towards one other dialect.
void append_natural(const Scenario& scenario, const Dialect& to,
                    std::vector<Section>& sections) {
  const Outcome outcome = translate(scenario, to);
  if (outcome.error) {
    const bool request = scenario.noun == Noun::request;
    sections.push_back(expect(request ? "refusal" : "error", to.name));
    return;
  }
  sections.push_back(expect(word_of(scenario.noun), to.name));
  if (!outcome.losses.empty()) sections.push_back(expect("loss", to.name));
}

// "claude/claude-opus-4-6": another model than the case's is asked.
Result<std::string> body_of_model(const Scenario& scenario,
                                  const Section& section, std::size_t slash) {
  Scenario asked = scenario;
  asked.options.model = section.dialect.substr(slash + 1);
  Section plain = section;
  plain.dialect.resize(slash);
  return actual_body(asked, plain);
}

}  // namespace

Result<std::string> actual_body(const Scenario& scenario,
                                const Section& section) {
  if (const std::size_t slash = section.dialect.find('/');
      slash != std::string::npos) {
    return body_of_model(scenario, section, slash);
  }
  if (section.what == "canonical") return trimmed(canonical(scenario));
  const Dialect* to = find_dialect(section.dialect);
  if (!to) return no_such(section, "no such dialect");
  Result<std::string> body = no_such(section, "not for this kind of case");
  const bool answer =
      scenario.noun == Noun::stream || scenario.noun == Noun::response;
  if (section.what == word_of(scenario.noun) && scenario.noun != Noun::error) {
    body = body_section(scenario, section, *to);
  } else if (section.what == "error") {
    body = error_section(scenario, section, *to);
  } else if (section.what == "loss") {
    body = dump(translate(scenario, *to).losses);
  } else if (section.what == "refusal" && scenario.noun == Noun::request) {
    body = refusal_section(scenario, section, *to);
  } else if (section.what == "fitted" && scenario.noun == Noun::request) {
    body = dump(fitted(scenario, *to));
  } else if (section.what == "context" && scenario.noun == Noun::request) {
    body = context_section(scenario, *to);
  } else if (answer &&
             (section.what == "response" || section.what == "stream")) {
    body = other_form(scenario, section, *to);
  }
  if (!body) return body.error();
  return trimmed(std::move(*body));
}

std::vector<Section> natural_sections(const Scenario& scenario) {
  std::vector<Section> sections{expect("canonical")};
  if (scenario.noun == Noun::request &&
      !decode_request(*scenario.from, scenario.input, scenario.path)) {
    sections.push_back(expect("error", scenario.from->name));
    return sections;
  }
  for (const Dialect* to : dialects()) {
    if (scenario.by_hand) {
      sections.push_back(expect("fitted", to->name));
      continue;
    }
    if (scenario.noun == Noun::error) {
      sections.push_back(expect("error", to->name));
      continue;
    }
    // To the same dialect bytes pass through: nothing to be seen.
    if (to != scenario.from) append_natural(scenario, *to, sections);
  }
  return sections;
}

std::vector<Section> missing_losses(const Scenario& scenario) {
  std::vector<Section> missing;
  for (const Section& section : scenario.golden.sections) {
    if (section.kind != SectionKind::expect ||
        section.what != word_of(scenario.noun) ||
        scenario.noun == Noun::error ||
        scenario.golden.find(SectionKind::expect, "loss", section.dialect)) {
      continue;
    }
    Section loss = expect("loss", section.dialect);
    const Result<std::string> losses = actual_body(scenario, loss);
    if (losses && !losses->empty()) missing.push_back(std::move(loss));
  }
  return missing;
}

}  // namespace llmproxy::testing
