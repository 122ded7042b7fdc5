// JSON as text, for tests: only the whitespace between tokens is ever
// changed, so that 1.0 stays 1.0, \u00e9 stays \u00e9 and the order of keys
// is what a program really wrote. A JSON library would normalise all three.
#pragma once

#include <string>
#include <string_view>

namespace llmproxy::testing {

/// `text` with the layout a person would use: two spaces a level, short
/// arrays and objects on one line. Text that is not JSON comes back laid out
/// as far as brackets and strings go; nothing but whitespace differs.
std::string layout_json(std::string_view text);

/// `text` without whitespace between tokens.
std::string compact_json(std::string_view text);

/// `text` as a JSON string literal: quotes, \n, \t and control characters
/// escaped, everything else as it is.
std::string quoted(std::string_view text);

/// `object` with `member` ("\"name\":value") put in as its last member.
/// REQUIRES: `object` is the text of a JSON object.
std::string with_member(std::string_view object, std::string_view member);

}  // namespace llmproxy::testing
