#include "chat/field_path.h"

#include "json/json.h"
#include "llmproxy/dialect.h"

namespace llmproxy {
namespace {

/// The object that holds the field; empty = the one at the path itself.
std::string_view object_of(std::string_view name) {
  std::string_view found;
  for (const Dialect* dialect : dialects()) {
    for (const std::string_view object : dialect->nested_objects) {
      const bool within = name.starts_with(object) &&
                          name.substr(object.size()).starts_with('/');
      if (within && object.size() > found.size()) found = object;
    }
  }
  return found;
}

}  // namespace

std::string field_path(std::string_view path, std::string_view name) {
  std::string base(path);
  const std::string_view object = object_of(name);
  if (!object.empty()) {
    base.append("/").append(object);
    name.remove_prefix(object.size() + 1);
  }
  return json::pointer(base, name);
}

}  // namespace llmproxy
