// Lists of models as GET /v1beta/models has them.
// Source: Gemini API reference, "models.list", "models.get".
#include <fmt/format.h>

#include "dialects/gemini/serving.h"
#include "json/writer.h"

namespace llmproxy::gemini {
namespace {

void write(const ModelEntry& model, json::Writer& w) {
  w.begin_object();
  w.member("name", fmt::format("models/{}", model.id));
  w.member("displayName", model.id);
  w.key("supportedGenerationMethods");
  w.begin_array();
  for (const std::string_view method :
       {"generateContent", "streamGenerateContent", "countTokens"}) {
    w.string(method);
  }
  w.end_array();
  w.end_object();
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
  w.key("models");
  w.begin_array();
  for (const ModelEntry& model : page) write(model, w);
  w.end_array();
  if (more) w.member("nextPageToken", page.back().id);
  w.end_object();
}

}  // namespace llmproxy::gemini
