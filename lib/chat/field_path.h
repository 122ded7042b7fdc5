// Where a field stands that only its dialect knows (an Extension), for losses.
#pragma once

#include <string>
#include <string_view>

namespace llmproxy {

/// The JSON pointer of the field `name` of the object at `path`. Fields of
/// objects within it (Dialect::nested_objects) are called after both, with a
/// '/' between; any other '/' is the client's own, a part of the name.
std::string field_path(std::string_view path, std::string_view name);

}  // namespace llmproxy
