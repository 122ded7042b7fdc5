// What is wrong with a text that is no YAML, said as its author sees it: the
// parser's own words are about its grammar.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llmproxy::gateway {

/// Where to look, and what to do there.
struct YamlFault {
  int line = 1;  ///< from 1
  std::string what;
};

/// Where the parser stopped, both from 1, and what it said.
struct YamlStop {
  int line = 1;
  int column = 1;
  std::string_view said;
};

/// Never repeats a value of the text: it may be a key.
YamlFault explain_stop(std::string_view text, const YamlStop& stop);

/// A quote that is opened and never closed, which yaml-cpp lets pass: it takes
/// all that follows for the text.
YamlFault unclosed_quote(std::string_view text);

/// What a whole file is that has no keys at its top: one of variables, or
/// nothing we know ("").
std::string_view no_keys_hint(std::string_view text);

}  // namespace llmproxy::gateway
