// The table of faults.
#include "client/demo/faults.h"

#include <array>

namespace llmproxy::demo {
namespace {

constexpr std::array kFaults = {
    DemoFault{.model = "demo-error-429",
              .error = ErrorKind::rate_limited,
              .retry_after = "1"},
    DemoFault{.model = "demo-error-500", .error = ErrorKind::upstream_failed},
    DemoFault{.model = "demo-cut", .cut = true},
    DemoFault{.model = "demo-slow", .pace = std::chrono::milliseconds(200)},
};

}  // namespace

const DemoFault* find_fault(std::string_view model) {
  for (const DemoFault& fault : kFaults) {
    if (fault.model == model) return &fault;
  }
  return nullptr;
}

}  // namespace llmproxy::demo
