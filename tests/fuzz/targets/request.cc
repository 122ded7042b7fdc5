// Requests of every dialect towards every other: read, given another model,
// translated, and what was written is read again.
#include <algorithm>

#include "chat/tool_names.h"
#include "fuzz/kit/properties.h"
#include "json/json.h"

namespace llmproxy::fuzz {
namespace {

constexpr std::string_view kNewModel = "x-\"new\"/model";
// Schemas become longer, as what they refer to is written where it is used.
constexpr std::size_t kMostGrowth = 24;

Result<MediaSource> no_image(const std::string&) {
  return invalid_request("the image cannot be fetched: not here");
}
Result<MediaSource> an_image(const std::string&) {
  return MediaSource{MediaKind::base64, "iVBORw0KGgo=", "image/png"};
}

TranslateOptions choose_options(Input& input) {
  TranslateOptions options;
  const std::uint8_t flags = input.byte();
  options.strict = (flags & 1) != 0;
  options.clamp_sampling = (flags & 2) != 0;
  options.drop_hosted_tools = (flags & 4) != 0;
  options.drop_prefill = (flags & 8) != 0;
  if ((flags & 16) != 0) options.fetch_image = an_image;
  if ((flags & 32) != 0) options.fetch_image = no_image;
  if ((flags & 64) != 0) options.created = 1700000000;
  // Names that lead to different rows of the table of models.
  constexpr std::string_view kModels[] = {
      "",        "gpt-5.1",       "claude-opus-4-6", "claude-3-haiku",
      "gpt-4o",  "gemini-3-pro",  "gemini-2.5-pro",  "deepseek-reasoner",
      "o3-mini", "mistral-large", "a/b:c",           "anthropic.claude-v2"};
  options.model = kModels[input.below(std::size(kModels))];
  return options;
}

Place choose_place(const Dialect& dialect, Input& input) {
  const bool stream = input.flag();
  return place_of(dialect, upstream_path(dialect, "some-model", stream));
}

/// Nothing but the model changes.
void rename(const ParsedRequest& parsed, const Place& place) {
  const std::string renamed = parsed.with_model(kNewModel);
  const std::string_view body = parsed.body();
  if (parsed.dialect().model_in_path()) {
    return expect(renamed == body, "without a model nothing changes", renamed);
  }
  const auto again =
      ParsedRequest::parse(parsed.dialect(), renamed, place.head());
  expect(again && again->model() == kNewModel, "the model is the new one",
         renamed);
  const auto front =
      std::mismatch(body.begin(), body.end(), renamed.begin(), renamed.end());
  const auto back = std::mismatch(body.rbegin(), body.rend(), renamed.rbegin(),
                                  renamed.rend());
  const auto kept = (front.first - body.begin()) + (back.first - body.rbegin());
  // What is left is the old name; its escapes may be long.
  json::Document document;
  const auto root = document.parse(body);
  const std::size_t old_name = (*root)["model"].raw().size();
  expect(body.size() <= static_cast<std::size_t>(kept) + old_name,
         "all but the model is as it was", renamed);
}

/// Strict mode refuses exactly what would lose something.
void compare_strict(const ParsedRequest& parsed, const Dialect& to,
                    TranslateOptions options, const TranslatedRequest& sent) {
  options.strict = !options.strict;
  if (!options.strict) return;
  const auto strict = translate_request(parsed, to, options);
  const std::string seen = strict ? "taken" : strict.error().message;
  expect(strict.has_value() == sent.losses.empty(), "strict says the same",
         seen);
}

void translate(const ParsedRequest& parsed, const Pair& pair,
               const TranslateOptions& options) {
  const auto sent = translate_request(parsed, *pair.to, options);
  if (!sent) {
    expect(sent.error().fault == Fault::client, "who asks is at fault",
           sent.error().message);
    return expect_error(sent.error(), parsed.body());
  }
  expect_object(sent->body, "the request");
  expect_losses(sent->losses);
  expect_bounded(parsed.body().size(), sent->body.size(), kMostGrowth,
                 "the request");
  expect(match_upstream(*pair.to, sent->path).has_value(), "the path is known",
         sent->path);
  if (pair.from == pair.to) return;
  const ChatRequest read = read_own(*pair.to, sent->body, sent->target());
  expect(check_tool_names(read.tools).has_value(), "tools have names of theirs",
         sent->body);
  compare_strict(parsed, *pair.to, options, *sent);
}

/// Through the canonical form into the same dialect.
void write_again(const ChatRequest& request, const Dialect& dialect) {
  EncodeOptions options;
  options.traits = traits_for(dialect, request.model);
  options.drop_hosted_tools = true;
  RequestContext context;
  std::string body;
  Losses losses;
  const auto written =
      dialect.encode_request(request, options, context, body, losses);
  if (!written) return;
  expect_object(body, "the same request");
  expect_losses(losses);
  read_own(dialect, body, upstream_path(dialect, request.model, false));
}

void run(Input& input) {
  const Pair pair = choose_pair(input);
  const TranslateOptions options = choose_options(input);
  const Place place = choose_place(*pair.from, input);
  const auto parsed =
      ParsedRequest::parse(*pair.from, std::string(input.rest()), place.head());
  if (!parsed) return expect_error(parsed.error(), input.rest());
  rename(*parsed, place);
  const auto decoded = parsed->decode();
  if (!decoded) expect_error(decoded.error(), parsed->body());
  translate(*parsed, pair, options);
  if (decoded && pair.from == pair.to) write_again(*decoded, *pair.from);
}

const Registered kRegistered({"request", Form::json, 16384, run});

}  // namespace
}  // namespace llmproxy::fuzz
