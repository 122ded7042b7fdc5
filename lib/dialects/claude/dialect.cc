// Anthropic Messages, POST /v1/messages: the descriptor.
#include <fmt/format.h>

#include <algorithm>

#include "dialects/anthropic_family/serving.h"
#include "dialects/claude/tables.h"
#include "dialects/model_list.h"
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

/// "2026-01-31T12:00:00Z", for any second from 1970 to 9999. Counted from a
/// first of March, so that leap days come last; the core asks no calendar.
std::string date_of(std::int64_t unix_seconds) {
  constexpr std::int64_t kLastSecond = 253'402'300'799;
  constexpr std::int64_t kDay = 86400;  // seconds
  const auto seconds = std::clamp<std::int64_t>(unix_seconds, 0, kLastSecond);
  const std::int64_t days = seconds / kDay + 719468;  // since 0000-03-01
  const std::int64_t era = days / 146097;             // of 400 years
  const std::int64_t day_of_era = days % 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 +
                                    day_of_era / 36524 - day_of_era / 146096) /
                                   365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * day_of_year + 2) / 153;  // 0 = March
  const std::int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
  const bool next_year = month >= 10;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                     era * 400 + year_of_era + (next_year ? 1 : 0),
                     next_year ? month - 9 : month + 3, day,
                     seconds % kDay / 3600, seconds % 3600 / 60, seconds % 60);
}

void write_entry(const ModelEntry& model, json::Writer& w) {
  w.begin_object();
  w.member("type", "model");
  w.member("id", model.id);
  w.member("display_name", model.id);
  w.member("created_at", date_of(model.created));
  w.end_object();
}

void write_model_list(std::span<const ModelEntry> page, bool more,
                      std::string& out) {
  json::Writer w(out);
  w.begin_object();
  write_models<write_entry>("data", page, w);
  w.member("has_more", more);
  const bool none = page.empty();
  w.member_or_null("first_id", none ? "" : page.front().id);
  w.member_or_null("last_id", none ? "" : page.back().id);
  w.end_object();
}

constexpr std::array<std::string_view, 1> kModelPaths = {"/v1/models/"};
constexpr ModelListShape kModelList = {
    .upstream_path = "/models?limit=1000",
    .upstream_next = "after_id",
    .client_paths = kModelPaths,
    .write_model = write_one_model<write_entry>,
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
    LLMPROXY_DIALECT_MEMBERS,
};

}  // namespace llmproxy::claude
