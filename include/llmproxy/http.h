// The few HTTP words the library shares: headers and request heads. No
// sockets, no HTTP library. Plain values and pure functions.
//
//   Headers headers = {{"Content-Type", "application/json"}};
//   find_header(headers, "content-type");  // "application/json"
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// One header line.
struct Header {
  /// Case does not matter; see find_header().
  std::string name = {};
  /// What stands behind the colon.
  std::string value = {};

  bool operator==(const Header&) const = default;
};
/// In their order; a name may be there several times.
using Headers = std::vector<Header>;

/// Value of the first header of that name (ASCII case ignored), or empty.
/// The view lives as long as `headers` is not changed.
std::string_view find_header(const Headers& headers, std::string_view name);
/// ASCII case-insensitive comparison of header names.
bool same_header_name(std::string_view a, std::string_view b);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
