// Routes: exact names, patterns, and what `*` stands for.
#include "gateway/routes.h"

#include <catch2/catch.hpp>

using llmproxy::Route;
using llmproxy::gateway::Routes;

namespace {

std::string resolve(const Routes& routes, std::string_view model) {
  const auto target = routes.find(model);
  if (!target) return "none";
  return std::string(target->backend) + " " + target->model;
}

}  // namespace

TEST_CASE("an exact name wins over any pattern") {
  const Routes routes({{"*", "all", ""},
                       {"gpt-*", "wild", ""},
                       {"gpt-5", "exact", "gpt-5-2026"}});
  CHECK(resolve(routes, "gpt-5") == "exact gpt-5-2026");
  CHECK(resolve(routes, "gpt-6") == "wild gpt-6");
  CHECK(resolve(routes, "llama") == "all llama");
}

TEST_CASE("the longest matching pattern wins, whatever the order") {
  const std::vector<Route> forwards = {{"claude-*", "a", ""},
                                       {"claude-opus-*", "b", ""},
                                       {"*", "c", ""},
                                       {"*-latest", "d", ""}};
  const std::vector<Route> backwards(forwards.rbegin(), forwards.rend());
  for (const auto& order : {forwards, backwards}) {
    const Routes routes(order);
    CHECK(resolve(routes, "claude-opus-4") == "b claude-opus-4");
    CHECK(resolve(routes, "claude-sonnet-4") == "a claude-sonnet-4");
    CHECK(resolve(routes, "gpt-latest") == "d gpt-latest");
    CHECK(resolve(routes, "x") == "c x");
    // "claude-*" and "*-latest" are 7 long each: the longer beginning wins.
    CHECK(resolve(routes, "claude-latest") == "a claude-latest");
  }
}

TEST_CASE("the star of the model is what the pattern's star matched") {
  const Routes routes({{"team/*", "a", "vendor/*-v1"},
                       {"pre*post", "b", "[*]"},
                       {"fixed-*", "c", "one"}});
  CHECK(resolve(routes, "team/big") == "a vendor/big-v1");
  CHECK(resolve(routes, "team/") == "a vendor/-v1");
  CHECK(resolve(routes, "pre-mid-post") == "b [-mid-]");
  CHECK(resolve(routes, "prepost") == "b []");
  CHECK(resolve(routes, "fixed-x") == "c one");
}

TEST_CASE("what a pattern's ends would have to share does not match") {
  const Routes routes({{"ab*bc", "a", ""}});
  CHECK(resolve(routes, "abc") == "none");
  CHECK(resolve(routes, "abbc") == "a abbc");
}

TEST_CASE("no route, no target") {
  CHECK(resolve(Routes({}), "gpt-5") == "none");
  CHECK(resolve(Routes({{"gpt-5", "a", ""}}), "gpt-5x") == "none");
  CHECK(resolve(Routes({{"gpt-5", "a", ""}}), "") == "none");
}

TEST_CASE("only names without a star are listed, in order") {
  const Routes routes({{"b", "x", ""}, {"a-*", "x", ""}, {"a", "x", ""}});
  CHECK(routes.names() == std::vector<std::string_view>{"b", "a"});
}
