// Percent-encoding of URL paths (RFC 3986, section 2.1).
#pragma once

#include <string>
#include <string_view>

namespace llmproxy::gateway {

/// `text` decoded; a "%" without two hexadecimal digits stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace llmproxy::gateway
