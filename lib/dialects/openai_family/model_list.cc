// Lists of models as GET /v1/models has them.
// Source: OpenAI API reference, "List models".
#include "dialects/openai_family/serving.h"
#include "json/writer.h"

namespace llmproxy::openai_family {
namespace {

void write(const ModelEntry& model, json::Writer& w) {
  w.begin_object();
  w.member("id", model.id);
  w.member("object", "model");
  w.member("created", model.created);
  w.member("owned_by", model.owner);
  w.end_object();
}

}  // namespace

void write_model(const ModelEntry& model, std::string& out) {
  json::Writer w(out);
  write(model, w);
}

void write_model_list(std::span<const ModelEntry> page, bool /*more*/,
                      std::string& out) {
  json::Writer w(out);
  w.begin_object();
  w.member("object", "list");
  w.begin_array("data");
  for (const ModelEntry& model : page) write(model, w);
  w.end_array();
  w.end_object();
}

}  // namespace llmproxy::openai_family
