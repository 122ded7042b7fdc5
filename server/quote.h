// Values as words of a shell, and as the inside of "...".
#pragma once

#include <string>
#include <string_view>

namespace llmproxy {

/// `text` as one word of sh: as it is where no character of it means
/// anything there, else between single quotes.
std::string shell_word(std::string_view text);

/// `text` between the double quotes of JSON, YAML, Python or JavaScript.
std::string quoted_inside(std::string_view text);

}  // namespace llmproxy
