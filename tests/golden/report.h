// What a run found out: counts, and the text of every failure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace llmproxy::testing {

class Report {
 public:
  /// One property of one case. Only the first failure of a property in a
  /// case is told: the rest would say the same.
  void property(bool holds, std::string_view name, const std::string& detail) {
    ++properties_;
    if (!holds) fail("1: property '" + std::string(name) + "': " + detail);
  }
  /// `text` begins with the place within the case, or is a sentence.
  void fail(const std::string& text) {
    ++failures_;
    text_ += path_ + ":" + text + "\n";
  }
  void begin_case(std::string path) {
    path_ = std::move(path);
    ++cases_;
    failures_before_ = failures_;
  }
  void end_case() {
    if (failures_ != failures_before_) ++failed_cases_;
  }

  std::size_t cases() const { return cases_; }
  std::size_t properties() const { return properties_; }
  std::size_t failed_cases() const { return failed_cases_; }
  /// The failures since the last call.
  std::string take_text() { return std::exchange(text_, {}); }

 private:
  std::string path_;
  std::string text_;
  std::size_t cases_ = 0;
  std::size_t properties_ = 0;
  std::size_t failures_ = 0;
  std::size_t failures_before_ = 0;
  std::size_t failed_cases_ = 0;
};

}  // namespace llmproxy::testing
