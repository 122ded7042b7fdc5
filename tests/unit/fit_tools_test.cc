// fit: tools, turns and parts. One row for each member of DialectLimits that
// these steps read: it fails where the member means nothing any more.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "chat/fit_steps.h"

namespace llmproxy {
namespace {

RawJson json_of(std::string text) { return *RawJson::parse(std::move(text)); }

/// Everything that may be asked for, by a client of `dialect`.
ChatRequest request_of(std::string dialect) {
  ChatRequest request;
  request.dialect = std::move(dialect);
  request.model = "m";
  ToolDefinition tool;
  tool.name = "desk__search";
  tool.name_space = "desk";
  tool.schema = json_of(R"({"properties":{"q":{}}})");
  tool.strict = true;
  tool.cache.emplace();
  tool.extensions.push_back({"odd", json_of("1"), false});
  request.tools = {tool, ToolDefinition{.name = "clock"}};
  request.tool_choice = ToolChoice{ToolChoiceMode::required, "", {"clock"}};
  request.parallel_tool_calls = false;
  Message message = user_message("Hi");
  message.name = "Ann";
  message.extensions.push_back({"odd", json_of("1"), false});
  message.content[0].cache.emplace();
  message.content[0].as<TextPart>()->citations.push_back(json_of("{}"));
  ImagePart image{{MediaKind::base64, "AAAA", "image/png"}, "high"};
  DocumentPart paper{{MediaKind::base64, "AAAA", "application/pdf"}, "a", "b"};
  message.content.emplace_back(image);
  message.content.emplace_back(paper);
  request.messages.push_back(std::move(message));
  return request;
}

/// An API that says everything.
DialectLimits everything() {
  DialectLimits limits;
  limits.target = "X";
  limits.name_spaces = limits.cache_markers = limits.citations = true;
  limits.message_names = true;
  return limits;
}

struct Fitted {
  Result<void> status;
  ChatRequest request;
  Losses losses;
};

Fitted fitted(ChatRequest request, const DialectLimits& limits, Wording wording,
              const EncodeOptions& options = {}) {
  Fitted out{{}, std::move(request), {}};
  RequestContext context;
  const FitTarget target{&limits, &options, wording};
  FitStep step{out.request, target, context, out.losses};
  const auto all = [&]() -> Result<void> {
    fit_turns(step);
    LLMPROXY_TRY(fit_tools(step));
    fit_tool_fields(step);
    LLMPROXY_TRY(fit_tool_choice(step));
    LLMPROXY_TRY(fit_parts(step));
    fit_extensions(step);
    return {};
  };
  out.status = all();
  return out;
}

template <class Part>
Part& part_of(ChatRequest& request) {
  for (ContentPart& part : request.messages[0].content) {
    if (auto* found = part.as<Part>()) return *found;
  }
  return *(request.messages[0].content.emplace_back(Part{}))
              .template as<Part>();
}

void ask_none(ChatRequest& request) {
  request.tool_choice = ToolChoice{ToolChoiceMode::none, "", {}};
}
void call_without_tools(ChatRequest& request) {
  request.tools.clear();
  request.tool_choice.reset();
  request.messages.push_back({Role::assistant, {ToolCallPart{"c", "f", "{}"}}});
}
void image_by_url(ChatRequest& request) {
  part_of<ImagePart>(request).source = {MediaKind::url, "https://h/a", ""};
}
void document_by_url(ChatRequest& request) {
  part_of<DocumentPart>(request).source = {MediaKind::url, "https://h/a", ""};
}
void add_audio(ChatRequest& request) { part_of<AudioPart>(request); }
void add_thinking(ChatRequest& request) {
  part_of<ThinkingPart>(request).text = "hm";
}
void say_nothing_of_strict(ChatRequest& request) {
  request.tools[0].strict.reset();
}

using Ask = void (*)(ChatRequest&);
using Effect = bool (*)(ChatRequest&);

/// `effect` holds where the member is true, and only there.
struct MemberRow {
  std::string_view name;
  bool DialectLimits::*member;
  Wording wording;
  Effect effect;
  Ask ask = nullptr;
  void (*limits)(DialectLimits&) = nullptr;
};

constexpr Effect kTaken = [](ChatRequest&) { return true; };

const MemberRow kMembers[] = {
    {"allowed_tools", &DialectLimits::allowed_tools, Wording::foreign,
     [](ChatRequest& r) {
       return r.tools.size() == 2 && !r.tool_choice->allowed.empty();
     }},
    {"forbids_calls", &DialectLimits::forbids_calls, Wording::hand,
     [](ChatRequest& r) { return r.tool_choice && !r.tools.empty(); },
     ask_none},
    {"parallel_calls", &DialectLimits::parallel_calls, Wording::hand,
     [](ChatRequest& r) { return r.parallel_tool_calls.has_value(); }},
    {"strict_tools", &DialectLimits::strict_tools, Wording::hand,
     [](ChatRequest& r) { return r.tools[0].strict == true; }},
    {"strict_unless_said", &DialectLimits::strict_unless_said, Wording::foreign,
     [](ChatRequest& r) { return r.tools[0].strict == false; },
     say_nothing_of_strict},
    {"name_spaces", &DialectLimits::name_spaces, Wording::hand,
     [](ChatRequest& r) { return !r.tools[0].name_space.empty(); }},
    {"tools_of_history", &DialectLimits::tools_of_history, Wording::hand,
     [](ChatRequest& r) { return !r.tools.empty(); }, call_without_tools},
    {"cache_markers", &DialectLimits::cache_markers, Wording::foreign,
     [](ChatRequest& r) {
       return r.tools[0].cache && r.messages[0].content[0].cache;
     }},
    {"cache_breakpoints", &DialectLimits::cache_breakpoints, Wording::hand,
     [](ChatRequest& r) {
       return r.tools[0].cache && r.messages[0].content[0].cache;
     },
     nullptr, [](DialectLimits& limits) { limits.cache_markers = false; }},
    {"citations", &DialectLimits::citations, Wording::family,
     [](ChatRequest& r) { return !part_of<TextPart>(r).citations.empty(); }},
    {"image_detail", &DialectLimits::image_detail, Wording::foreign,
     [](ChatRequest& r) { return !part_of<ImagePart>(r).detail.empty(); }},
    {"image_urls", &DialectLimits::image_urls, Wording::hand, kTaken,
     image_by_url},
    {"document_urls", &DialectLimits::document_urls, Wording::hand, kTaken,
     document_by_url},
    {"own_urls", &DialectLimits::own_urls, Wording::hand, kTaken, image_by_url,
     [](DialectLimits& limits) { limits.image_urls = false; }},
    {"audio", &DialectLimits::audio, Wording::foreign, kTaken, add_audio},
    {"document_context", &DialectLimits::document_context, Wording::foreign,
     [](ChatRequest& r) { return !part_of<DocumentPart>(r).context.empty(); }},
    {"file_names", &DialectLimits::file_names, Wording::foreign,
     [](ChatRequest& r) { return !part_of<DocumentPart>(r).title.empty(); }},
    {"message_names", &DialectLimits::message_names, Wording::foreign,
     [](ChatRequest& r) { return !r.messages[0].name.empty(); }},
    {"message_extensions", &DialectLimits::message_extensions, Wording::hand,
     [](ChatRequest& r) { return !r.messages[0].extensions.empty(); }},
    {"thinking_text", &DialectLimits::thinking_text, Wording::foreign,
     [](ChatRequest& r) { return !part_of<ThinkingPart>(r).text.empty(); },
     add_thinking},
};

}  // namespace

TEST_CASE("fit keeps what the row has, and nothing else") {
  for (const MemberRow& row : kMembers) {
    CAPTURE(row.name);
    for (const bool value : {true, false}) {
      DialectLimits limits = everything();
      if (row.limits != nullptr) row.limits(limits);
      limits.*row.member = value;
      ChatRequest request = request_of("");
      if (row.ask != nullptr) row.ask(request);
      Fitted out = fitted(std::move(request), limits, row.wording);
      CHECK((out.status && row.effect(out.request)) == value);
    }
  }
}

TEST_CASE("fit makes schemas what they must be") {
  struct Row {
    SchemaShape shape;
    Wording wording;
    std::string_view open;   ///< of a schema without a type
    std::string_view empty;  ///< of a tool without a schema
  };
  constexpr std::string_view kOpen = R"({"properties":{"q":{}}})";
  constexpr std::string_view kObject =
      R"({"type":"object","properties":{"q":{}}})";
  constexpr std::string_view kEmpty = R"({"type":"object","properties":{}})";
  for (const Row& row :
       {Row{SchemaShape::any, Wording::foreign, kOpen, ""},
        Row{SchemaShape::required, Wording::foreign, kOpen, kEmpty},
        Row{SchemaShape::object, Wording::foreign, kObject, kEmpty},
        Row{SchemaShape::object, Wording::hand, kObject, kEmpty},
        Row{SchemaShape::object, Wording::family, kOpen, kEmpty}}) {
    DialectLimits limits = everything();
    limits.schema = row.shape;
    const Fitted out = fitted(request_of(""), limits, row.wording);
    CHECK(out.request.tools[0].schema.text() == row.open);
    CHECK(out.request.tools[1].schema.text() == row.empty);
  }
}

TEST_CASE("fit drops hosted tools by the family, and names their places") {
  constexpr std::string_view kRuns[] = {"bash_"};
  DialectLimits limits = everything();
  limits.hosted_tools = kRuns;
  ChatRequest request = request_of("claude");
  for (const std::string_view type : {"web_search_2", "bash_1"}) {
    ToolDefinition tool;
    tool.kind = ToolKind::hosted;
    tool.name = tool.hosted_type = type;
    tool.schema = json_of("{}");
    request.tools.insert(request.tools.begin() + request.tools.size() - 2,
                         tool);
  }
  request.tool_choice.reset();
  const auto kept = [&](Wording wording, bool drop) {
    EncodeOptions options;
    options.drop_hosted_tools = drop;
    return fitted(request, limits, wording, options);
  };
  CHECK(kept(Wording::hand, false).request.tools.size() == 4);
  CHECK(kept(Wording::family, true).request.tools.size() == 3);
  const Fitted refused = kept(Wording::family, false);
  REQUIRE_FALSE(refused.status);
  CHECK(refused.status.error().path == "/tools/0/type");
  const Fitted dropped = kept(Wording::foreign, true);
  CHECK(dropped.request.tools.size() == 2);
  std::vector<std::string> places;
  for (const Loss& loss : dropped.losses) places.push_back(loss.path);
  // The field `odd` is lost where the client wrote it.
  CHECK(std::count(places.begin(), places.end(), "/tools/1") == 1);
  CHECK(std::count(places.begin(), places.end(), "/tools/2/odd") == 1);
}

TEST_CASE("fit tells a choice of what is not there") {
  DialectLimits limits = everything();
  ChatRequest request = request_of("");
  request.tool_choice = ToolChoice{ToolChoiceMode::named, "other", {}};
  CHECK_FALSE(fitted(request, limits, Wording::hand).status);
  request.tool_choice = ToolChoice{ToolChoiceMode::named, "clock", {}};
  CHECK(fitted(request, limits, Wording::hand).status);
  request.tool_choice->allowed = {"desk__search"};
  limits.allowed_tools = false;
  CHECK_FALSE(fitted(request, limits, Wording::hand).status);
}

TEST_CASE("fit keeps fields of its own, and those that the family shares") {
  constexpr std::string_view kShared[] = {"shared"};
  constexpr FixedField kAdded[] = {{"store", "false"}};
  DialectLimits limits = everything();
  limits.family_fields = kShared;
  limits.added_fields = kAdded;
  ChatRequest request = request_of("claude");
  request.tools.clear();
  request.tool_choice.reset();
  request.messages = {user_message("Hi")};
  request.extensions = {{"shared", json_of("1"), false},
                        {"seed", json_of("2"), false},
                        {"nothing", json_of("null"), false}};
  struct Row {
    Wording wording;
    std::vector<std::string> names;
    std::size_t losses;
  };
  for (const Row& row :
       {Row{Wording::own, {"shared", "seed", "nothing"}, 0},
        Row{Wording::hand, {"shared", "seed", "nothing", "store"}, 0},
        Row{Wording::family, {"shared", "store"}, 1},
        Row{Wording::foreign, {"store"}, 2}}) {
    const Fitted out = fitted(request, limits, row.wording);
    std::vector<std::string> names;
    for (const Extension& extension : out.request.extensions) {
      names.push_back(extension.name);
    }
    CHECK(names == row.names);
    CHECK(out.losses.size() == row.losses);
  }
  // What a program says itself is not said again.
  request.extensions = {{"store", json_of("true"), false}};
  const Fitted said = fitted(request, limits, Wording::hand);
  REQUIRE(said.request.extensions.size() == 1);
  CHECK(said.request.extensions.front().value.text() == "true");
}

TEST_CASE("fit leaves out parts and thinking of others") {
  constexpr std::string_view kTypes[] = {"search_result"};
  DialectLimits limits = everything();
  limits.opaque_parts = "claude";
  limits.opaque_types = kTypes;
  limits.thinking_of = ReasoningIssuer::anthropic;
  ChatRequest request = request_of("claude");
  ThinkingPart signed_by_other{"hm", "sig"};
  signed_by_other.issuer = ReasoningIssuer::google;
  request.messages = {
      Message{Role::assistant,
              {OpaquePart{"claude", "search_result", json_of("{}")},
               OpaquePart{"claude", "server_tool", json_of("{}")},
               OpaquePart{"gemini", "search_result", json_of("{}")},
               ThinkingPart{"hm", "sig"}, signed_by_other, TextPart{"Hi"}}}};
  const auto left = [&](Wording wording) {
    return fitted(request, limits, wording).request.messages[0].content.size();
  };
  CHECK(left(Wording::own) == 4);
  CHECK(left(Wording::hand) == 4);
  CHECK(left(Wording::family) == 3);
  CHECK(left(Wording::foreign) == 2);
}

TEST_CASE("fit places system turns as the row and the model say") {
  struct Row {
    SystemTurns turns;
    bool by_model;
    bool folds;
  };
  for (const Row& row : {Row{SystemTurns::in_place, true, false},
                         Row{SystemTurns::in_place, false, true},
                         Row{SystemTurns::on_top, true, true},
                         Row{SystemTurns::placed, false, false}}) {
    DialectLimits limits = everything();
    limits.system_turns = row.turns;
    EncodeOptions options;
    options.traits.system_in_messages = row.by_model;
    ChatRequest request;
    request.messages = {user_message("Hi"), system_message("Be brief.")};
    const Fitted out = fitted(request, limits, Wording::foreign, options);
    CHECK((out.request.messages.size() == 1) == row.folds);
  }
}

TEST_CASE("fit brings tools and turns to what a model takes, whoever asks") {
  for (const Wording wording :
       {Wording::own, Wording::hand, Wording::foreign}) {
    for (const bool for_own : {true, false}) {
      DialectLimits limits = everything();
      limits.traits_for_own = for_own;
      EncodeOptions options;
      options.traits.strict_tools = false;
      options.traits.message_names = false;
      options.traits.nine_char_call_ids = true;
      ChatRequest request = request_of("");
      part_of<ToolCallPart>(request) = {"call_1", "clock", "{}"};
      Fitted out = fitted(std::move(request), limits, wording, options);
      const bool applies = for_own || wording != Wording::own;
      CHECK(out.request.tools[0].strict.has_value() != applies);
      CHECK(out.request.messages[0].name.empty() == applies);
      CHECK((part_of<ToolCallPart>(out.request).id.size() == 9) == applies);
    }
  }
}

}  // namespace llmproxy
