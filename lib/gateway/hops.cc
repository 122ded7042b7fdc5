#include "gateway/hops.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace llmproxy::gateway {
namespace {

constexpr std::ptrdiff_t kMaxHops = 16;

/// All marks in one list.
std::string marks_of(const Headers& headers) {
  std::string out;
  for (const Header& header : headers) {
    if (!same_header_name(header.name, kHopsHeader)) continue;
    if (!out.empty()) out += ',';
    out += header.value;
  }
  return out;
}

}  // namespace

Result<void> check_hops(const Core& core, const HttpRequest& request) {
  const std::string marks = marks_of(request.headers);
  const std::ptrdiff_t hops =
      marks.empty() ? 0 : 1 + std::count(marks.begin(), marks.end(), ',');
  if (hops < kMaxHops && marks.find(core.mark()) == std::string::npos) {
    return {};
  }
  Error error = invalid_request(
      "the request goes in circles: a backend of this proxy leads back to it");
  error.status = 508;
  return error;
}

void mark_hop(const Core& core, const HttpRequest& client,
              UpstreamRequest& request) {
  std::string marks = marks_of(client.headers);
  marks.append(marks.empty() ? "" : ",").append(core.mark());
  std::erase_if(request.headers, [](const Header& header) {
    return same_header_name(header.name, kHopsHeader);
  });
  request.headers.push_back({std::string(kHopsHeader), std::move(marks)});
}

}  // namespace llmproxy::gateway
