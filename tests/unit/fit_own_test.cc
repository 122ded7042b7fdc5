// fit(): what becomes of words that are the target's own, or nobody's.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "chat/fit.h"
#include "llmproxy/dialect.h"

namespace llmproxy {
namespace {

/// Fits `request` as one that came from a client of `to`.
Losses fit_own(ChatRequest& request, const Dialect& to) {
  request.dialect = to.name;
  if (request.messages.empty()) request.messages = {user_message("hi")};
  EncodeOptions options;
  options.traits = traits_for(to, request.model);
  RequestContext context;
  Losses losses;
  const FitTarget target{to.limits, &options, wording_of(request, to)};
  REQUIRE(fit(request, target, context, losses));
  return losses;
}

TEST_CASE("stop sequences go where their own dialect has none") {
  struct Row {
    std::string_view dialect;
    std::size_t kept;
  };
  // Claude's four take any number of them from its own clients.
  constexpr Row kRows[] = {{"openai-responses", 0},
                           {"openai-chat", 5},
                           {"claude", 5},
                           {"gemini", 5}};
  for (const Row& row : kRows) {
    INFO(row.dialect);
    ChatRequest request;
    request.stop_sequences = {"a", "b", "c", "d", "e"};
    const Losses losses = fit_own(request, *find_dialect(row.dialect));
    CHECK(request.stop_sequences.size() == row.kept);
    CHECK(losses.size() == (row.kept == 0 ? 1 : 0));
  }
}

TEST_CASE("fields of a message that nobody knows stay in their own dialect") {
  for (const std::string_view name :
       {"openai-responses", "openai-chat", "claude", "gemini"}) {
    INFO(name);
    ChatRequest request;
    request.messages = {user_message("hi")};
    request.messages[0].extensions.push_back(
        {"x_new", RawJson::parse("1").value()});
    const Losses losses = fit_own(request, *find_dialect(name));
    CHECK(losses.empty());
    CHECK(request.messages[0].extensions.size() == 1);
  }
}

TEST_CASE(
    "a target that says nothing of its limits is asked to hide thoughts") {
  ChatRequest request;
  request.dialect = "claude";
  request.messages = {user_message("hi")};
  request.reasoning.mode = ReasoningMode::adaptive;
  request.reasoning.display = "omitted";
  EncodeOptions options;
  RequestContext context;
  Losses losses;
  REQUIRE(fit(request, {nullptr, &options, Wording::foreign}, context, losses));
  CHECK(request.reasoning.display == "omitted");
}

}  // namespace
}  // namespace llmproxy
