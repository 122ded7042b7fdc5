// The table of faults.
#include "client/demo/faults.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "client/demo/words.h"

namespace llmproxy::demo {
namespace {

constexpr std::string_view kPrefix = "demo-";
// Of a wrong name; as much as a message can use.
constexpr std::size_t kNameShown = 64;

// Statuses that clients treat differently: fix the request, fix the key, wait,
// try again.
constexpr std::array kFaults = {
    DemoFault{.model = "demo-cut", .cut = true},
    DemoFault{.model = "demo-error-400", .status = 400},
    DemoFault{.model = "demo-error-401", .status = 401},
    DemoFault{.model = "demo-error-403", .status = 403},
    DemoFault{.model = "demo-error-404", .status = 404},
    DemoFault{.model = "demo-error-413", .status = 413},
    DemoFault{.model = "demo-error-429", .status = 429, .retry_after = "1"},
    DemoFault{.model = "demo-error-500", .status = 500},
    DemoFault{.model = "demo-error-502", .status = 502},
    DemoFault{.model = "demo-error-503", .status = 503, .retry_after = "1"},
    DemoFault{.model = "demo-error-504", .status = 504},
    DemoFault{.model = "demo-error-529", .status = 529},
    DemoFault{.model = "demo-slow", .pace = std::chrono::milliseconds(200)},
};

std::string all_names() {
  std::string out = "demo";
  for (const DemoFault& fault : kFaults) {
    out += ", ";
    out += fault.model;
  }
  return out;
}

}  // namespace

std::span<const DemoFault> faults() { return kFaults; }

const DemoFault* find_fault(std::string_view model) {
  const auto* found = std::find_if(
      kFaults.begin(), kFaults.end(),
      [&](const DemoFault& fault) { return fault.model == model; });
  return found == kFaults.end() ? nullptr : found;
}

Result<void> check_model(std::string_view model) {
  if (!model.starts_with(kPrefix) || find_fault(model) != nullptr) return {};
  Error error;
  error.kind = ErrorKind::not_found;
  error.fault = Fault::upstream;
  error.message = fmt::format("the demo has no model '{}'; it has {}",
                              cut_utf8(model, kNameShown), all_names());
  return error;
}

}  // namespace llmproxy::demo
