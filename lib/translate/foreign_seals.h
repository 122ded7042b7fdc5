// Reasoning that we sealed for a client, in a request that is passed on as it
// is: an upstream of the client's own dialect did not make it and refuses it.
#pragma once

#include <string>
#include <string_view>

#include "llmproxy/dialect.h"

namespace llmproxy {

/// `body` with every sealed signature replaced by what the dialect has for
/// calls that its own models did not make. Bodies without any stay as they
/// are, and so do those of dialects that have no such word.
std::string without_foreign_seals(const Dialect& dialect, std::string body);

}  // namespace llmproxy
