// Members that only their dialect knows, of objects within the body: kept as
// extensions of the whole, the object's name in front ("output_config/x").
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "json/writer.h"
#include "llmproxy/content.h"

namespace llmproxy {

/// The first of that name; nullptr = there is none.
inline const Extension* find_field(const Extensions& extensions,
                                   std::string_view name) {
  const auto found =
      std::find_if(extensions.begin(), extensions.end(),
                   [&](const Extension& e) { return e.name == name; });
  return found == extensions.end() ? nullptr : &*found;
}
/// One of them has that name, or begins with it.
inline bool has_field(const Extensions& extensions, std::string_view name) {
  return find_field(extensions, name) != nullptr;
}
inline bool has_nested(const Extensions& extensions, std::string_view prefix) {
  return std::any_of(
      extensions.begin(), extensions.end(),
      [&](const Extension& e) { return e.name.starts_with(prefix); });
}

/// What clients send for "not given".
inline bool says_nothing(std::string_view json) {
  constexpr std::string_view kNothing[] = {"null", "\"\"", "[]", "{}"};
  return std::find(std::begin(kNothing), std::end(kNothing), json) !=
         std::end(kNothing);
}
inline bool says_nothing(const Extension& extension) {
  return says_nothing(extension.value.text());
}

/// Writes those whose names begin with `prefix`, without it.
inline void write_nested(const Extensions& extensions, std::string_view prefix,
                         json::Writer& writer) {
  for (const Extension& extension : extensions) {
    const std::string_view name = extension.name;
    if (!name.starts_with(prefix)) continue;
    writer.member(name.substr(prefix.size()), extension.value);
  }
}

/// The member `name`: an object that holds what `members` writes; nothing,
/// where that is nothing.
template <class Members>
void write_object(std::string_view name, json::Writer& writer,
                  Members members) {
  std::string object;
  json::Writer inner(object);
  inner.begin_object();
  members(inner);
  inner.end_object();
  if (object != "{}") writer.member_raw(name, object);
}

/// Writes all others.
inline void write_others(const Extensions& extensions, std::string_view prefix,
                         json::Writer& writer) {
  for (const Extension& extension : extensions) {
    if (extension.name.starts_with(prefix)) continue;
    writer.member(extension.name, extension.value);
  }
}

/// Writes those of the whole itself: names without a '/'.
inline void write_plain(const Extensions& extensions, json::Writer& writer) {
  for (const Extension& extension : extensions) {
    if (extension.name.find('/') != std::string::npos) continue;
    writer.member(extension.name, extension.value);
  }
}

}  // namespace llmproxy
