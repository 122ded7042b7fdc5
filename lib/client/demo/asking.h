// What a user's words ask of tools: which ones, how often, and about what.
// Words of ASCII letters are compared without case; bytes beyond ASCII belong
// to words, so that names in any language are whole.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace llmproxy::demo {

/// More calls than this in one turn are asked for by nobody's words.
inline constexpr std::size_t kMostCalls = 8;

/// The words of a text, to look names of tools up in.
class Asking {
 public:
  /// Of a long text, only the beginning is read.
  explicit Asking(std::string_view text);

  /// Every word of the name was said: "get the weather" of get_weather and
  /// of getWeather.
  bool says(std::string_view tool) const;
  /// What the tool is about was said: its last word, also in the plural.
  bool is_about(std::string_view tool) const;
  /// "both", "in parallel": of whatever tools, more than one call.
  bool wants_several() const;
  /// "all tools", "every tool".
  bool wants_all() const;

 private:
  bool has(std::string_view word) const;

  std::set<std::string, std::less<>> words_;
};

/// The names in the last list of names, as in "weather in San Francisco, Oslo
/// and Rome"; empty where there is no list. At most kMostCalls.
std::vector<std::string> listed_names(std::string_view text);

}  // namespace llmproxy::demo
