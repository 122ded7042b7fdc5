// Values of a URL's query.
#pragma once

#include <string>
#include <string_view>

namespace llmproxy::gateway {

/// The first `name` of a query ("a=1&b=2"), decoded; or empty.
std::string query_value(std::string_view query, std::string_view name);

}  // namespace llmproxy::gateway
