// What Gemini needs beside translation.
#pragma once

#include <span>
#include <string>

#include "llmproxy/dialect_serving.h"

namespace llmproxy::gemini {

void write_model(const ModelEntry& model, std::string& out);
void write_model_list(std::span<const ModelEntry> page, bool more,
                      std::string& out);

}  // namespace llmproxy::gemini
