// Losses: what a translation could not carry. Never silent, never an
// exception: embedders read them, the proxy sends them as the header
// `x-llmproxy-loss`, strict mode turns them into a 400. Plain values.
//
//   for (const Loss& loss : translated->losses)
//     std::cerr << loss.path << ": " << loss.what << '\n';
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// How much is lost.
enum class LossKind : std::uint8_t {
  dropped,       ///< it is not there any more
  approximated,  ///< something near to it is
};

/// One thing that did not cross as it was.
struct Loss {
  /// Of a request, JSON pointer into the body that was read
  /// ("/tools/0/strict"). Of an answer, place in the canonical one
  /// ("/content/2/citations"; a stream counts no parts: "/content/citations"),
  /// or in the upstream's body what has no place there.
  std::string path = {};
  /// A sentence: what happened and why.
  std::string what = {};
  /// How much is lost.
  LossKind kind = LossKind::dropped;

  bool operator==(const Loss&) const = default;
};
/// In the order they were found; empty = all crossed as it was.
using Losses = std::vector<Loss>;

/// "dropped" or "approximated". Static storage.
std::string_view to_string(LossKind kind);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
