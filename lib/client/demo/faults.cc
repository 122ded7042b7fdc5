// The table of faults.
#include "client/demo/faults.h"

#include <array>

namespace llmproxy::demo {
namespace {

constexpr std::array kFaults = {
    Fault{.model = "demo-error-429",
          .error = ErrorKind::rate_limited,
          .retry_after = "1"},
    Fault{.model = "demo-error-500", .error = ErrorKind::upstream_failed},
    Fault{.model = "demo-cut", .cut = true},
    Fault{.model = "demo-slow", .pace = std::chrono::milliseconds(200)},
};

}  // namespace

const Fault* find_fault(std::string_view model) {
  for (const Fault& fault : kFaults) {
    if (fault.model == model) return &fault;
  }
  return nullptr;
}

}  // namespace llmproxy::demo
