// Members of objects within the body that only their dialect knows: kept as
// extensions of the whole, the object's name in front ("output_config/x").
#pragma once

#include <string>
#include <string_view>

#include "json/writer.h"
#include "llmproxy/content.h"

namespace llmproxy::anthropic_family {

/// Writes those whose names begin with `prefix`, without it.
inline void write_nested(const Extensions& extensions, std::string_view prefix,
                         json::Writer& writer) {
  for (const Extension& extension : extensions) {
    const std::string_view name = extension.name;
    if (!name.starts_with(prefix)) continue;
    writer.member(name.substr(prefix.size()), extension.value);
  }
}

/// Writes those of the whole itself: names without a '/'.
inline void write_plain(const Extensions& extensions, json::Writer& writer) {
  for (const Extension& extension : extensions) {
    if (extension.name.find('/') != std::string::npos) continue;
    writer.member(extension.name, extension.value);
  }
}

}  // namespace llmproxy::anthropic_family
