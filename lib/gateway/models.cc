// The shapes of a model and of a list of them, and the pages of those.
#include "gateway/models.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "gateway/listed_models.h"
#include "gateway/log_text.h"
#include "gateway/model_lists.h"
#include "gateway/percent.h"
#include "gateway/unknown_model.h"
#include "json/writer.h"

namespace llmproxy::gateway {
namespace {

struct Model {
  std::string_view id;
  std::string_view backend;
  std::int64_t created;  ///< Unix seconds
};

/// What of a list one answer holds.
struct Page {
  std::span<const Model> models;
  bool more = false;  ///< there are others behind them
};

// [openai-chat: GET /v1/models]
void write_openai_model(const Model& model, json::Writer& out) {
  out.begin_object();
  out.member("id", model.id);
  out.member("object", "model");
  out.member("created", model.created);
  out.member("owned_by", model.backend);
  out.end_object();
}

void write_openai_list(const Page& page, json::Writer& out) {
  out.begin_object();
  out.member("object", "list");
  out.key("data");
  out.begin_array();
  for (const Model& model : page.models) write_openai_model(model, out);
  out.end_array();
  out.end_object();
}

// [claude: GET /v1/models]
void write_claude_model(const Model& model, json::Writer& out) {
  out.begin_object();
  out.member("type", "model");
  out.member("id", model.id);
  out.member("display_name", model.id);
  out.member("created_at",
             fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(model.created)));
  out.end_object();
}

void write_id_or_null(std::string_view name, std::string_view id,
                      json::Writer& out) {
  if (id.empty()) return out.member_null(name);
  out.member(name, id);
}

void write_claude_list(const Page& page, json::Writer& out) {
  out.begin_object();
  out.key("data");
  out.begin_array();
  for (const Model& model : page.models) write_claude_model(model, out);
  out.end_array();
  out.member("has_more", page.more);
  const bool none = page.models.empty();
  write_id_or_null("first_id", none ? "" : page.models.front().id, out);
  write_id_or_null("last_id", none ? "" : page.models.back().id, out);
  out.end_object();
}

// [gemini: models.list, models.get]
void write_gemini_model(const Model& model, json::Writer& out) {
  out.begin_object();
  out.member("name", fmt::format("models/{}", model.id));
  out.member("displayName", model.id);
  out.key("supportedGenerationMethods");
  out.begin_array();
  for (const std::string_view method :
       {"generateContent", "streamGenerateContent", "countTokens"}) {
    out.string(method);
  }
  out.end_array();
  out.end_object();
}

void write_gemini_list(const Page& page, json::Writer& out) {
  out.begin_object();
  out.key("models");
  out.begin_array();
  for (const Model& model : page.models) write_gemini_model(model, out);
  out.end_array();
  if (page.more) out.member("nextPageToken", page.models.back().id);
  out.end_object();
}

/// How a dialect writes models.
struct Shape {
  std::string_view dialect;
  void (*write_model)(const Model& model, json::Writer& out);
  void (*write_list)(const Page& page, json::Writer& out);
  /// How its clients ask for a page: how many, behind which name, before which.
  /// Empty = they do not.
  std::string_view limit = {};
  std::string_view after = {};
  std::string_view before = {};
};
constexpr std::array kShapes = {
    Shape{"openai-chat", write_openai_model, write_openai_list},
    Shape{"claude", write_claude_model, write_claude_list, "limit", "after_id",
          "before_id"},
    Shape{"gemini", write_gemini_model, write_gemini_list, "pageSize",
          "pageToken"},
};

const Shape& shape_for(const Dialect& dialect) {
  for (const Shape& shape : kShapes) {
    if (shape.dialect == dialect.name) return shape;
  }
  return kShapes.front();
}

/// A number of models; without a sensible one all of them.
std::size_t limit_of(std::string_view text, std::size_t all) {
  std::size_t limit = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, limit);
  const bool sensible = code == std::errc() && stop == end && limit > 0;
  return sensible ? std::min(limit, all) : all;
}

/// Where the model that a query names stands; the end where it names none.
Result<std::size_t> place_of(std::span<const Model> models,
                             std::string_view query, std::string_view name) {
  const std::string id = name.empty() ? "" : query_value(query, name);
  if (id.empty()) return models.size();
  const auto found =
      std::find_if(models.begin(), models.end(),
                   [&](const Model& model) { return model.id == id; });
  if (found == models.end()) {
    return invalid_request(
        fmt::format("{} is none that this list gave; ask for the first page "
                    "again",
                    name));
  }
  return static_cast<std::size_t>(found - models.begin());
}

/// The page that a query asks for.
Result<Page> page_of(const Shape& shape, std::string_view query,
                     std::span<const Model> all) {
  if (shape.limit.empty()) return Page{all};
  LLMPROXY_ASSIGN(const std::size_t after, place_of(all, query, shape.after));
  LLMPROXY_ASSIGN(const std::size_t before, place_of(all, query, shape.before));
  const std::size_t first = after < all.size() ? after + 1 : 0;
  const std::span<const Model> rest =
      all.subspan(first, std::max(before, first) - first);
  const std::size_t limit =
      limit_of(query_value(query, shape.limit), rest.size());
  // Those next to the model that they stand before.
  const bool last = before < all.size();
  return Page{last ? rest.last(limit) : rest.first(limit), limit < rest.size()};
}

}  // namespace

void list_models(Exchange& exchange) {
  const Core& core = exchange.core;
  refresh_models(exchange);
  const std::vector<ListedModel> listed =
      listed_models(core, exchange.mount.prefix);
  std::vector<Model> models;
  models.reserve(listed.size());
  for (const ListedModel& model : listed) {
    models.push_back({model.id, model.backend, core.started()});
  }
  const Shape& shape = shape_for(exchange.dialect);
  const Result<Page> page = page_of(shape, exchange.request.query, models);
  if (!page) {
    return exchange.answer.send_error(exchange.dialect, page.error());
  }
  std::string body;
  json::Writer writer(body);
  shape.write_list(*page, writer);
  exchange.answer.send_json(200, {}, body);
}

void get_model(Exchange& exchange) {
  const Core& core = exchange.core;
  const std::string id = percent_decoded(exchange.tail);
  const auto target = core.routes().find(id, exchange.mount.prefix);
  if (!target) {
    return exchange.answer.send_error(
        exchange.dialect, unknown_model(core, id, exchange.mount.prefix));
  }
  std::string body;
  json::Writer writer(body);
  shape_for(exchange.dialect)
      .write_model({id, target->backend, core.started()}, writer);
  exchange.answer.send_json(200, {}, body);
}

}  // namespace llmproxy::gateway
