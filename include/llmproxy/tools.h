// run_tools: lets a model call C++ functions until it has its answer.
//
// Asks, runs the calls of the answer in their order, appends answer and
// results to the conversation, and asks again, for as long as the model calls
// tools. Runs on the calling thread, and the functions do too.
//
// Thread-safe as Client is: loops may run on any number of threads at once; a
// function shared by them must itself allow that. Everything is borrowed for
// the length of the call only.
//
//   const Tool clock{"clock", "The time in a city",
//                    R"({"type":"object","properties":{"city":{"type":"string"}},
//                        "required":["city"]})",
//                    [](const std::string& arguments) -> Result<std::string> {
//                      return "12:00";
//                    }};
//   ToolRun run = run_tools(client, request, {clock});
//   if (run.answer) use(run.answer->text());
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "llmproxy/client.h"
#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// A C++ function that a model may call.
struct Tool {
  /// Letters, digits, "_" and "-"; unique among the tools of a run. Names
  /// longer than a dialect takes are shortened on the way and back.
  std::string name = {};
  /// What it does and when to use it, for the model to read.
  std::string description = {};
  /// JSON Schema of the arguments, an object; empty = no arguments. Checked
  /// before anything is sent.
  std::string schema = {};
  /// Gets the arguments as JSON text as the model wrote it: not checked
  /// against the schema, perhaps not even JSON. The text or error message it
  /// returns goes to the model, so it should hold no secret; so does what() of
  /// an exception, which is an error, too.
  std::function<Result<std::string>(const std::string& arguments)> run = {};
};

/// What a run may be told.
struct ToolOptions {
  /// For each of the calls to the model; a total deadline is one round's. The
  /// stop token is also looked at before and behind each function: after a
  /// stop none is run and nothing is asked.
  CallOptions call = {};
  /// Most times that the model is asked; at least 1.
  int max_rounds = 16;
  /// Gets the events of all rounds, each round's from `started` to `finished`
  /// or `failed`, on the calling thread; false = enough. Empty = the model is
  /// asked for whole answers.
  EventCallback on_event = {};
};

/// What came of it.
struct ToolRun {
  /// The last answer, or the error of the last round.
  Result<ChatResponse> answer;
  /// The whole conversation: the request's messages, all answers, all
  /// results. Good for the next request, also after an error: after a stop the
  /// calls that were not run have a result that says so.
  std::vector<Message> messages = {};
  /// How often the model was asked.
  int rounds = 0;
  /// The model was done. False after an error, and where max_rounds ended it:
  /// then the conversation ends with the results that it has not seen.
  bool finished = false;
};

/// Tools of the request itself stay; `tools` replace those of the same name.
///
/// A call of a tool without a function, or one whose function fails, gives a
/// result marked as an error, for the model to read. Calls of an answer that
/// was cut (max_tokens) or refused are not run: the run ends with it. After a
/// first round with calls a tool_choice that demands one becomes automatic, or
/// the model could never end.
ToolRun run_tools(const Client& client, ChatRequest request,
                  const std::vector<Tool>& tools,
                  const ToolOptions& options = {});

}  // namespace llmproxy
LLMPROXY_EXPORT_END
