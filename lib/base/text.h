// What is done to bytes of text in every layer: cases, blanks, tokens,
// percent escapes, base64. ASCII alone has cases here, whatever the locale.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/internal_api.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string lower(std::string_view text);

/// What stands around the values of headers.
inline constexpr std::string_view kBlanksAndTabs = " \t";

/// `text` without the `blanks` around it.
std::string_view trimmed(std::string_view text,
                         std::string_view blanks = kBlanksAndTabs);
/// The same at the end alone.
std::string_view trimmed_right(std::string_view text, std::string_view blanks);

/// `word` is one of `words`.
bool listed(std::span<const std::string_view> words, std::string_view word);

/// A token as RFC 9110, section 5.6.2, has it: a header's name, for example.
bool is_token(std::string_view text);

/// `text` decoded [RFC 3986, section 2.1]; a "%" without two hexadecimal
/// digits stays as it is, and so does a "+".
std::string percent_decoded(std::string_view text);

/// `text` with everything encoded but the unreserved characters and those of
/// `also_kept`, as the AWS SDKs do.
std::string percent_encoded(std::string_view text,
                            std::string_view also_kept = {});

/// Decoded bytes, or nullopt when `text` is not base64 [RFC 4648]. White space
/// is skipped, the alphabet of URLs is read as well, padding may be missing.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);
/// The same, appended to `out`; false when `text` is not base64.
bool append_decoded_base64(std::string_view text, std::string& out);
void append_base64(std::string_view bytes, std::string& out);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
