// Lists of models as GET /v1/models has them.
// Source: OpenAI API reference, "List models".
#include "dialects/model_list.h"
#include "dialects/openai_family/serving.h"

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
  write_one_model<write>(model, out);
}

void write_model_list(std::span<const ModelEntry> page, bool /*more*/,
                      std::string& out) {
  json::Writer w(out);
  w.begin_object();
  w.member("object", "list");
  write_models<write>("data", page, w);
  w.end_object();
}

}  // namespace llmproxy::openai_family
