// Work grows with the input, not with its square: each row is a request, an
// answer or a stream of n things of a kind that was, or could be, searched for
// each other. Four times as many may cost about four times as much; where
// something is quadratic it is sixteen.
#include <catch2/catch.hpp>

#include <time.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "gateway/headers.h"
#include "llmproxy/system_edits.h"
#include "llmproxy/translate.h"

namespace llmproxy {
namespace {

using Text = std::function<std::string(std::size_t i)>;

/// `item` of each number below n, joined by commas.
std::string list(std::size_t n, const Text& item) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) out += ',';
    out += item(i);
  }
  return out;
}

std::string number(std::size_t i) { return std::to_string(i); }

/// Seconds of this thread, the best of a few.
double cost(const std::function<void()>& work) {
  constexpr int kRuns = 3;
  double best = std::numeric_limits<double>::max();
  for (int run = 0; run < kRuns; ++run) {
    timespec begin{};
    timespec end{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    work();
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    best = std::min(
        best, static_cast<double>(end.tv_sec - begin.tv_sec) +
                  static_cast<double>(end.tv_nsec - begin.tv_nsec) * 1e-9);
  }
  return best;
}

void check_growth(const std::function<void(std::size_t n)>& work) {
  constexpr std::size_t kSmall = 2000;
  constexpr double kMost = 10;
  // What takes less is not measured well, and is no harm.
  constexpr double kNoise = 0.01;
  const double small = cost([&] { work(kSmall); });
  const double large = cost([&] { work(4 * kSmall); });
  INFO(small << " s, then " << large << " s");
  CHECK(large < std::max(small, kNoise) * kMost);
}

struct RequestRow {
  std::string_view name;
  std::string_view from;
  std::string (*body)(std::size_t n);
};

constexpr std::string_view kOpenAi = "openai-chat";
constexpr std::string_view kClaude = "claude";

std::string openai(const std::string& messages, const std::string& more = {}) {
  return R"({"model":"m","messages":[)" + messages + "]" + more + "}";
}
std::string openai_tools(std::size_t n, const std::string& name) {
  return list(n, [&](std::size_t i) {
    return R"({"type":"function","function":{"name":")" + name + number(i) +
           R"(","parameters":{"type":"object"}}})";
  });
}
std::string openai_call(std::size_t i, const std::string& name) {
  return R"({"id":"c)" + number(i) +
         R"(","type":"function","function":{"name":")" + name + number(i) +
         R"(","arguments":"{}"}})";
}
std::string openai_calls(std::size_t n, const std::string& name) {
  return R"({"role":"assistant","content":null,"tool_calls":[)" +
         list(n, [&](std::size_t i) { return openai_call(i, name); }) + "]}";
}
std::string openai_result(std::size_t i) {
  return R"({"role":"tool","tool_call_id":"c)" + number(i) +
         R"(","content":"r"})";
}
const std::string kHi = R"({"role":"user","content":"hi"})";

constexpr RequestRow kRequests[] = {
    {"tools whose names are not taken", kOpenAi,
     [](std::size_t n) {
       return openai(kHi, R"(,"tools":[)" + openai_tools(n, "a.b.") + "]");
     }},
    {"calls whose names are not taken", kOpenAi,
     [](std::size_t n) {
       return openai(kHi + "," + openai_calls(n, "a.b.") + "," + kHi);
     }},
    {"calls of tools that are not declared", kOpenAi,
     [](std::size_t n) {
       return openai(kHi + "," + openai_calls(n, "t") + "," + kHi);
     }},
    {"results in another order", kOpenAi,
     [](std::size_t n) {
       return openai(
           kHi + "," + openai_calls(n, "t") + "," +
           list(n, [n](std::size_t i) { return openai_result(n - 1 - i); }));
     }},
    {"results in one message, in another order", kClaude,
     [](std::size_t n) {
       return R"({"model":"m","max_tokens":9,"messages":[)" + kHi +
              R"(,{"role":"assistant","content":[)" +
              list(n,
                   [](std::size_t i) {
                     return R"({"type":"tool_use","id":"c)" + number(i) +
                            R"(","name":"t","input":{}})";
                   }) +
              R"(]},{"role":"user","content":[)" +
              list(n,
                   [n](std::size_t i) {
                     return R"({"type":"tool_result","tool_use_id":"c)" +
                            number(n - 1 - i) + R"(","content":"r"})";
                   }) +
              "]}]}";
     }},
    {"turns of one call each", kOpenAi,
     [](std::size_t n) {
       return openai(kHi + "," + list(n, [](std::size_t i) {
                       return R"({"role":"assistant","tool_calls":[)" +
                              openai_call(i, "t") + "]}," + openai_result(i);
                     }));
     }},
    {"results of no call", kOpenAi,
     [](std::size_t n) {
       return openai(kHi + "," + openai_calls(1, "t") + "," +
                     list(n, openai_result));
     }},
    {"system turns in the middle", kOpenAi,
     [](std::size_t n) {
       return openai(kHi + "," +
                     list(n,
                          [](std::size_t) {
                            return std::string(
                                R"({"role":"system","content":"s"})");
                          }) +
                     R"(,{"role":"assistant","content":"a"},)" + kHi);
     }},
    {"unknown members", kOpenAi,
     [](std::size_t n) {
       return openai(kHi, "," + list(n, [](std::size_t i) {
                            return "\"x" + number(i) + "\":1";
                          }));
     }},
    {"unknown members of parts", kClaude,
     [](std::size_t n) {
       return R"({"model":"m","max_tokens":9,"messages":[{"role":"user",)"
              R"("content":[)" +
              list(n,
                   [](std::size_t i) {
                     return R"({"type":"text","text":"t","x)" + number(i) +
                            "\":1}";
                   }) +
              "]}]}";
     }},
    {"the same member again and again", kOpenAi,
     [](std::size_t n) {
       return openai(kHi, "," + list(n, [](std::size_t) {
                            return std::string(R"("temperature":1)");
                          }));
     }},
    {"stop sequences", kOpenAi,
     [](std::size_t n) {
       return openai(kHi, R"(,"stop":[)" + list(n, [](std::size_t i) {
                            return "\"s" + number(i) + "\"";
                          }) + "]");
     }},
    {"tools of a list of allowed ones", kOpenAi,
     [](std::size_t n) {
       return openai(
           kHi,
           R"(,"tools":[)" + openai_tools(n, "t") +
               R"(],"tool_choice":{"type":"allowed_tools",)"
               R"("allowed_tools":{"mode":"auto","tools":[)" +
               list(n,
                    [](std::size_t i) {
                      return R"({"type":"function","function":{"name":"t)" +
                             number(i) + "\"}}";
                    }) +
               "]}}");
     }},
    {"markers of caches", kClaude,
     [](std::size_t n) {
       return R"({"model":"m","max_tokens":9,"messages":[{"role":"user",)"
              R"("content":[)" +
              list(n,
                   [](std::size_t) {
                     return std::string(
                         R"({"type":"text","text":"t","cache_control":)"
                         R"({"type":"ephemeral"}})");
                   }) +
              "]}]}";
     }},
    {"messages", kOpenAi,
     [](std::size_t n) {
       return openai(
           list(n,
                [](std::size_t i) {
                  return i % 2 == 0
                             ? kHi
                             : std::string(
                                   R"({"role":"assistant","content":"a"})");
                }) +
           "," + kHi);
     }},
};

TEST_CASE("requests cost what their size says", "[growth]") {
  for (const RequestRow& row : kRequests) {
    for (const Dialect* to : dialects()) {
      const Dialect& from = *find_dialect(row.from);
      if (&from == to) continue;
      INFO(row.name << ", " << from.name << " to " << to->name);
      TranslateOptions options;
      options.model = "claude-opus-4-6";
      options.drop_hosted_tools = true;
      options.drop_prefill = true;
      check_growth([&](std::size_t n) {
        auto parsed = ParsedRequest::parse(from, row.body(n));
        REQUIRE(parsed);
        const auto sent = translate_request(*std::move(parsed), *to, options);
        if (!sent) INFO(sent.error().message);
        REQUIRE(sent);
      });
    }
  }
}

TEST_CASE("lists in headers cost what their size says", "[growth]") {
  check_growth([](std::size_t n) {
    const Headers client = {{"anthropic-beta", list(n, number)}};
    Headers upstream;
    gateway::forward_request_headers(*find_dialect("claude"), client, {},
                                     upstream);
    REQUIRE(upstream.size() == 1);
    CHECK(upstream[0].value == client[0].value);
  });
}

TEST_CASE("edits of the system prompt cost what its size says", "[growth]") {
  SystemEdits edits;
  edits.append = "more";
  edits.replacements = {{"s", "t"}};
  edits.progress = true;
  for (const RequestRow& row : kRequests) {
    INFO(row.name);
    check_growth([&](std::size_t n) {
      const auto parsed =
          ParsedRequest::parse(*find_dialect(row.from), row.body(n));
      REQUIRE(parsed);
      CHECK(edit_system(*parsed, edits));
    });
  }
}

struct StreamRow {
  std::string_view name;
  std::string_view from;
  std::string (*events)(std::size_t n);
};

std::string openai_event(const std::string& delta) {
  return R"(data: {"id":"c","object":"chat.completion.chunk","created":1,)"
         R"("model":"m","choices":[{"index":0,"delta":)" +
         delta + "}]}\n\n";
}
std::string claude_event(const std::string& type, const std::string& more) {
  return "event: " + type + "\ndata: {\"type\":\"" + type + "\"," + more +
         "}\n\n";
}
std::string repeat(std::size_t n, const Text& text) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += text(i);
  return out;
}
const std::string kClaudeStart = claude_event(
    "message_start",
    R"("message":{"id":"m","type":"message","role":"assistant","content":[],)"
    R"("model":"m","usage":{"input_tokens":1,"output_tokens":1}})");

constexpr StreamRow kStreams[] = {
    {"pieces of a text", kOpenAi,
     [](std::size_t n) {
       return repeat(
           n, [](std::size_t) { return openai_event(R"({"content":"a"})"); });
     }},
    {"calls", kOpenAi,
     [](std::size_t n) {
       return repeat(n, [](std::size_t i) {
         return openai_event(
             R"({"tool_calls":[{"index":)" + number(i) + R"(,"id":"c)" +
             number(i) + R"(","function":{"name":"t","arguments":"{}"}}]})");
       });
     }},
    {"calls without a name", kOpenAi,
     [](std::size_t n) {
       return repeat(n, [](std::size_t i) {
         return openai_event(R"({"tool_calls":[{"index":)" + number(i) +
                             R"(,"function":{"arguments":"{}"}}]})");
       });
     }},
    {"calls that stay open", kOpenAi,
     [](std::size_t n) {
       return repeat(n, [](std::size_t i) {
         return openai_event(R"({"tool_calls":[{"index":)" + number(i) +
                             R"(,"id":"c)" + number(i) +
                             R"(","function":{"name":"t","arguments":"{"}}]})");
       });
     }},
    {"pieces of arguments", kOpenAi,
     [](std::size_t n) {
       return openai_event(R"({"tool_calls":[{"index":0,"id":"c","function":)"
                           R"({"name":"t","arguments":"{"}}]})") +
              repeat(n, [](std::size_t) {
                return openai_event(R"({"tool_calls":[{"index":0,"function":)"
                                    R"({"arguments":" "}}]})");
              });
     }},
    {"comments", kOpenAi,
     [](std::size_t n) {
       return repeat(n, [](std::size_t) { return std::string(": c\n\n"); });
     }},
    {"lines of one event", kOpenAi,
     [](std::size_t n) {
       return repeat(n, [](std::size_t) { return std::string("data: 1\n"); });
     }},
    {"blocks", kClaude,
     [](std::size_t n) {
       return kClaudeStart + repeat(n, [](std::size_t i) {
                const std::string index = R"("index":)" + number(i);
                return claude_event("content_block_start",
                                    index + R"(,"content_block":)"
                                            R"({"type":"text","text":""})") +
                       claude_event("content_block_stop", index);
              });
     }},
    {"blocks that stay open", kClaude,
     [](std::size_t n) {
       return kClaudeStart + repeat(n, [](std::size_t i) {
                return claude_event(
                    "content_block_start",
                    R"("index":)" + number(i) +
                        R"(,"content_block":{"type":"tool_use","id":"c)" +
                        number(i) + R"(","name":"t","input":{}})");
              });
     }},
    {"unknown blocks", kClaude,
     [](std::size_t n) {
       return kClaudeStart + repeat(n, [](std::size_t i) {
                return claude_event("content_block_start",
                                    R"("index":)" + number(i) +
                                        R"(,"content_block":{"type":"x)" +
                                        number(i) + "\"}");
              });
     }},
};

TEST_CASE("streams cost what their size says", "[growth]") {
  RequestContext context;
  context.stream = true;
  context.custom_tools = {"t"};
  for (const StreamRow& row : kStreams) {
    for (const Dialect* to : dialects()) {
      INFO(row.name << ", " << row.from << " to " << to->name);
      check_growth([&](std::size_t n) {
        StreamTranslator stream(*find_dialect(row.from), *to, context);
        const std::string events = row.events(n);
        std::string out;
        // In pieces, as they come.
        constexpr std::size_t kPiece = 4096;
        for (std::size_t at = 0; at < events.size(); at += kPiece) {
          stream.feed(std::string_view(events).substr(at, kPiece), out);
        }
        stream.finish(out);
        CHECK(stream.done());
      });
    }
  }
}

}  // namespace
}  // namespace llmproxy
