// OpenAI Responses: what answers repeat of the request.
#include <algorithm>
#include <array>
#include <span>

#include "dialects/openai_responses/tables.h"
#include "json/writer.h"

namespace llmproxy::openai_responses {
namespace {

using json::Value;

/// A member that objects in answers have, though requests may leave it out.
struct FillRow {
  std::string_view type;  ///< of the objects; "" = of all
  std::string_view name;
  std::string_view fallback;
  std::span<const FillRow> inner = {};  ///< of what stands there
};
constexpr std::array kReasoning = {FillRow{"", "effort", "null"},
                                   FillRow{"", "summary", "null"}};
constexpr std::array kFormat = {FillRow{"json_schema", "description", "null"},
                                FillRow{"json_schema", "strict", "false"}};
constexpr std::array kText = {
    FillRow{"", "format", R"({"type":"text"})", kFormat}};
constexpr std::array kTool = {FillRow{"function", "description", "null"},
                              FillRow{"function", "parameters", "null"},
                              FillRow{"function", "strict", "null"}};

/// Members of a request that answers repeat, and what stands there when the
/// client said nothing: SDKs take them for required. So do the schemas of
/// Open Responses, 2026-04.
struct EchoRow {
  std::string_view name;
  std::string_view fallback;
  std::span<const FillRow> inner = {};
};
constexpr std::array kEcho = {
    EchoRow{"frequency_penalty", "0"},
    EchoRow{"instructions", "null"},
    EchoRow{"max_output_tokens", "null"},
    EchoRow{"max_tool_calls", "null"},
    EchoRow{"metadata", "{}"},
    EchoRow{"parallel_tool_calls", "true"},
    EchoRow{"presence_penalty", "0"},
    EchoRow{"previous_response_id", "null"},
    EchoRow{"prompt_cache_key", "null"},
    EchoRow{"reasoning", R"({"effort":null,"summary":null})", kReasoning},
    EchoRow{"safety_identifier", "null"},
    EchoRow{"store", "true"},
    EchoRow{"temperature", "1"},
    EchoRow{"text", R"({"format":{"type":"text"}})", kText},
    EchoRow{"tool_choice", R"("auto")"},
    EchoRow{"tools", "[]", kTool},
    EchoRow{"top_logprobs", "0"},
    EchoRow{"top_p", "1"},
    EchoRow{"truncation", R"("disabled")"},
    EchoRow{"user", "null"},
};

/// What is longer is not repeated: a stream says it three times, and it is
/// kept until then. Bytes.
constexpr std::size_t kLongestEcho = std::size_t{256} << 10;

/// Those of the member `name`.
std::span<const FillRow> rows_within(std::span<const FillRow> rows,
                                     std::string_view name) {
  for (const FillRow& row : rows) {
    if (row.name == name) return row.inner;
  }
  return {};
}

/// An object, or all objects of an array, with the members of `rows`.
void write_filled(const Value& value, std::span<const FillRow> rows,
                  json::Writer& w) {
  if (rows.empty() || !(value.is_array() || value.is_object())) {
    return w.raw(value.raw());
  }
  if (value.is_array()) {
    w.begin_array();
    for (const Value element : value.children()) write_filled(element, rows, w);
    return w.end_array();
  }
  w.begin_object();
  for (const Value member : value.children()) {
    w.key(member.key());
    write_filled(member, rows_within(rows, member.key()), w);
  }
  const std::string_view type = value["type"].string();
  for (const FillRow& row : rows) {
    if (!row.type.empty() && row.type != type) continue;
    if (!value[row.name]) w.member_raw(row.name, row.fallback);
  }
  w.end_object();
}

}  // namespace

RawJson echo(const Value& body) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  for (const EchoRow& row : kEcho) {
    const Value value = body[row.name];
    if (value.absent() || value.raw().size() > kLongestEcho) continue;
    w.key(row.name);
    write_filled(value, row.inner, w);
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
    w.member_raw(row.name, given.absent() ? row.fallback : given.raw());
  }
}

}  // namespace llmproxy::openai_responses
