// What can be made, and what a misuse says before it ends the program.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "json/json.h"
#include "llmproxy/chat.h"
#include "llmproxy/result.h"

using namespace llmproxy;

namespace {

/// What a process that does this writes to stderr; it must end by SIGABRT.
template <class Misuse>
std::string last_words(Misuse misuse) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // Catch2's would report a failed test
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    misuse();
    _exit(0);
  }
  close(ends[1]);
  std::string words;
  char buffer[512];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
    words.append(buffer, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  return words;
}

}  // namespace

TEST_CASE("who takes a value that is not there is told which error it was") {
  const Error error = invalid_request("no such thing", "/messages/2");
  const std::string expected =
      "invalid_request: no such thing (at /messages/2)";
  using Catch::Contains;
  const Result<std::string> failed = error;
  CHECK_THAT(last_words([&] { (void)failed.value(); }), Contains(expected));
  CHECK_THAT(last_words([&] { (void)*failed; }), Contains(expected));
  CHECK_THAT(last_words([&] { (void)failed->size(); }), Contains(expected));
  CHECK_THAT(last_words([&] { (void)*Result<std::string>(error); }),
             Contains(expected));
}

TEST_CASE("who takes an error that is not there is told so") {
  using Catch::Contains;
  const Result<std::string> good = std::string("x");
  CHECK_THAT(last_words([&] { (void)good.error(); }), Contains("no error"));
  CHECK_THAT(last_words([] { (void)Result<void>().error(); }),
             Contains("no error"));
}

TEST_CASE("RawJson is made of one JSON value in UTF-8, or not at all") {
  for (const char* good : {"{}", "[1, 2]", "null", "-0.5e3", "\"\\ud800\"",
                           " {\"a\": 12345678901234567890} "}) {
    INFO(good);
    const Result<RawJson> json = RawJson::parse(good);
    REQUIRE(json);
    CHECK(json->text() == good);
    CHECK_FALSE(json->empty());
  }
  const std::string deep(64, '[');
  for (const std::string& bad :
       {std::string(), std::string(" "), std::string("{"), std::string("{}}"),
        std::string("{} {}"), std::string("nul"), std::string("NaN"),
        std::string("\"\xff\""), std::string("{}\0", 3),
        deep + std::string(64, ']')}) {
    INFO(bad);
    const Result<RawJson> json = RawJson::parse(bad);
    REQUIRE_FALSE(json);
    CHECK(json.error().kind == ErrorKind::invalid_request);
    CHECK(json.error().fault == Fault::client);
  }
  CHECK(RawJson().empty());
}
