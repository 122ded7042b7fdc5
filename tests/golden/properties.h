// What must hold in every golden case, whatever its author thought of. One
// function a noun; README.md lists the properties in words.
#pragma once

#include "golden/report.h"
#include "golden/scenario.h"

namespace llmproxy::testing {

void check_request(const Scenario& scenario, Report& report);
/// Of a request that is made by hand.
void check_hand_made(const Scenario& scenario, Report& report);
void check_response(const Scenario& scenario, Report& report);
void check_stream(const Scenario& scenario, Report& report);
void check_error(const Scenario& scenario, Report& report);

/// Positions 1 .. size-1, all when there are at most `most`, else a sample
/// that is the same in every run.
std::vector<std::size_t> positions(std::size_t size, std::size_t most);

}  // namespace llmproxy::testing
