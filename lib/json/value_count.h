// Counting the values of a JSON text before it is read.
#pragma once

#include <cstddef>
#include <string_view>

namespace llmproxy::json {

/// Whether a valid text has more than `most` values: one, and one more for
/// each comma and for each container that is not empty. Costs no memory,
/// which finding the tokens does: four bytes each. (What is not valid may be
/// counted wrong, and is refused anyway.)
bool has_more_values(std::string_view text, std::size_t most);

}  // namespace llmproxy::json
