// The summary of a conversation so far.
#include "translate/progress.h"

#include <catch2/catch.hpp>
#include <string>

namespace llmproxy {
namespace {

Message call(std::string id, std::string name) {
  Message message = assistant_message("secret");
  message.content.push_back(
      {ToolCallPart{std::move(id), std::move(name), "{\"secret\":1}"}, {}, {}});
  return message;
}

Message result(std::string id, bool is_error = false) {
  Message message;
  message.content.push_back(
      {ToolResultPart{
           std::move(id), {{TextPart{"secret", {}}, {}, {}}}, is_error},
       {},
       {}});
  return message;
}

}  // namespace

TEST_CASE("a summary of two tools, one of which failed", "[system edits]") {
  ChatRequest request;
  request.messages = {system_message("secret"),
                      user_message("secret"),
                      user_message("secret"),
                      call("1", "read"),
                      result("1"),
                      call("2", "bash"),
                      result("2", true),
                      call("3", "read"),
                      result("3"),
                      user_message("secret"),
                      call("4", "bash")};
  CHECK(summarize_progress(request) ==
        "User turns: 2\n"
        "Tool calls: 4 (read 2, bash 2)\n"
        "Failed tool results: 1\n"
        "Last tool: bash (no result yet)");
  request.messages.push_back(result("4", true));
  CHECK(summarize_progress(request).ends_with("\nLast tool: bash (failed)"));
}

TEST_CASE("a summary stays short", "[system edits]") {
  ChatRequest request;
  for (int i = 0; i < 30; ++i) {
    request.messages.push_back(call("c", "t" + std::to_string(i)));
  }
  CHECK(summarize_progress(request).find(
            "Tool calls: 30 (t0 1, t1 1, t2 1, t3 1, t4 1, t5 1, t6 1, t7 1, "
            "t8 1, t9 1 and 20 more)") != std::string::npos);
  for (Message& message : request.messages) {
    auto* tool = message.content.back().as<ToolCallPart>();
    tool->name = "<\n>" + std::string(500, 'x') + tool->name;
  }
  const std::string summary = summarize_progress(request);
  CHECK(summary.size() <= 600);
  CHECK(summary.find("(___") != std::string::npos);
  CHECK(summary.find(std::string(65, 'x')) == std::string::npos);
  // Cut between characters.
  request.messages = {call("c", std::string(63, 'x') + "\xc3\xa9")};
  CHECK(summarize_progress(request).ends_with(
      "Last tool: " + std::string(63, 'x') + " (no result yet)"));
}

}  // namespace llmproxy
