// A LargeBody for tests: a text that is read a few bytes at a time.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "llmproxy/large_body.h"

namespace llmproxy::testing {

class TextBody final : public LargeBody {
 public:
  /// `most` bytes are given at once; what lies behind `readable` is lost.
  explicit TextBody(std::string text, std::size_t most = 7,
                    std::size_t readable = std::string::npos)
      : text_(std::move(text)), most_(most), readable_(readable) {}

  std::uint64_t size() const override { return text_.size(); }
  std::size_t read(std::uint64_t offset, char* to,
                   std::size_t size) const override {
    const std::size_t end = std::min(text_.size(), readable_);
    if (offset >= end) return 0;
    const std::size_t count =
        std::min({size, most_, end - static_cast<std::size_t>(offset)});
    std::memcpy(to, text_.data() + offset, count);
    return count;
  }

 private:
  const std::string text_;
  const std::size_t most_;
  const std::size_t readable_;
};

/// All of a body.
inline std::string read_all(const LargeBody& body) {
  std::string out;
  char piece[64];
  while (const std::size_t got = body.read(out.size(), piece, sizeof(piece))) {
    out.append(piece, got);
  }
  return out;
}

}  // namespace llmproxy::testing
