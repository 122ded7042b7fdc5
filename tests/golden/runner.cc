// Runs golden cases. See runner.h.
#include "golden/runner.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "golden/expectations.h"
#include "golden/pair_table.h"
#include "golden/properties.h"
#include "golden/report.h"
#include "golden/scenario.h"
#include "support/diff.h"
#include "support/golden_case.h"

namespace llmproxy::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> case_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.path().extension() == ".case") {
        found.push_back(entry.path().string());
      }
    }
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

std::string place(const Section& section) {
  return std::to_string(section.line) + ": " + section.title();
}

class Runner {
 public:
  explicit Runner(const RunOptions& options) : options_(options) {}

  int run() {
    const std::vector<std::string> files = case_files(options_.paths);
    for (std::size_t i = options_.shard - 1; i < files.size();
         i += options_.shards) {
      const std::string& file = files[i];
      if (options_.list) {
        list(file);
        continue;
      }
      report_.begin_case(file);
      run_case(file);
      report_.end_case();
      std::fputs(report_.take_text().c_str(), stdout);
      std::fflush(stdout);
    }
    if (options_.list) return 0;
    const std::size_t gaps = options_.pairs ? print_pairs() : 0;
    std::printf(
        "golden: %zu cases, %zu properties checked, "
        "%zu passed, %zu failed\n",
        report_.cases(), report_.properties(),
        report_.cases() - report_.failed_cases(), report_.failed_cases());
    const bool ran = report_.cases() > 0;
    return ran && report_.failed_cases() + gaps == 0 ? 0 : 1;
  }

 private:
  std::size_t print_pairs() const {
    std::fputs(pairs_.text().c_str(), stdout);
    const std::size_t gaps = pairs_.gaps();
    if (gaps > 0) std::printf("pairs: %zu cells without a crossing\n", gaps);
    return gaps;
  }

  static void list(const std::string& file) {
    const Result<GoldenCase> golden = read_case(file);
    std::string first = golden ? golden->prose : golden.error().message;
    first = first.substr(0, first.find('\n'));
    std::printf("%s: %s\n", file.c_str(), first.c_str());
  }

  void run_case(const std::string& file) {
    Result<GoldenCase> golden = read_case(file);
    if (!golden) return report_.fail("1: " + golden.error().message);
    Result<Scenario> scenario = make_scenario(std::move(*golden));
    if (!scenario) return report_.fail("1: " + scenario.error().message);
    sections(*scenario);
    properties(*scenario);
    if (options_.pairs) pairs_.add(*scenario);
  }

  void sections(Scenario& scenario) {
    bool changed = false;
    bool expects = false;
    for (Section& section : scenario.golden.sections) {
      if (section.kind != SectionKind::expect) continue;
      expects = true;
      changed = check(scenario, section) || changed;
    }
    changed = add_sections(scenario) || changed;
    if (!expects && !changed) report_.fail("1: nothing is expected");
    if (!changed) return;
    const std::string text = write_case(scenario.golden);
    if (Result<void> wrote = write_file(scenario.golden.path, text); !wrote) {
      report_.fail("1: " + wrote.error().message);
    }
  }

  // True when the section was rewritten.
  bool check(const Scenario& scenario, Section& section) {
    const Result<std::string> actual = actual_body(scenario, section);
    if (!actual) {
      report_.fail(place(section) + ": " + actual.error().message);
      return false;
    }
    if (*actual == section.body) return false;
    const std::string diff =
        unified_diff(section.body, *actual, section.line + 1);
    if (!options_.update || !section.file.empty()) {
      report_.fail(place(section) + "\n" + diff);
      return false;
    }
    std::printf("%s:%s\n%s", scenario.golden.path.c_str(),
                place(section).c_str(), diff.c_str());
    section.body = *actual;
    return true;
  }

  bool add_sections(Scenario& scenario) {
    bool added = false;
    for (Section& section : missing_losses(scenario)) {
      if (options_.update || options_.add_missing) {
        added = add(scenario, std::move(section)) || added;
        continue;
      }
      const Result<std::string> body = actual_body(scenario, section);
      report_.fail("1: losses without a section `" + section.title() + "`:\n" +
                   (body ? *body : body.error().message) + "\n");
    }
    if (!options_.add_missing) return added;
    for (Section& section : natural_sections(scenario)) {
      added = add(scenario, std::move(section)) || added;
    }
    return added;
  }

  bool add(Scenario& scenario, Section section) {
    if (scenario.golden.find(SectionKind::expect, section.what,
                             section.dialect)) {
      return false;
    }
    const Result<std::string> body = actual_body(scenario, section);
    if (!body) {
      report_.fail("1: " + body.error().message);
      return false;
    }
    section.body = *body;
    std::printf("%s: added `%s`\n%s\n", scenario.golden.path.c_str(),
                section.title().c_str(), section.body.c_str());
    scenario.golden.sections.push_back(std::move(section));
    return true;
  }

  void properties(const Scenario& scenario) {
    switch (scenario.noun) {
      case Noun::request:
        return scenario.by_hand ? check_hand_made(scenario, report_)
                                : check_request(scenario, report_);
      case Noun::response:
        return check_response(scenario, report_);
      case Noun::stream:
        return check_stream(scenario, report_);
      case Noun::error:
        return check_error(scenario, report_);
    }
  }

  const RunOptions& options_;
  PairTable pairs_;
  Report report_;
};

}  // namespace

int run_golden(const RunOptions& options) { return Runner(options).run(); }

}  // namespace llmproxy::testing
