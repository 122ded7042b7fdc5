// OpenAI Responses: what answers repeat of the request.
#include <algorithm>
#include <array>
#include <span>

#include "dialects/openai_responses/tables.h"
#include "json/writer.h"

namespace llmproxy::openai_responses {
namespace {

using json::Value;

/// A member that answers have, and what stands there when the client said
/// nothing: SDKs take them for required.
struct Row {
  std::string_view name;
  std::string_view fallback;
  std::span<const Row> inner = {};  ///< of the objects that stand there
  std::string_view type = {};       ///< of the objects around it; "" = of all
};
constexpr std::array kReasoning = {Row{"effort", "null"},
                                   Row{"summary", "null"}};
constexpr std::array kFormat = {Row{"description", "null", {}, "json_schema"},
                                Row{"strict", "false", {}, "json_schema"}};
constexpr std::array kText = {Row{"format", R"({"type":"text"})", kFormat}};
constexpr std::array kTool = {Row{"description", "null", {}, "function"},
                              Row{"parameters", "null", {}, "function"},
                              Row{"strict", "null", {}, "function"}};

/// Members of a request that answers repeat. So have them the schemas of Open
/// Responses, 2026-04.
constexpr std::array kEcho = {
    Row{"frequency_penalty", "0"},
    Row{"instructions", "null"},
    Row{"max_output_tokens", "null"},
    Row{"max_tool_calls", "null"},
    Row{"metadata", "{}"},
    Row{"parallel_tool_calls", "true"},
    Row{"presence_penalty", "0"},
    Row{"previous_response_id", "null"},
    Row{"prompt_cache_key", "null"},
    Row{"reasoning", R"({"effort":null,"summary":null})", kReasoning},
    Row{"safety_identifier", "null"},
    Row{"store", "true"},
    Row{"temperature", "1"},
    Row{"text", R"({"format":{"type":"text"}})", kText},
    Row{"tool_choice", R"("auto")"},
    Row{"tools", "[]", kTool},
    Row{"top_logprobs", "0"},
    Row{"top_p", "1"},
    Row{"truncation", R"("disabled")"},
    Row{"user", "null"},
};

/// What is longer is not repeated: a stream says it three times, and it is
/// kept until then. Bytes.
constexpr std::size_t kLongestEcho = std::size_t{256} << 10;

const Row* find_row(std::span<const Row> rows, std::string_view name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& one) {
    return one.name == name;
  });
  return row == rows.end() ? nullptr : &*row;
}

/// An object, or all objects of an array, with the members of `rows`.
void write_filled(const Value& value, std::span<const Row> rows,
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
    const Row* row = find_row(rows, member.key());
    write_filled(member, row == nullptr ? std::span<const Row>() : row->inner,
                 w);
  }
  const std::string_view type = value["type"].string();
  for (const Row& row : rows) {
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
  for (const Row& row : kEcho) {
    const Value value = body[row.name];
    if (value.absent() || value.raw().size() > kLongestEcho) continue;
    w.key(row.name);
    write_filled(value, row.inner, w);
  }
  w.end_object();
  return json::Trusted::json(std::move(out));
}

bool is_echoed(std::string_view name) {
  return find_row(kEcho, name) != nullptr;
}

void write_echo(const RequestContext& context, json::Writer& w) {
  json::Document document;
  const std::string_view echo =
      context.echo.empty() ? std::string_view("{}") : context.echo.text();
  const auto root = document.parse_view(echo);
  for (const Row& row : kEcho) {
    const Value given = root ? (*root)[row.name] : Value();
    w.member_raw(row.name, given.absent() ? row.fallback : given.raw());
  }
}

}  // namespace llmproxy::openai_responses
