// Values that are there and say nothing: servers written in languages with
// zero values send every member of an answer, used or not.
#pragma once

#include "json/json.h"

namespace llmproxy::json {

/// True for what is missing, null, false, 0, empty, or made of such values
/// alone. A Document's depth is bounded, and so is this.
inline bool says_nothing(const Value& value) {
  switch (value.type()) {
    case Type::missing:
    case Type::null:
      return true;
    case Type::boolean:
      return !value.is_true();
    case Type::number:
      return value.number() == 0.0;
    case Type::string:
      return value.string().empty();
    case Type::array:
    case Type::object:
      for (const Value child : value.children()) {
        if (!says_nothing(child)) return false;
      }
      return true;
  }
  return false;
}

}  // namespace llmproxy::json
