// The two shapes of a model and of a list of them.
#include "gateway/models.h"

#include <array>
#include <span>
#include <string>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "gateway/log_text.h"
#include "gateway/percent.h"
#include "json/writer.h"

namespace llmproxy::gateway {
namespace {

struct Model {
  std::string_view id;
  std::string_view backend;
  std::int64_t created;  ///< Unix seconds
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

void write_openai_list(std::span<const Model> models, json::Writer& out) {
  out.begin_object();
  out.member("object", "list");
  out.key("data");
  out.begin_array();
  for (const Model& model : models) write_openai_model(model, out);
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

void write_claude_list(std::span<const Model> models, json::Writer& out) {
  out.begin_object();
  out.key("data");
  out.begin_array();
  for (const Model& model : models) write_claude_model(model, out);
  out.end_array();
  // Everything is on the first page, whatever `limit` says.
  out.member("has_more", false);
  const bool none = models.empty();
  write_id_or_null("first_id", none ? "" : models.front().id, out);
  write_id_or_null("last_id", none ? "" : models.back().id, out);
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

void write_gemini_list(std::span<const Model> models, json::Writer& out) {
  out.begin_object();
  out.key("models");
  out.begin_array();
  for (const Model& model : models) write_gemini_model(model, out);
  out.end_array();
  out.end_object();
}

/// How a dialect writes models.
struct Shape {
  std::string_view dialect;
  void (*write_model)(const Model& model, json::Writer& out);
  void (*write_list)(std::span<const Model> models, json::Writer& out);
};
constexpr std::array kShapes = {
    Shape{"openai-chat", write_openai_model, write_openai_list},
    Shape{"claude", write_claude_model, write_claude_list},
    Shape{"gemini", write_gemini_model, write_gemini_list},
};

const Shape& shape_for(const Dialect& dialect) {
  for (const Shape& shape : kShapes) {
    if (shape.dialect == dialect.name) return shape;
  }
  return kShapes.front();
}

}  // namespace

void list_models(Exchange& exchange) {
  const Core& core = exchange.core;
  std::vector<Model> models;
  for (const std::string_view name :
       core.routes().names(exchange.mount.prefix)) {
    const auto target = core.routes().find(name, exchange.mount.prefix);
    models.push_back({name, target->backend, core.started()});
  }
  std::string body;
  json::Writer writer(body);
  shape_for(exchange.dialect).write_list(models, writer);
  exchange.answer.send_json(200, {}, body);
}

void get_model(Exchange& exchange) {
  const Core& core = exchange.core;
  const std::string id = percent_decoded(exchange.tail);
  const auto target = core.routes().find(id, exchange.mount.prefix);
  if (!target) {
    return exchange.answer.send_error(exchange.dialect, unknown_model(id));
  }
  std::string body;
  json::Writer writer(body);
  shape_for(exchange.dialect)
      .write_model({id, target->backend, core.started()}, writer);
  exchange.answer.send_json(200, {}, body);
}

Error unknown_model(std::string_view model) {
  Error error;
  error.kind = ErrorKind::not_found;
  error.fault = Fault::client;
  error.message =
      fmt::format("the model '{}' does not exist here", short_name(model));
  error.path = "/model";
  error.code = "model_not_found";
  return error;
}

}  // namespace llmproxy::gateway
