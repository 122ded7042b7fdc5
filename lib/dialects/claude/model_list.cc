// Lists of models as GET /v1/models has them.
// Source: Anthropic API reference, "List Models".
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "dialects/claude/serving.h"
#include "json/writer.h"

namespace llmproxy::claude {
namespace {

void write(const ModelEntry& model, json::Writer& w) {
  w.begin_object();
  w.member("type", "model");
  w.member("id", model.id);
  w.member("display_name", model.id);
  w.member("created_at",
           fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(model.created)));
  w.end_object();
}

void write_id_or_null(std::string_view name, std::string_view id,
                      json::Writer& w) {
  if (id.empty()) return w.member_null(name);
  w.member(name, id);
}

}  // namespace

void write_model(const ModelEntry& model, std::string& out) {
  json::Writer w(out);
  write(model, w);
}

void write_model_list(std::span<const ModelEntry> page, bool more,
                      std::string& out) {
  json::Writer w(out);
  w.begin_object();
  w.key("data");
  w.begin_array();
  for (const ModelEntry& model : page) write(model, w);
  w.end_array();
  w.member("has_more", more);
  const bool none = page.empty();
  write_id_or_null("first_id", none ? "" : page.front().id, w);
  write_id_or_null("last_id", none ? "" : page.back().id, w);
  w.end_object();
}

}  // namespace llmproxy::claude
