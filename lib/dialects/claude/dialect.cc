// Anthropic Messages, POST /v1/messages: the descriptor.
#include <fmt/format.h>

#include <chrono>

#include "dialects/anthropic_family/serving.h"
#include "dialects/claude/tables.h"
#include "json/writer.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy::claude {

namespace {

constexpr std::array kClientPaths = {
    ClientPath{"/v1/messages"},
    ClientPath{"/v1/messages/count_tokens", Operation::count_tokens}};

constexpr std::array kHeaders = {
    FixedHeader{"anthropic-version", "2023-06-01"}};

constexpr std::array kMarks = {ClientMark{.header = "anthropic-version"}};

constexpr std::array<std::string_view, 2> kRequestHeaders = {
    "anthropic-version", "anthropic-beta"};
constexpr std::array<std::string_view, 1> kListHeaders = {"anthropic-beta"};
constexpr std::array<std::string_view, 2> kAnswerHeaders = {
    "anthropic-ratelimit-", "anthropic-priority-"};
constexpr DialectHeaders kDialectHeaders = {.request_id = "request-id",
                                            .request = kRequestHeaders,
                                            .lists = kListHeaders,
                                            .answer = kAnswerHeaders};

constexpr DialectSetup kSetup = {
    .key = "x-api-key: KEY",
    .base_url = "the base URL of an Anthropic client ends without /v1",
    .provider = "anthropic"};

// Anthropic API reference, "Count Message tokens".
constexpr CountTokens kCountTokens = {.needed_name = "max_tokens",
                                      .needed = R"("max_tokens":1)",
                                      .upstream_path = "/messages/count_tokens",
                                      .answer = "input_tokens"};

// Anthropic API reference, "List Models".

/// "2026-01-31T12:00:00Z"
std::string date_of(std::int64_t unix_seconds) {
  namespace chrono = std::chrono;
  const chrono::sys_seconds time{chrono::seconds(unix_seconds)};
  const auto midnight = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(midnight);
  const chrono::hh_mm_ss clock(time - midnight);
  return fmt::format(
      "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

void write_entry(const ModelEntry& model, json::Writer& w) {
  w.begin_object();
  w.member("type", "model");
  w.member("id", model.id);
  w.member("display_name", model.id);
  w.member("created_at", date_of(model.created));
  w.end_object();
}

void write_id_or_null(std::string_view name, std::string_view id,
                      json::Writer& w) {
  if (id.empty()) return w.member_null(name);
  w.member(name, id);
}

void write_model(const ModelEntry& model, std::string& out) {
  json::Writer w(out);
  write_entry(model, w);
}

void write_model_list(std::span<const ModelEntry> page, bool more,
                      std::string& out) {
  json::Writer w(out);
  w.begin_object();
  w.key("data");
  w.begin_array();
  for (const ModelEntry& model : page) write_entry(model, w);
  w.end_array();
  w.member("has_more", more);
  const bool none = page.empty();
  write_id_or_null("first_id", none ? "" : page.front().id, w);
  write_id_or_null("last_id", none ? "" : page.back().id, w);
  w.end_object();
}

constexpr std::array<std::string_view, 1> kModelPaths = {"/v1/models/"};
constexpr ModelListShape kModelList = {.upstream_path = "/models?limit=1000",
                                       .upstream_next = "after_id",
                                       .client_paths = kModelPaths,
                                       .write_model = write_model,
                                       .write_list = write_model_list,
                                       .limit = "limit",
                                       .after = "after_id",
                                       .before = "before_id"};

}  // namespace

extern const Dialect kDialect;
const Dialect kDialect = {
    .name = kName,
    .title = "Anthropic Messages",
    .wire = kName,
    .vendor = "anthropic",
    .api = "the Anthropic API",
    .upstream_path = "/messages",
    .upstream_stream_path = "",
    .upstream_headers = kHeaders,
    .client_paths = kClientPaths,
    .marks = kMarks,
    .field_names = kFieldNames,
    .nested_objects = anthropic_family::kNestedObjects,
    .headers = &kDialectHeaders,
    .setup = &kSetup,
    .count_tokens = &kCountTokens,
    .model_list = &kModelList,
    .system_shape = &anthropic_family::kSystemShape,
    .framing = Framing::sse,
    .stream_content_type = "text/event-stream; charset=utf-8",
    .max_tool_name = 64,
    .custom_tools = false,
    .limits = &kLimits,
    .decode_request = decode_request,
    .encode_request = encode_request,
    .decode_response = decode_response,
    .encode_response = encode_response,
    .decode_error = decode_error,
    .is_error = is_error,
    .encode_error = encode_error,
    .new_stream_decoder = new_stream_decoder,
    .new_stream_encoder = new_stream_encoder,
    .read_usage = read_answer_usage,
};

}  // namespace llmproxy::claude
