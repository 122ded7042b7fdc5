#include "golden/pair_table.h"

#include <iomanip>
#include <optional>
#include <sstream>

namespace llmproxy::testing {
namespace {

/// Losses of one crossing; nullopt = refused.
std::optional<std::size_t> losses_of(const Scenario& scenario,
                                     const Dialect& to) {
  if (scenario.noun == Noun::request) {
    const auto sent = translate_request(
        *scenario.from, to, scenario.input, options_for(scenario, to),
        head_for(*scenario.from, scenario.path));
    if (!sent) return std::nullopt;
    return sent->losses.size();
  }
  if (scenario.noun == Noun::response) {
    const auto sent = translate_response(*scenario.from, to, scenario.input,
                                         scenario.context);
    if (!sent) return std::nullopt;
    return sent->losses.size();
  }
  const StreamRun run = run_stream(scenario, to, scenario.input);
  if (run.failed) return std::nullopt;
  return run.losses.size();
}

// A stream that fails upstream crosses as a failure.
constexpr std::array kRefused = {" refused, ", " failed, ", " failed, "};

}  // namespace

void PairTable::add(const Scenario& scenario) {
  if (scenario.noun == Noun::error) return;
  const std::size_t column = scenario.noun == Noun::request    ? 0
                             : scenario.noun == Noun::response ? 1
                                                               : 2;
  for (const Dialect* to : dialects()) {
    Cell& cell = rows_[{std::string(scenario.from->name),
                        std::string(to->name)}][column];
    const auto losses = losses_of(scenario, *to);
    losses ? ++cell.crossed : ++cell.refused;
    cell.losses += losses.value_or(0);
  }
}

std::size_t PairTable::gaps() const {
  std::size_t count = 0;
  for (const Dialect* from : dialects()) {
    for (const Dialect* to : dialects()) {
      const auto row =
          rows_.find({std::string(from->name), std::string(to->name)});
      for (std::size_t column = 0; column < kColumns; ++column) {
        if (row == rows_.end() || row->second[column].crossed == 0) ++count;
      }
    }
  }
  return count;
}

std::string PairTable::text() const {
  constexpr int kName = 17;
  constexpr int kCell = 28;
  std::ostringstream out;
  out << std::left << std::setw(kName) << "from" << std::setw(kName) << "to"
      << std::setw(kCell) << "request" << std::setw(kCell) << "response"
      << "stream\n";
  for (const Dialect* from : dialects()) {
    for (const Dialect* to : dialects()) {
      out << std::setw(kName) << from->name << std::setw(kName) << to->name;
      const auto row =
          rows_.find({std::string(from->name), std::string(to->name)});
      for (std::size_t column = 0; column < kColumns; ++column) {
        const Cell cell = row == rows_.end() ? Cell{} : row->second[column];
        out << std::setw(kCell)
            << std::to_string(cell.crossed) + " ok, " +
                   std::to_string(cell.refused) + kRefused[column] +
                   std::to_string(cell.losses) + " lost";
      }
      out << '\n';
    }
  }
  return out.str();
}

}  // namespace llmproxy::testing
