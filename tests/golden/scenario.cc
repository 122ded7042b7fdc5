// A golden case made ready to run. See scenario.h.
#include "golden/scenario.h"

#include <charconv>
#include <utility>

#include "json/json.h"
#include "support/event_text.h"
#include "translate/answer_filter.h"
#include "translate/answer_words.h"

namespace llmproxy::testing {
namespace {

Error mistake(const GoldenCase& golden, std::size_t line,
              const std::string& what) {
  return invalid_request(golden.path + ":" + std::to_string(line) + ": " +
                         what);
}

Result<std::int64_t> to_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto end =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc{} || end.ptr != text.data() + text.size()) {
    return invalid_request("'" + std::string(text) + "' is not a number");
  }
  return value;
}

// Traits that a case may set, for targets of which there is no model name to
// tell them by.
struct TraitRow {
  std::string_view name;
  bool TargetTraits::*member;
};
constexpr TraitRow kTraits[] = {
    {"sampling", &TargetTraits::sampling},
    {"sampling_pair", &TargetTraits::sampling_pair},
    {"prefill", &TargetTraits::prefill},
    {"system_in_messages", &TargetTraits::system_in_messages},
    {"structured_output", &TargetTraits::structured_output},
    {"max_completion_tokens", &TargetTraits::max_completion_tokens},
    {"stream_usage", &TargetTraits::stream_usage},
    {"reasoning_content", &TargetTraits::reasoning_content},
    {"cache_markers", &TargetTraits::cache_markers},
    {"tool_result_images", &TargetTraits::tool_result_images},
    {"image_urls", &TargetTraits::image_urls},
    {"penalties", &TargetTraits::penalties},
    {"stop_sequences", &TargetTraits::stop_sequences},
    {"user_field", &TargetTraits::user_field},
    {"seed", &TargetTraits::seed},
    {"random_seed", &TargetTraits::random_seed},
    {"message_names", &TargetTraits::message_names},
    {"strict_tools", &TargetTraits::strict_tools},
    {"custom_tools", &TargetTraits::custom_tools},
    {"nine_char_call_ids", &TargetTraits::nine_char_call_ids},
    {"tools_with_format", &TargetTraits::tools_with_format},
    {"anthropic_fields", &TargetTraits::anthropic_fields},
};

struct FlagRow {
  std::string_view name;
  bool TranslateOptions::*member;
};
constexpr FlagRow kFlags[] = {
    {"strict", &TranslateOptions::strict},
    {"clamp_sampling", &TranslateOptions::clamp_sampling},
    {"drop_hosted_tools", &TranslateOptions::drop_hosted_tools},
    {"drop_prefill", &TranslateOptions::drop_prefill},
};

Result<void> set_trait(Scenario& scenario, std::string_view name, bool value) {
  for (const TraitRow& row : kTraits) {
    if (row.name != name) continue;
    scenario.traits.push_back({row.member, value});
    return {};
  }
  return invalid_request("no trait '" + std::string(name) + "'");
}

Result<void> set_option(Scenario& scenario, std::string_view line) {
  for (const FlagRow& row : kFlags) {
    if (row.name != line) continue;
    scenario.options.*row.member = true;
    return {};
  }
  const std::size_t equals = line.find('=');
  const std::string_view name = line.substr(0, equals);
  const std::string_view value =
      equals == std::string_view::npos ? "" : line.substr(equals + 1);
  if (name == "model") {
    scenario.options.model = value;
    return {};
  }
  if (name == "answer_id") {
    scenario.options.answer_id = value;
    return {};
  }
  if (name == "path") {
    scenario.path = value;
    return {};
  }
  if (name == "status") {
    LLMPROXY_ASSIGN(const std::int64_t status, to_integer(value));
    scenario.status = static_cast<int>(status);
    return {};
  }
  if (name.starts_with("trait ")) {
    return set_trait(scenario, name.substr(6), value == "true");
  }
  const std::size_t colon = line.find(": ");
  if (line.starts_with("header ") && colon != std::string_view::npos) {
    scenario.headers.push_back({std::string(line.substr(7, colon - 7)),
                                std::string(line.substr(colon + 2))});
    return {};
  }
  return invalid_request("no option '" + std::string(line) + "'");
}

Result<void> set_options(Scenario& scenario) {
  const Section* section = scenario.golden.find(SectionKind::options, "");
  for (const std::string& line : scenario.golden.options()) {
    if (Result<void> set = set_option(scenario, line); !set) {
      return mistake(scenario.golden, section->line, set.error().message);
    }
  }
  return {};
}

constexpr std::string_view kByHand = "made-by-hand";

struct NounRow {
  std::string_view word;
  Noun noun;
};
// The first of these that is given is what the case is about.
constexpr NounRow kNouns[] = {{"stream", Noun::stream},
                              {"response", Noun::response},
                              {"error", Noun::error},
                              {"request", Noun::request},
                              {kByHand, Noun::request}};

Result<void> set_input(Scenario& scenario) {
  for (const NounRow& row : kNouns) {
    const Section* given = scenario.golden.find(SectionKind::given, row.word);
    if (!given) continue;
    scenario.noun = row.noun;
    scenario.by_hand = row.word == kByHand;
    scenario.from = find_dialect(given->dialect);
    scenario.input = given->body;
    const bool frames = scenario.from &&
                        scenario.from->framing == Framing::event_stream &&
                        row.noun == Noun::stream && given->file.empty();
    if (frames) scenario.input = frames_of_text(given->body);
    if (!scenario.from) {
      return mistake(scenario.golden, given->line,
                     "no dialect '" + given->dialect + "'");
    }
    break;
  }
  if (!scenario.from) return mistake(scenario.golden, 1, "nothing is given");
  if (scenario.noun != Noun::stream) return {};
  if (const Section* same =
          scenario.golden.find(SectionKind::given, "response")) {
    scenario.response = same->body;
  }
  return {};
}

// Answers depend on the client's request; without one, a client that wants
// everything is assumed.
Result<void> set_context(Scenario& scenario) {
  const Section* given = scenario.golden.find(SectionKind::given, "request");
  if (!given || scenario.noun == Noun::request) {
    scenario.context.stream = scenario.noun == Noun::stream;
    scenario.context.include_usage = true;
    scenario.context.created = kNow;
    return {};
  }
  const Dialect* client = find_dialect(given->dialect);
  if (!client) {
    return mistake(scenario.golden, given->line,
                   "no dialect '" + given->dialect + "'");
  }
  Result<ParsedRequest> parsed = ParsedRequest::parse(
      *client, given->body, head_for(*client, scenario.path));
  if (!parsed) {
    return mistake(scenario.golden, given->line, parsed.error().message);
  }
  Result<RequestContext> context = request_context(
      *parsed, *scenario.from, options_for(scenario, *scenario.from));
  if (!context) {
    return mistake(scenario.golden, given->line, context.error().message);
  }
  scenario.context = std::move(*context);
  return {};
}

}  // namespace

Result<Scenario> make_scenario(GoldenCase golden) {
  Scenario scenario;
  scenario.golden = std::move(golden);
  scenario.options.created = kNow;
  LLMPROXY_TRY(set_options(scenario));
  LLMPROXY_TRY(set_input(scenario));
  LLMPROXY_TRY(set_context(scenario));
  return scenario;
}

TranslateOptions options_for(const Scenario& scenario, const Dialect& to) {
  TranslateOptions options = scenario.options;
  if (scenario.traits.empty()) return options;
  std::string model = options.model;
  if (model.empty()) {
    const Result<ParsedRequest> parsed =
        ParsedRequest::parse(*scenario.from, scenario.input,
                             head_for(*scenario.from, scenario.path));
    if (parsed) model = parsed->model();
  }
  options.traits = traits_for(to, model);
  for (const Scenario::Trait& trait : scenario.traits) {
    (*options.traits).*trait.member = trait.value;
  }
  return options;
}

RequestHead head_for(const Dialect& dialect, std::string_view path) {
  RequestHead head;
  if (!dialect.model_in_path()) return head;
  const std::size_t query = path.find('?');
  head.path = path.substr(0, query);
  if (query != std::string_view::npos) head.query = path.substr(query + 1);
  if (path.empty()) head.model = "model";
  return head;
}

Result<ChatRequest> decode_request(const Dialect& from, std::string_view body,
                                   std::string_view path) {
  LLMPROXY_ASSIGN(
      const ParsedRequest parsed,
      ParsedRequest::parse(from, std::string(body), head_for(from, path)));
  return parsed.decode();
}

StreamRun run_stream(const Scenario& scenario, const Dialect& to,
                     std::string_view bytes, std::size_t cut) {
  StreamTranslator translator(*scenario.from, to, scenario.context);
  StreamRun run;
  if (cut > 0) translator.feed(bytes.substr(0, cut), run.bytes);
  translator.feed(bytes.substr(cut), run.bytes);
  translator.finish(run.bytes);
  run.losses = translator.losses();
  run.done = translator.done();
  run.failed_before_start = translator.failed_before_start();
  if (const Error* error = translator.error()) {
    run.failed = true;
    run.error = *error;
  }
  return run;
}

void decode_stream(const Dialect& from, const RequestContext& context,
                   std::string_view bytes, EventSink& sink) {
  const std::unique_ptr<StreamDecoder> decoder =
      from.new_stream_decoder(context);
  decoder->feed(bytes, sink);
  decoder->finish(sink);
}

ChatResponse for_client(const Scenario& scenario, const Dialect& to,
                        ChatResponse response) {
  const RequestContext& context = scenario.context;
  if (&to == scenario.from) return response;
  Losses unused;
  response = filter_answer(std::move(response), context, unused);
  response.service_tier = tier_for(to, response.service_tier, unused);
  // What follows only the clients of Chat Completions can ask for.
  if (to.name != "openai-chat") return response;
  if (context.stream && !context.include_usage) response.usage = {};
  if (!context.legacy_functions) return response;
  for (ContentPart& part : response.content) {
    if (auto* call = part.as<ToolCallPart>()) call->id = "call_function_0";
  }
  return response;
}

std::string encode_replay(const ChatResponse& response, const Dialect& to,
                          const RequestContext& context) {
  struct Sink final : EventSink {
    void on_event(const StreamEvent& event) override {
      encoder->on_event(event, out);
    }
    std::unique_ptr<StreamEncoder> encoder;
    std::string out;
  } sink;
  sink.encoder = to.new_stream_encoder(context);
  replay(response, sink);
  return std::move(sink.out);
}

}  // namespace llmproxy::testing
