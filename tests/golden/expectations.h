// What the library really says for a section of a case.
#pragma once

#include <string>
#include <vector>

#include "golden/scenario.h"

namespace llmproxy::testing {

/// The body that `expect WHAT DIALECT` should have. Errors: invalid_request
/// when the section makes no sense for this kind of case.
Result<std::string> actual_body(const Scenario& scenario,
                                const Section& section);

/// Sections that say something for this case: every noun in every dialect,
/// losses where there are some.
std::vector<Section> natural_sections(const Scenario& scenario);

/// Losses are never silent: the loss sections that must be there, given the
/// sections that are.
std::vector<Section> missing_losses(const Scenario& scenario);

}  // namespace llmproxy::testing
