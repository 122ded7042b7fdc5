// OpenAI Responses: what answers repeat of the request.
#include <algorithm>
#include <array>

#include "dialects/openai_responses/tables.h"
#include "json/writer.h"

namespace llmproxy::openai_responses {
namespace {

using json::Value;

/// Members of a request that answers repeat, and what stands there when the
/// client said nothing: SDKs take them for required.
struct EchoRow {
  std::string_view name;
  std::string_view fallback;
};
constexpr std::array kEcho = {
    EchoRow{"instructions", "null"},
    EchoRow{"max_output_tokens", "null"},
    EchoRow{"max_tool_calls", "null"},
    EchoRow{"metadata", "{}"},
    EchoRow{"parallel_tool_calls", "true"},
    EchoRow{"previous_response_id", "null"},
    EchoRow{"prompt_cache_key", ""},
    EchoRow{"reasoning", R"({"effort":null,"summary":null})"},
    EchoRow{"safety_identifier", ""},
    EchoRow{"store", "true"},
    EchoRow{"temperature", "1"},
    EchoRow{"text", R"({"format":{"type":"text"}})"},
    EchoRow{"tool_choice", R"("auto")"},
    EchoRow{"tools", "[]"},
    EchoRow{"top_logprobs", "0"},
    EchoRow{"top_p", "1"},
    EchoRow{"truncation", R"("disabled")"},
    EchoRow{"user", "null"},
};

/// What is longer is not repeated: a stream says it three times, and it is
/// kept until then. Bytes.
constexpr std::size_t kLongestEcho = std::size_t{256} << 10;

}  // namespace

RawJson echo(const Value& body) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  for (const EchoRow& row : kEcho) {
    const Value value = body[row.name];
    if (value.absent() || value.raw().size() > kLongestEcho) continue;
    w.member_raw(row.name, value.raw());
  }
  w.end_object();
  return json::Trusted::json(std::move(out));
}

bool is_echoed(std::string_view name) {
  return std::any_of(kEcho.begin(), kEcho.end(),
                     [&](const EchoRow& row) { return row.name == name; });
}

void write_echo(const RequestContext& context, json::Writer& w) {
  json::Document document;
  const std::string_view echo =
      context.echo.empty() ? std::string_view("{}") : context.echo.text();
  const auto root = document.parse_view(echo);
  for (const EchoRow& row : kEcho) {
    const Value given = root ? (*root)[row.name] : Value();
    const std::string_view text = given.absent() ? row.fallback : given.raw();
    if (!text.empty()) w.member_raw(row.name, text);
  }
}

}  // namespace llmproxy::openai_responses
