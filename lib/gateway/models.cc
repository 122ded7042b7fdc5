// Lists of models, and the pages of those, in the shape that the dialect has.
#include "gateway/models.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/listed_models.h"
#include "gateway/log_text.h"
#include "gateway/model_lists.h"
#include "gateway/query.h"
#include "gateway/unknown_model.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy::gateway {
namespace {

/// What of a list one answer holds.
struct Page {
  std::span<const ModelEntry> models;
  bool more = false;  ///< there are others behind them
};

const ModelListShape& shape_for(const Dialect& dialect) {
  const ModelListShape* own = dialect.model_list;
  const bool writes = own && own->write_model && own->write_list;
  return writes ? *own : *dialects().front()->model_list;
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
Result<std::size_t> place_of(std::span<const ModelEntry> models,
                             std::string_view query, std::string_view name) {
  const std::string id = name.empty() ? "" : query_value(query, name);
  if (id.empty()) return models.size();
  const auto found =
      std::find_if(models.begin(), models.end(),
                   [&](const ModelEntry& model) { return model.id == id; });
  if (found == models.end()) {
    return invalid_request(fmt::format(
        "{} is not a page token of this list; ask for the first page "
        "again",
        name));
  }
  return static_cast<std::size_t>(found - models.begin());
}

/// The page that a query asks for.
Result<Page> page_of(const ModelListShape& shape, std::string_view query,
                     std::span<const ModelEntry> all) {
  if (shape.limit.empty()) return Page{all};
  LLMPROXY_ASSIGN(const std::size_t after, place_of(all, query, shape.after));
  LLMPROXY_ASSIGN(const std::size_t before, place_of(all, query, shape.before));
  const std::size_t first = after < all.size() ? after + 1 : 0;
  const std::span<const ModelEntry> rest =
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
  std::vector<ModelEntry> models;
  models.reserve(listed.size());
  for (const ListedModel& model : listed) {
    models.push_back({model.id, model.backend, core.started()});
  }
  const ModelListShape& shape = shape_for(exchange.dialect);
  const Result<Page> page = page_of(shape, exchange.request.query, models);
  if (!page) {
    return exchange.answer.send_error(exchange.dialect, page.error());
  }
  std::string body;
  shape.write_list(page->models, page->more, body);
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
  shape_for(exchange.dialect)
      .write_model({id, target->backend, core.started()}, body);
  exchange.answer.send_json(200, {}, body);
}

}  // namespace llmproxy::gateway
