// What values of a configuration must look like, wherever they come from.
// Each says what is wrong, or nothing; none repeats a value.
#pragma once

#include <string>
#include <string_view>

namespace llmproxy::gateway {

/// `key` without the line break that files end in, and secrets made of files.
std::string trimmed_key(std::string key);
/// Of a trimmed key.
std::string key_fault(std::string_view key);
/// Of a key that is no key: "$NAME" and its like in other languages, the text
/// of an example ("sk-..."), or a key with more than the key.
std::string literal_fault(std::string_view key);
/// Of what is put behind URLs: "api-version=2024-10-21".
std::string query_fault(std::string_view query);
/// Of what becomes a part of a host's name.
std::string region_fault(std::string_view region);
/// Of what becomes the beginning of a path.
std::string backend_name_fault(std::string_view name);

}  // namespace llmproxy::gateway
