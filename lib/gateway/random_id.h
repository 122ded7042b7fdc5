// Names that nobody can guess.
#pragma once

#include <string>

namespace llmproxy::gateway {

/// 128 random bits of the system's, as 32 hexadecimal digits.
std::string random_id();

}  // namespace llmproxy::gateway
