// Where a system keeps the roots of trust of TLS. A libcurl knows the place of
// the system that it was built for alone; a program that carries its own
// (`make dist`) runs on others too.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace llmproxy {

/// What libcurl has to be told: nothing (empty) when `own`, the file that it
/// reads by itself, is there, else the first of `places` that is; empty when
/// none is. `own` may be empty: it reads none.
std::string find_ca_file(std::string_view own,
                         std::span<const std::string_view> places);

/// The same for this system and the libcurl that is loaded; looked up once.
const std::string& system_ca_file();

}  // namespace llmproxy
