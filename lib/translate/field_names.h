// Losses and errors of a request, in the names of the client's dialect.
#pragma once

#include <string>
#include <string_view>

#include "llmproxy/dialect.h"

namespace llmproxy {

/// `path`, whose first members have canonical names, as `dialect` spells it.
std::string own_path(const Dialect& dialect, std::string_view path);

/// The same for every loss.
void name_fields(const Dialect& dialect, Losses& losses);

}  // namespace llmproxy
