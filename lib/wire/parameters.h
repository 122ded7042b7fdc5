// Parameters of a header's value: `; name="model"; filename=a.wav` [RFC 9110,
// section 5.6.6].
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/internal_api.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy::wire {

struct Parameter {
  std::string name;  ///< in small letters
  std::string value;
  bool escaped = false;  ///< its value was spelled with a backslash
};

/// `text` is what follows the value itself, from the first ";" on; nullopt =
/// it cannot be read.
std::optional<std::vector<Parameter>> parameters_of(std::string_view text);

/// True where a control character other than a tab is in it.
bool has_control(std::string_view text);

}  // namespace llmproxy::wire
LLMPROXY_INTERNAL_END
