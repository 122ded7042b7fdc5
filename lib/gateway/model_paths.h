// Model paths: endpoints that are no chat and yet about a model. Their requests
// are passed on to the model's backend in the form they have; nothing is
// translated. One row each in model_paths.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "llmproxy/dialect.h"

namespace llmproxy::gateway {

/// Where a request names its model.
enum class ModelPlace : std::uint8_t {
  body,  ///< the member or the part `model`
  /// "{model}" in the path; members `model` of the body, and of those in its
  /// `requests`, repeat it as "models/NAME".
  path,
};

struct ModelPath {
  std::string_view path;      ///< here: "/v1/embeddings"
  std::string_view upstream;  ///< behind the backend's base URL and version
  /// As Dialect::api: backends that speak a dialect of it answer there.
  std::string_view api;
  ModelPlace place = ModelPlace::body;
  /// Also takes forms (multipart/form-data), which may be large.
  bool forms = false;
  /// What the API asks where a request names no model; empty = it must.
  std::string_view usual_model = {};
  /// The demo answers there.
  bool demo = false;
};

std::span<const ModelPath> model_paths();

struct ModelPathMatch {
  const ModelPath* row;
  std::string model;  ///< of the path, decoded; empty = it names none
};
std::optional<ModelPathMatch> find_model_path(std::string_view path);

/// What its clients speak, for errors: the first dialect of the API.
const Dialect& dialect_of(const ModelPath& row);
/// True for a backend that answers there: it speaks the API, or (nullptr)
/// whatever its clients do.
bool speaks(std::string_view api, const Dialect* backend);

}  // namespace llmproxy::gateway
