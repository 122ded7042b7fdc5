// The section `models:` of the configuration, in both of its spellings: a
// map from names to backends, and a list whose entries bring a backend each.
#pragma once

#include "gateway/config_backends.h"
#include "gateway/yaml.h"
#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// Adds routes, and the backends of a list's entries, to `out`. Called once
/// `backends:` is read, wherever the two stand in the file.
Result<void> read_models(const YamlNode& node, const BackendSections& backends,
                         Config& out);

std::vector<KeyShape> model_keys();
std::vector<KeyShape> model_list_keys();
/// One of a map: the name of a backend, or more.
inline constexpr Shape kModelSection{.kind = ShapeKind::section,
                                     .keys = model_keys};
inline constexpr Shape kModelShape{
    .kind = ShapeKind::either, .first = &kText, .second = &kModelSection};
inline constexpr Shape kModelMap{.kind = ShapeKind::map, .first = &kModelShape};
inline constexpr Shape kModelEntry{.kind = ShapeKind::section,
                                   .keys = model_list_keys};
inline constexpr Shape kModelList{.kind = ShapeKind::list,
                                  .first = &kModelEntry};
inline constexpr Shape kModelsShape{
    .kind = ShapeKind::either, .first = &kModelMap, .second = &kModelList};

}  // namespace llmproxy::gateway
