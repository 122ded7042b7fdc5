// Arguments of tool calls for APIs that want an object where others have text.
#pragma once

#include <string>
#include <string_view>

namespace llmproxy {

/// Arguments as the object they must be: {} for nothing, broken JSON and
/// other values wrapped. True in `wrapped` when it was not one already.
std::string input_object(std::string_view arguments, bool* wrapped = nullptr);

}  // namespace llmproxy
