#include "gateway/model_paths.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kModel = "{model}";

// See Dialect::api.
constexpr std::string_view kOpenAi = "the OpenAI API";
constexpr std::string_view kGemini = "the Gemini API";

/// [gemini: models.embedContent, models.batchEmbedContents]
constexpr ModelPath gemini(std::string_view path, std::string_view upstream) {
  return {.path = path,
          .upstream = upstream,
          .api = kGemini,
          .place = ModelPlace::path,
          .demo = true};
}

// Usual models: OpenAI's API reference, 2026-11, where it says that `model`
// may be left out. Rerank is Cohere's and Jina's; vLLM, llama.cpp and others
// serve it beside OpenAI's, under each of the three paths.
constexpr std::array kPaths = {
    ModelPath{.path = "/v1/embeddings",
              .upstream = "/embeddings",
              .api = kOpenAi,
              .demo = true},
    ModelPath{
        .path = "/v1/completions", .upstream = "/completions", .api = kOpenAi},
    ModelPath{.path = "/v1/moderations",
              .upstream = "/moderations",
              .api = kOpenAi,
              .usual_model = "omni-moderation-latest"},
    ModelPath{.path = "/v1/images/generations",
              .upstream = "/images/generations",
              .api = kOpenAi,
              .usual_model = "dall-e-2"},
    ModelPath{.path = "/v1/images/edits",
              .upstream = "/images/edits",
              .api = kOpenAi,
              .forms = true,
              .usual_model = "dall-e-2"},
    ModelPath{.path = "/v1/images/variations",
              .upstream = "/images/variations",
              .api = kOpenAi,
              .forms = true,
              .usual_model = "dall-e-2"},
    ModelPath{.path = "/v1/audio/transcriptions",
              .upstream = "/audio/transcriptions",
              .api = kOpenAi,
              .forms = true},
    ModelPath{.path = "/v1/audio/translations",
              .upstream = "/audio/translations",
              .api = kOpenAi,
              .forms = true},
    ModelPath{.path = "/v1/audio/speech",
              .upstream = "/audio/speech",
              .api = kOpenAi},
    ModelPath{.path = "/v1/rerank", .upstream = "/rerank", .api = kOpenAi},
    ModelPath{.path = "/v2/rerank", .upstream = "/rerank", .api = kOpenAi},
    ModelPath{.path = "/rerank", .upstream = "/rerank", .api = kOpenAi},
    gemini("/v1beta/models/{model}:embedContent",
           "/models/{model}:embedContent"),
    gemini("/v1beta/models/{model}:batchEmbedContents",
           "/models/{model}:batchEmbedContents"),
    gemini("/v1/models/{model}:embedContent", "/models/{model}:embedContent"),
    gemini("/v1/models/{model}:batchEmbedContents",
           "/models/{model}:batchEmbedContents"),
};

/// The model in `path`, empty where the pattern has none.
std::optional<std::string> match(std::string_view pattern,
                                 std::string_view path) {
  const std::size_t at = pattern.find(kModel);
  if (at == std::string_view::npos) {
    if (path != pattern) return std::nullopt;
    return std::string();
  }
  const std::string_view before = pattern.substr(0, at);
  const std::string_view after = pattern.substr(at + kModel.size());
  if (path.size() <= before.size() + after.size() ||
      !path.starts_with(before) || !path.ends_with(after)) {
    return std::nullopt;
  }
  path.remove_prefix(before.size());
  path.remove_suffix(after.size());
  return percent_decoded(path);
}

}  // namespace

std::span<const ModelPath> model_paths() { return kPaths; }

std::optional<ModelPathMatch> find_model_path(std::string_view path) {
  for (const ModelPath& row : kPaths) {
    if (auto model = match(row.path, path)) {
      return ModelPathMatch{&row, *std::move(model)};
    }
  }
  return std::nullopt;
}

const Dialect& dialect_of(const ModelPath& row) {
  const auto all = dialects();
  const auto found = std::find_if(
      all.begin(), all.end(),
      [&](const Dialect* dialect) { return dialect->api == row.api; });
  return found == all.end() ? *all.front() : **found;
}

bool speaks(std::string_view api, const Dialect* backend) {
  return backend == nullptr || backend->api == api;
}

}  // namespace llmproxy::gateway
