// Percent-encoding of URL paths and queries (RFC 3986, section 2.1).
#pragma once

#include <string>
#include <string_view>

namespace llmproxy::gateway {

/// `text` decoded; a "%" without two hexadecimal digits stays as it is.
std::string percent_decoded(std::string_view text);

/// `text` with everything but the unreserved characters encoded.
std::string percent_encoded(std::string_view text);

/// The first `name` of a query ("a=1&b=2"), decoded; or empty.
std::string query_value(std::string_view query, std::string_view name);

}  // namespace llmproxy::gateway
