// Lets the model call a C++ function until it has its answer, and prints what
// happens meanwhile:
//
//   tools [QUESTION]
#include <iostream>
#include <string>

#include "llmproxy/tools.h"

using namespace llmproxy;

Result<std::string> weather(const std::string& arguments) {
  // A host reads the arguments with the JSON library it has.
  if (arguments.find("Atlantis") != std::string::npos) {
    return invalid_request("there is no such city");
  }
  return std::string("12 degrees, rain");
}

int main(int argc, char** argv) {
  const Client client(make_backend(*find_provider("demo"), Secret()),
                      make_demo_transport());
  const Tool tool{"weather", "The weather in a city right now",
                  R"({"type": "object",
                      "properties": {"city": {"type": "string"}},
                      "required": ["city"]})",
                  weather};

  ChatRequest request;
  request.model = "demo";
  request.messages = {user_message(argc > 1 ? argv[1] : "Weather in Oslo")};

  ToolOptions options;
  options.max_rounds = 5;
  options.on_event = [](const StreamEvent& event) {
    if (event.part_kind == PartKind::tool_call &&
        event.kind == EventKind::part_started) {
      std::cerr << "calls " << event.name << '\n';
    } else if (event.part_kind == PartKind::text) {
      std::cout << event.text << std::flush;
    }
    if (event.kind == EventKind::finished) std::cout << '\n';
    return true;
  };

  const ToolRun run = run_tools(client, request, {tool}, options);
  std::cerr << run.rounds << " rounds, " << run.messages.size()
            << " messages\n";
  return run.answer && run.finished ? 0 : 1;
}
