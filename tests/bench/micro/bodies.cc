#include "bench/micro/bodies.h"

#include <array>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "wire/event_stream.h"
#include "wire/sse.h"

namespace llmproxy::bench {
namespace {

/// Prose with the marks that JSON must escape about once a line, as source
/// code has them, and some letters beyond ASCII.
constexpr std::array<std::string_view, 6> kLines = {
    "The request is read once and every later step works on its index.\n",
    "    if (name == \"model\") return find(rows, name);  // linear\n",
    "Errors are values; a caller decides what a loss means to it.\n",
    "\tstd::string out(text.substr(0, at));\n",
    "Gr\xC3\xB6\xC3\x9F"
    "e und Preis (\xE2\x82\xAC) stehen in der zweiten Spalte der Tabelle.\n",
    "build/release/lib/libcore.a: 91 objects, 0 warnings, 2.4 s\n",
};

std::string prose(std::size_t bytes, std::size_t from = 0) {
  std::string out;
  for (std::size_t i = from; out.size() < bytes; ++i) {
    out += kLines[i % kLines.size()];
  }
  return out;
}

constexpr std::string_view kSchema =
    R"({"type":"object","properties":{"path":{"type":"string","description":)"
    R"("Absolute path of the file"},"first":{"type":"integer","minimum":1},)"
    R"("last":{"type":"integer","minimum":1},"mode":{"type":"string","enum":)"
    R"(["text","bytes"]}},"required":["path"],"additionalProperties":false})";

ContentPart part_of(ContentPart::Value value) {
  ContentPart part;
  part.value = std::move(value);
  return part;
}

void add_tools(ChatRequest& request) {
  constexpr std::array kNames = {"read_file", "write_file", "list_files",
                                 "search",    "run_tests",  "git_diff",
                                 "git_log",   "fetch_page"};
  for (const char* name : kNames) {
    ToolDefinition tool;
    tool.name = name;
    tool.description = prose(400);
    tool.schema = *RawJson::parse(std::string(kSchema));
    request.tools.push_back(std::move(tool));
  }
}

/// One step of an agent: it says something, calls a tool, gets the result.
std::size_t add_step(ChatRequest& request, std::size_t step) {
  const std::string id = "call_" + std::to_string(10000 + step);
  Message call = assistant_message(prose(240, step));
  call.content.push_back(part_of(ToolCallPart{
      id, "read_file",
      R"({"path":"/src/lib/reader.cc","first":)" + std::to_string(step + 1) +
          R"(,"last":4096,"mode":"text"})",
      false}));
  Message result = user_message("");
  // Results are short and long in turn: 0.3 to 4 KB.
  const std::string text = prose(300 + (step % 5) * 900, step);
  result.content.front() =
      part_of(ToolResultPart{id, {part_of(TextPart{text, {}})}, false});
  request.messages.push_back(std::move(call));
  request.messages.push_back(std::move(result));
  return text.size() + 600;
}

ChatRequest conversation(std::size_t bytes) {
  ChatRequest request;
  request.stream = true;
  request.max_output_tokens = 4096;
  request.temperature = 0.5;
  constexpr std::size_t kSmall = 4096;
  const std::size_t system = bytes <= kSmall ? bytes / 3 : kSmall;
  request.messages.push_back(system_message(prose(system)));
  if (bytes <= kSmall) {
    request.messages.push_back(user_message(prose(bytes / 3)));
    return request;
  }
  request.messages.push_back(user_message(prose(600)));
  add_tools(request);
  std::size_t size = 10000;
  for (std::size_t step = 0; size < bytes; ++step) {
    size += add_step(request, step);
  }
  return request;
}

ChatResponse answer(const std::string& model) {
  ChatResponse response;
  response.id = "msg_0123456789abcdef";
  response.model = model;
  response.created = 1'760'000'000;
  response.content.push_back(part_of(TextPart{prose(900), {}}));
  response.content.push_back(part_of(
      ToolCallPart{"call_10001", "read_file", R"({"path":"/a.cc"})", false}));
  response.stop_reason = StopReason::tool_use;
  response.usage.input_tokens = 1200;
  response.usage.output_tokens = 300;
  return response;
}

[[noreturn]] void die(const std::string& why) {
  std::cerr << why << '\n';
  std::exit(2);
}

}  // namespace

std::string model_of(const Dialect& dialect) {
  if (dialect.name == "gemini") return "gemini-2.5-pro";
  if (dialect.name == "claude") return "claude-sonnet-4-5";
  if (dialect.name.starts_with("bedrock")) {
    return "anthropic.claude-sonnet-4-5-20250929-v1:0";
  }
  return "gpt-4.1";
}

RequestHead head_of(const std::string& model) {
  RequestHead head;
  head.model = model;
  head.stream = true;
  return head;
}

std::string request_body(const Dialect& dialect, std::size_t bytes) {
  ChatRequest request = conversation(bytes);
  request.model = model_of(dialect);
  EncodeOptions options;
  options.traits = traits_for(dialect, request.model);
  RequestContext context;
  std::string out;
  Losses losses;
  const auto written =
      dialect.encode_request(request, options, context, out, losses);
  if (!written) die(written.error().message);
  return out;
}

std::string response_body(const Dialect& dialect) {
  std::string out;
  Losses losses;
  dialect.encode_response(answer(model_of(dialect)), {}, out, losses);
  return out;
}

Stream stream_pieces(const Dialect& dialect, std::size_t deltas) {
  RequestContext context;
  context.include_usage = true;
  const auto encoder = dialect.new_stream_encoder(context);
  const auto piece = [&](const StreamEvent& event) {
    std::string out;
    encoder->on_event(event, out);
    return out;
  };
  Stream stream;
  StreamEvent event;
  const std::string model = model_of(dialect);
  Usage usage;
  usage.input_tokens = 1200;
  event.kind = EventKind::started;
  event.id = "msg_0123456789abcdef";
  event.model = model;
  event.created = 1'760'000'000;
  event.usage = &usage;
  stream.head.push_back(piece(event));
  event = {};
  event.kind = EventKind::part_started;
  stream.head.push_back(piece(event));
  constexpr std::array kWords = {" the",  " request", " is",    " read\n",
                                 " once", " and",     " every", " later",
                                 " step", ", so"};
  event.kind = EventKind::part_delta;
  for (std::size_t i = 0; i < deltas; ++i) {
    event.text = kWords[i % kWords.size()];
    stream.deltas.push_back(piece(event));
  }
  event = {};
  event.kind = EventKind::part_ended;
  stream.tail.push_back(piece(event));
  usage.output_tokens = 300;
  event.kind = EventKind::finished;
  event.usage = &usage;
  stream.tail.push_back(piece(event));
  return stream;
}

std::vector<std::string> event_texts(const Dialect& dialect,
                                     const std::string& bytes) {
  wire::SseDecoder sse;
  wire::EventStreamDecoder binary;
  wire::Framer& framer = dialect.framing == Framing::sse
                             ? static_cast<wire::Framer&>(sse)
                             : binary;
  std::vector<std::string> texts;
  wire::Frame frame;
  framer.feed(bytes);
  while (framer.next(frame)) {
    if (frame.data.starts_with('{')) texts.emplace_back(frame.data);
  }
  return texts;
}

}  // namespace llmproxy::bench
