// JSON and UTF-8 as text: the small scanners that the reader, the writers and
// the passthrough path share.
#pragma once

#include <string>
#include <string_view>

#include "base/internal_api.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy::json {

/// True when `text` is one JSON number (RFC 8259, section 6).
bool is_number_text(std::string_view text);

/// Length of the longest prefix that is valid UTF-8.
std::size_t valid_utf8_prefix(std::string_view text);

/// The whole of `text` is valid UTF-8; many bytes at a time.
bool is_utf8(std::string_view text);

/// `text` with each invalid UTF-8 sequence replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view text);

/// Decodes the inside of a JSON string (no quotes), appending to `out`; what
/// comes out is never longer. A lone surrogate becomes U+FFFD: JavaScript
/// clients produce them by cutting strings. False when an escape is none.
bool unescape(std::string_view text, std::string& out);

/// Appends a code point as UTF-8.
void append_utf8(std::string& out, char32_t code_point);

/// Appends `text` as the inside of a JSON string (no quotes), which is valid
/// UTF-8 whatever `text` is: what is not, becomes U+FFFD.
void append_escaped(std::string& out, std::string_view text);

/// A JSON document without the white space between its tokens.
std::string without_whitespace(std::string_view json);
/// The same, appended.
void append_without_whitespace(std::string& out, std::string_view json);

}  // namespace llmproxy::json
LLMPROXY_INTERNAL_END
