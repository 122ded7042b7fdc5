// Changes to a body that keep every other byte of it, held in memory or not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/large_body.h"

namespace llmproxy::gateway {

/// `text` stands in place of the bytes from `begin` to `end`.
struct BodyEdit {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string text;
};

// Edits are in the body's order and do not overlap.
std::string edited_body(std::string_view body,
                        const std::vector<BodyEdit>& edits);
std::shared_ptr<const LargeBody> edited_body(
    std::shared_ptr<const LargeBody> body, std::vector<BodyEdit> edits);

}  // namespace llmproxy::gateway
