// Any value, anywhere, in any of the dialects, for any of the others: there is
// an error that names it, or something the target can read. The bodies are in
// data/odd, the values in support/odd_values.h.
#include <catch2/catch.hpp>
#include <set>

#include "base/text.h"
#include "json/json.h"
#include "llmproxy/translate.h"
#include "llmproxy/validate.h"
#include "support/grammar.h"
#include "support/odd_values.h"
#include "support/test_data.h"
#include "wire/event_stream.h"
#include "wire/sse.h"

using namespace llmproxy;
using testing::for_each_odd;

namespace {

/// What is wrong with a case, and once only: a fault shows in many of them.
class Faults {
 public:
  void add(const std::string& what, const std::string& where) {
    if (seen_.insert(what).second && seen_.size() <= kShown) {
      FAIL_CHECK(what << "\n  at " << where);
    }
  }

 private:
  static constexpr std::size_t kShown = 40;
  std::set<std::string> seen_;
};

RequestHead head_of(const Dialect& dialect) {
  RequestHead head;
  if (dialect.model_in_path()) head.model = "m";
  return head;
}

std::string pair_name(const Dialect& from, const Dialect& to) {
  return std::string(from.name) + " -> " + std::string(to.name);
}

/// Lists that no target takes empty.
bool has_empty_list(const json::Value& value, std::string& path) {
  static const std::set<std::string_view> never_empty = {
      "messages", "contents", "content", "parts", "input"};
  for (const json::Value child : value.children()) {
    if (child.is_array() && child.size() == 0 &&
        never_empty.count(child.key()) > 0) {
      path = std::string(child.key());
      return true;
    }
    if (has_empty_list(child, path)) return true;
  }
  return false;
}

/// What is wrong with a body for `to`; empty = nothing.
std::string fault_of_request(const Dialect& to, const std::string& body) {
  const auto parsed = ParsedRequest::parse(to, body, head_of(to));
  if (!parsed) return "its own parser: " + parsed.error().message;
  const auto read = parsed->decode();
  if (!read) {
    return "its own decoder: " + read.error().message + " " + read.error().path;
  }
  json::Document document;
  const auto root = document.parse(body);
  std::string path;
  if (root && has_empty_list(*root, path)) return "an empty list: " + path;
  return {};
}

std::string fault_of_error(const Error& error) {
  if (error.kind != ErrorKind::invalid_request &&
      error.kind != ErrorKind::unsupported) {
    return "kind " + std::string(to_string(error.kind));
  }
  if (error.fault != Fault::client) return "fault: " + error.message;
  if (error.message.empty()) return "no message";
  if (error.path.empty()) return "no path: " + error.message;
  return {};
}

std::string body_of(const Dialect& dialect) {
  return testing::read_data("odd/" + std::string(dialect.name) +
                            ".request.json");
}

const std::vector<const Dialect*>& built_in() {
  static const std::vector<const Dialect*> all = [] {
    std::vector<const Dialect*> out;
    for (const char* name : {"openai-chat", "claude", "openai-responses",
                             "gemini", "bedrock", "bedrock-converse"}) {
      out.push_back(find_dialect(name));
    }
    return out;
  }();
  return all;
}

/// The targets of a case: some of them, the next ones each time, so that all
/// see every value without every case being seen by all.
class Turns {
 public:
  explicit Turns(std::size_t at_once) : at_once_(at_once) {}
  template <class Visit>
  void for_some(const Dialect& from, Visit visit) {
    for (std::size_t i = 0; i < at_once_;) {
      const Dialect& to = *built_in()[next_++ % built_in().size()];
      if (&to == &from) continue;
      visit(to);
      ++i;
    }
  }

 private:
  const std::size_t at_once_;
  std::size_t next_ = 0;
};

template <class Visit>
void for_all_pairs(Visit visit) {
  for (const Dialect* from : built_in()) {
    for (const Dialect* to : built_in()) visit(*from, *to);
  }
}

// --- answers

ChatResponse rich_answer() {
  ChatResponse response;
  response.id = "id_1";
  response.model = "m";
  response.created = 1700000000;
  response.content.push_back(
      {ThinkingPart{.text = "hm",
                    .signature = "c2ln",
                    .issuer = ReasoningIssuer::anthropic},
       {},
       {}});
  response.content.push_back({TextPart{"Hello there", {}}, {}, {}});
  response.content.push_back(
      {ToolCallPart{"c1", "look", R"({"x":1})", false}, {}, {}});
  response.stop_reason = StopReason::tool_use;
  response.usage.input_tokens = 10;
  response.usage.cached_input_tokens = 4;
  response.usage.output_tokens = 5;
  response.usage.reasoning_tokens = 2;
  return response;
}

std::string answer_of(const Dialect& dialect) {
  ChatResponse response = rich_answer();
  response.dialect = std::string(dialect.name);
  std::string out;
  Losses losses;
  dialect.encode_response(response, {}, out, losses);
  return out;
}

std::string fault_of_answer(const Dialect& to, const std::string& body) {
  json::Document document;
  const auto root = document.parse(body);
  if (!root) return "no JSON: " + root.error().message;
  Losses losses;
  const auto read = to.decode_response(*root, losses);
  return read ? std::string() : "its own decoder: " + read.error().message;
}

// --- streams

struct Event {
  std::string name, data;
};

std::string stream_of(const Dialect& dialect) {
  struct Sink final : EventSink {
    StreamEncoder* encoder = nullptr;
    std::string out;
    void on_event(const StreamEvent& event) override {
      encoder->on_event(event, out);
    }
  } sink;
  RequestContext context;
  context.stream = context.include_usage = true;
  const auto encoder = dialect.new_stream_encoder(context);
  sink.encoder = encoder.get();
  replay(rich_answer(), sink);
  return sink.out;
}

std::vector<Event> events_of(const Dialect& dialect, std::string_view bytes) {
  wire::SseDecoder sse;
  wire::EventStreamDecoder frames;
  wire::Framer& framer = dialect.framing == Framing::sse
                             ? static_cast<wire::Framer&>(sse)
                             : static_cast<wire::Framer&>(frames);
  framer.feed(bytes);
  std::vector<Event> out;
  wire::Frame frame;
  while (framer.next(frame)) {
    out.push_back({std::string(frame.name), std::string(frame.data)});
  }
  return out;
}

/// The JSON that a chunk of InvokeModel has inside.
std::string inside(const Event& event) {
  json::Document document;
  const auto root = document.parse(event.data);
  if (event.name != "chunk" || !root) return event.data;
  return decode_base64((*root)["bytes"].string()).value_or("");
}
std::string around(const Event& event, const std::string& data) {
  if (event.name != "chunk") return data;
  return R"({"bytes":")" + encode_base64(data) + R"("})";
}

std::string joined(const Dialect& dialect, const std::vector<Event>& events) {
  std::string out;
  for (const Event& event : events) {
    if (dialect.framing == Framing::sse) {
      wire::append_event(out, event.name, event.data);
    } else {
      wire::append_event_frame(out, event.name, event.data);
    }
  }
  return out;
}

/// What is wrong with what a client gets; empty = nothing. `failed` = it was
/// told of an error.
std::string fault_of_stream(const Dialect& to, std::string_view out,
                            bool& failed) {
  testing::GrammarChecker checker;
  const auto decoder = to.new_stream_decoder({});
  decoder->feed(out, checker);
  decoder->finish(checker);
  failed = checker.failed();
  for (const Event& event : events_of(to, out)) {
    if (event.data != "[DONE]" && !json::is_json(event.data)) {
      return "an event that is no JSON: " + event.data.substr(0, 200);
    }
  }
  if (!checker.mistake().empty()) return checker.mistake();
  return checker.ended() ? std::string() : "it never ends";
}

}  // namespace

TEST_CASE("odd values in requests are refused by name, or can be read",
          "[odd]") {
  Faults faults;
  Turns turns(2);
  for (const Dialect* from : built_in()) {
    for_each_odd(body_of(*from), [&](const std::string& body,
                                     const std::string& name) {
      turns.for_some(*from, [&](const Dialect& to) {
        const std::string where = pair_name(*from, to) + ": " + name;
        const auto out = translate_request(*from, to, body, {}, head_of(*from));
        const std::string fault =
            out ? fault_of_request(to, out->body) : fault_of_error(out.error());
        if (!fault.empty()) {
          faults.add(std::string(to.name) + ": " + fault, where);
        }
      });
      const auto own =
          translate_request(*from, *from, body, {}, head_of(*from));
      if (own && !json::is_json(own->body)) faults.add("no JSON", name);
    });
  }
}

TEST_CASE("odd values survive the way through a dialect's own encoder",
          "[odd]") {
  Faults faults;
  for (const Dialect* dialect : built_in()) {
    for_each_odd(body_of(*dialect), [&](const std::string& body,
                                        const std::string& name) {
      const auto parsed =
          ParsedRequest::parse(*dialect, body, head_of(*dialect));
      if (!parsed) return;
      const auto request = parsed->decode();
      if (!request || !validate(*request)) return;
      RequestContext context;
      EncodeOptions options;
      options.traits = traits_for(*dialect, "m");
      std::string out;
      Losses losses;
      if (!dialect->encode_request(*request, options, context, out, losses)) {
        return;
      }
      if (!json::is_json(out)) {
        faults.add(dialect->name.data() + std::string(": no JSON"), name);
      }
    });
  }
}

TEST_CASE("odd values in answers are the upstream's fault, or can be read",
          "[odd]") {
  Faults faults;
  for_all_pairs([&](const Dialect& from, const Dialect& to) {
    for_each_odd(answer_of(from), [&](const std::string& body,
                                      const std::string& name) {
      const std::string where = pair_name(from, to) + ": " + name;
      const auto out = translate_response(from, to, body);
      if (!out) {
        if (out.error().fault != Fault::upstream) {
          faults.add(from.name.data() + (": " + out.error().message), where);
        }
        return;
      }
      if (&from == &to) return;  // as it came
      const std::string fault = fault_of_answer(to, out->body);
      if (!fault.empty()) faults.add(to.name.data() + (": " + fault), where);
    });
  });
}

namespace {

/// What a client of `to` gets of the stream, and whether it is in order.
std::string fault_of(const Dialect& from, const Dialect& to,
                     std::string_view stream) {
  StreamTranslator translator(from, to);
  std::string out;
  translator.feed(stream, out);
  translator.finish(out);
  bool failed = false;
  std::string fault = fault_of_stream(to, out, failed);
  if (!fault.empty()) return fault;
  if (!translator.done()) return "not done";
  const bool told = failed == (translator.error() != nullptr);
  return told ? std::string() : "the client is told of another end";
}

}  // namespace

TEST_CASE("odd values in streams end in one way", "[odd]") {
  Faults faults;
  Turns turns(1);
  for (const Dialect* from : built_in()) {
    const std::vector<Event> events = events_of(*from, stream_of(*from));
    for (std::size_t i = 0; i < events.size(); ++i) {
      for_each_odd(inside(events[i]), [&](const std::string& odd,
                                          const std::string& name) {
        std::vector<Event> changed = events;
        changed[i].data = around(events[i], odd);
        turns.for_some(*from, [&](const Dialect& to) {
          const std::string fault = fault_of(*from, to, joined(*from, changed));
          if (fault.empty()) return;
          faults.add(std::string(to.name) + ": " + fault,
                     pair_name(*from, to) + ": event " + std::to_string(i) +
                         " " + name);
        });
      });
    }
  }
}

TEST_CASE("streams whose events are missing or come twice end in one way",
          "[odd]") {
  Faults faults;
  for_all_pairs([&](const Dialect& from, const Dialect& to) {
    if (&from == &to) return;
    const std::vector<Event> events = events_of(from, stream_of(from));
    for (std::size_t i = 0; i < events.size(); ++i) {
      for (const bool twice : {false, true}) {
        std::vector<Event> changed = events;
        const auto at = changed.begin() + static_cast<std::ptrdiff_t>(i);
        if (twice) {
          changed.insert(at, events[i]);
        } else {
          changed.erase(at);
        }
        const std::string fault = fault_of(from, to, joined(from, changed));
        if (fault.empty()) continue;
        faults.add(std::string(to.name) + ": " + fault,
                   pair_name(from, to) + ": event " + std::to_string(i) +
                       (twice ? " twice" : " missing"));
      }
    }
  });
}

TEST_CASE("a stream that is cut anywhere before its end is no answer",
          "[odd]") {
  Faults faults;
  Turns turns(1);
  for (const Dialect* from : built_in()) {
    const std::string whole = stream_of(*from);
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      turns.for_some(*from, [&](const Dialect& to) {
        const std::string fault =
            fault_of(*from, to, std::string_view(whole).substr(0, cut));
        if (fault.empty()) return;
        faults.add(std::string(to.name) + ": " + fault,
                   pair_name(*from, to) + " cut at " + std::to_string(cut));
      });
    }
  }
}
