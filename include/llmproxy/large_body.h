// LargeBody: the body of a request that is held elsewhere than in memory, such
// as an upload that a server has put into a file. Whoever sends it reads it in
// pieces.
//
//   request.large_body = std::make_shared<MyFile>(path);  // request.body: ""
#pragma once

#include <cstddef>
#include <cstdint>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Read from any thread, and from several at once. Does not change.
class LargeBody {
 public:
  virtual ~LargeBody() = default;
  /// All of its bytes.
  virtual std::uint64_t size() const = 0;
  /// Copies at most `size` bytes, those from `offset` on, to `to`, and says how
  /// many; 0 where there is none or it cannot be read. Blocks no longer than a
  /// disk does.
  virtual std::size_t read(std::uint64_t offset, char* to,
                           std::size_t size) const = 0;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
