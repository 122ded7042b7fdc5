// Properties of every request case. See properties.h.
#include <algorithm>

#include "chat/fit.h"
#include "golden/equivalence.h"
#include "golden/facts.h"
#include "golden/properties.h"
#include "golden/request_rules.h"
#include "json/json.h"
#include "support/dump.h"
#include "support/json_text.h"

namespace llmproxy::testing {
namespace {

constexpr std::string_view kUnknownName = "x_golden_unknown";
// Numbers and escapes that a parser in between would respell.
constexpr std::string_view kUnknownValue =
    R"({"n":12345678901234567890,"f":1.0,"s":"\u00e9\/"})";
constexpr std::size_t kMostCuts = 1024;

// `body` with `text` in place of `part`, a view into it.
std::string spliced(std::string_view body, std::string_view part,
                    std::string_view text) {
  const auto at = static_cast<std::size_t>(part.data() - body.data());
  return std::string(body.substr(0, at)) + std::string(text) +
         std::string(body.substr(at + part.size()));
}

// Objects of a request body that may carry fields nobody knows.
struct Place {
  std::string pointer;
  std::string_view raw;
};
std::vector<Place> open_places(json::Value root) {
  std::vector<Place> places{{"", root.raw()}};
  const auto first = [](json::Value array) {
    return array.is_array() && array.size() > 0 ? *array.children().begin()
                                                : json::Value();
  };
  const json::Value message = first(root["messages"]);
  if (message.is_object()) places.push_back({"/messages/0", message.raw()});
  const json::Value part = first(message["content"]);
  if (part.is_object() &&
      !(part["text"].is_string() && is_blank(part["text"].string()))) {
    places.push_back({"/messages/0/content/0", part.raw()});
  }
  const json::Value tool = first(root["tools"]);
  if (tool.is_object()) places.push_back({"/tools/0", tool.raw()});
  const json::Value spec = first(root["toolConfig"]["tools"])["toolSpec"];
  if (spec.is_object()) {
    places.push_back({"/toolConfig/tools/0/toolSpec", spec.raw()});
  }
  return places;
}

// What a JSON pointer names in `root`, or a missing value.
json::Value resolve(json::Value root, std::string_view pointer) {
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string_view name = pointer.substr(0, end);
    pointer.remove_prefix(end);
    if (root.is_object()) {
      const json::Value member = root[name];
      // Losses do not name the member of a union.
      const bool is_union = !member && root.size() == 1;
      root = is_union ? (*root.children().begin())[name] : member;
      continue;
    }
    json::Value found;
    std::size_t index = 0;
    for (const json::Value element : root.children()) {
      if (std::to_string(index++) == name) found = element;
    }
    // A schema may be written as a text: a place in it is one, too.
    if (root.is_string()) return root;
    root = found;
  }
  return root;
}

class RequestChecks {
 public:
  RequestChecks(const Scenario& scenario, Report& report)
      : scenario_(scenario),
        report_(report),
        canonical_(
            decode_request(*scenario.from, scenario.input, scenario.path)) {}

  void run() {
    prefixes();
    if (!canonical_) {
      refused();
      return;
    }
    with_model();
    same_dialect();
    for (const Dialect* to : dialects()) {
      if (to != scenario_.from) other_dialect(*to);
    }
    unknown_fields();
  }

 private:
  RequestHead head() const { return head_for(*scenario_.from, scenario_.path); }

  // Half a body is an error, wherever it was cut.
  void prefixes() {
    if (!json::is_json(scenario_.input)) return;
    std::string_view body = scenario_.input;
    while (!body.empty() && body.back() != '}') body.remove_suffix(1);
    std::string wrong;
    for (const std::size_t cut : positions(body.size(), kMostCuts)) {
      const auto half =
          decode_request(*scenario_.from, body.substr(0, cut), scenario_.path);
      if (!half && !half.error().message.empty()) continue;
      wrong = "cut at byte " + std::to_string(cut) + " it is taken";
      break;
    }
    report_.property(wrong.empty(), "truncation", wrong);
  }

  // What cannot be decoded is refused alike, whoever it was meant for.
  void refused() {
    error_place();
    for (const Dialect* to : dialects()) {
      const auto sent = translate_request(*scenario_.from, *to, scenario_.input,
                                          options_for(scenario_, *to), head());
      const bool passed = sent.has_value() && to == scenario_.from;
      report_.property(passed || (!sent && sent.error() == canonical_.error()),
                       "refusal",
                       "to " + std::string(to->name) + ": " +
                           (sent ? "taken" : dump(sent.error())));
    }
  }

  // An error names a place of the body, or what is missing in one.
  void error_place() {
    json::Document document;
    const auto root = document.parse(scenario_.input);
    const std::string& path = canonical_.error().path;
    if (!root || path.empty()) return;
    const std::string parent = path.substr(0, path.rfind('/'));
    report_.property(static_cast<bool>(resolve(*root, parent)),
                     "place of the error", path);
  }

  // Only the bytes of the model's name change.
  void with_model() {
    const auto parsed =
        ParsedRequest::parse(*scenario_.from, scenario_.input, head());
    json::Document document;
    const auto root = document.parse(scenario_.input);
    if (!parsed || !root || !(*root)["model"]) return;
    const std::string have = parsed->with_model("x-golden-model");
    const std::string want =
        spliced(document.text(), (*root)["model"].raw(), "\"x-golden-model\"");
    report_.property(have == want, "with_model", have);
  }

  // Our own writing of the same dialect says the same.
  void same_dialect() {
    Result<ChatRequest> again = recoded(*canonical_, *scenario_.from);
    if (!again) {
      report_.property(false, "round trip", dump(again.error()));
      return;
    }
    // `stream` aside: passing on and encoding may ask for usage.
    const std::string difference =
        unexplained_difference(*canonical_, *again, losses_);
    report_.property(difference.empty(), "round trip", difference);
  }

  Result<ChatRequest> recoded(ChatRequest request, const Dialect& to) {
    losses_.clear();
    RequestContext context;
    EncodeOptions options;
    options.traits = traits_of(to);
    options.clamp_sampling = scenario_.options.clamp_sampling;
    options.drop_hosted_tools = scenario_.options.drop_hosted_tools;
    options.drop_prefill = scenario_.options.drop_prefill;
    const FitTarget target{to.limits, &options, wording_of(request, to)};
    LLMPROXY_TRY(fit(request, target, context, losses_));
    std::string body;
    LLMPROXY_TRY(to.encode_request(request, options, context, body, losses_));
    return decode_request(to, body,
                          upstream_path(to, request.model, request.stream));
  }

  TargetTraits traits_of(const Dialect& to) const {
    const TranslateOptions options = options_for(scenario_, to);
    if (options.traits) return *options.traits;
    return traits_for(
        to, options.model.empty() ? canonical_->model : options.model);
  }

  void other_dialect(const Dialect& to) {
    TranslateOptions options = options_for(scenario_, to);
    options.strict = false;
    const auto translate = [&] {
      return translate_request(*scenario_.from, to, scenario_.input, options,
                               head());
    };
    const Result<TranslatedRequest> sent = translate();
    if (!sent) {
      report_.property(
          !sent.error().message.empty() && sent.error().fault == Fault::client,
          "refusal is explained", dump(sent.error()));
      return;
    }
    const Result<TranslatedRequest> twice = translate();
    report_.property(twice && twice->body == sent->body, "determinism",
                     std::string(to.name));
    const auto path = match_upstream(to, sent->path);
    report_.property(path && path->model.empty() != to.model_in_path(), "path",
                     sent->path);
    const std::string rule = broken_request_rule(to, traits_of(to), sent->body);
    report_.property(rule.empty(), "server rules",
                     std::string(to.name) + ": " + rule);
    places(to, *sent);
    strict(to, *sent, options);
    round_trip(to, *sent);
  }

  // A loss names something that stands in the client's own body.
  void places(const Dialect& to, const TranslatedRequest& sent) {
    json::Document document;
    const auto root = document.parse(scenario_.input);
    std::string wrong;
    for (const Loss& loss : sent.losses) {
      if (!resolve(*root, loss.path)) wrong += loss.path + " ";
    }
    report_.property(wrong.empty(), "places of losses",
                     std::string(to.name) + ": not in the body: " + wrong);
  }

  // Strict mode refuses exactly what would have lost something.
  void strict(const Dialect& to, const TranslatedRequest& sent,
              TranslateOptions options) {
    options.strict = true;
    const auto refused = translate_request(*scenario_.from, to, scenario_.input,
                                           options, head());
    const bool right =
        sent.losses.empty()
            ? refused && refused->body == sent.body
            : !refused && refused.error().kind == ErrorKind::unsupported;
    report_.property(right, "strict",
                     std::string(to.name) + ": " +
                         (refused ? "taken in spite of\n" + dump(sent.losses)
                                  : dump(refused.error())));
  }

  void round_trip(const Dialect& to, const TranslatedRequest& sent) {
    Result<ChatRequest> there = decode_request(to, sent.body, sent.path);
    if (!there) {
      report_.property(false, "own output",
                       std::string(to.name) + ": " + dump(there.error()));
      return;
    }
    undo_aliases(*there, sent.context);
    if (!scenario_.options.model.empty()) there->model = canonical_->model;
    const std::string difference =
        unexplained_difference(*canonical_, *there, sent.losses);
    report_.property(difference.empty(), "round trip",
                     "by " + std::string(to.name) + ": " + difference);
  }

  static void undo_aliases(ChatRequest& request,
                           const RequestContext& context) {
    const auto undo = [&](std::string& name) {
      for (const RequestContext::Alias& alias : context.tool_aliases) {
        if (name == alias.sent) {
          name = alias.original;
          return;
        }
      }
    };
    for (ToolDefinition& tool : request.tools) undo(tool.name);
    if (request.tool_choice) undo(request.tool_choice->name);
    for (Message& message : request.messages) {
      for (ContentPart& part : message.content) {
        if (auto* call = part.as<ToolCallPart>()) undo(call->name);
      }
    }
  }

  // A field of tomorrow reaches its own dialect as it is, and is a loss
  // towards every other.
  void unknown_fields() {
    json::Document document;
    const auto root = document.parse(scenario_.input);
    if (!root) return;
    const std::string member =
        "\"" + std::string(kUnknownName) + "\":" + std::string(kUnknownValue);
    for (const Place& place : open_places(*root)) {
      const std::string body =
          spliced(document.text(), place.raw, with_member(place.raw, member));
      unknown_field(body, place.pointer + "/" + std::string(kUnknownName),
                    compact_json(member));
    }
  }

  void unknown_field(const std::string& body, const std::string& pointer,
                     const std::string& member) {
    const auto request = decode_request(*scenario_.from, body, scenario_.path);
    if (!request) {
      report_.property(false, "unknown field is taken",
                       pointer + ": " + dump(request.error()));
      return;
    }
    std::string out;
    Losses losses;
    RequestContext context;
    EncodeOptions options;
    options.traits = traits_of(*scenario_.from);
    options.drop_hosted_tools = true;
    const auto same =
        scenario_.from->encode_request(*request, options, context, out, losses);
    report_.property(
        same && compact_json(out).find(member) != std::string::npos,
        "unknown field arrives", pointer + " in\n" + out);
    for (const Dialect* to : dialects()) {
      // Bedrock's InvokeModel carries the body of claude as it is.
      const bool same_body = canonical_->dialect == "claude" &&
                             (to->name == "claude" || to->name == "bedrock");
      if (to != scenario_.from && !same_body) {
        unknown_field_lost(body, pointer, *to);
      }
    }
  }

  void unknown_field_lost(const std::string& body, const std::string& pointer,
                          const Dialect& to) {
    TranslateOptions options = options_for(scenario_, to);
    options.strict = false;
    const auto sent =
        translate_request(*scenario_.from, to, body, options, head());
    if (!sent) return;
    bool told = false;
    for (const Loss& loss : sent->losses) {
      // A part that is lost as a whole takes its fields with it.
      told = told || related(loss.path, pointer);
    }
    const bool leaked = sent->body.find(kUnknownName) != std::string::npos;
    report_.property(told && !leaked, "unknown field is a loss",
                     pointer + (leaked ? " is sent to " : " is lost to ") +
                         std::string(to.name) + ", losses:\n" +
                         dump(sent->losses));
  }

  const Scenario& scenario_;
  Report& report_;
  const Result<ChatRequest> canonical_;
  Losses losses_;
};

}  // namespace

void check_request(const Scenario& scenario, Report& report) {
  RequestChecks(scenario, report).run();
}

}  // namespace llmproxy::testing
