// UpstreamAnswer: an upstream's answer that is held whole, and what can be
// said of one that is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "llmproxy/byte_budget.h"
#include "llmproxy/http.h"
#include "llmproxy/result.h"
#include "llmproxy/transport.h"

namespace llmproxy::gateway {

/// An upstream's answer, or the part of it that came in one piece.
struct UpstreamAnswer {
  int status = 0;
  Headers headers;
  std::string body;
  /// What followed was not read: it was too large. Of an error the beginning
  /// is enough.
  bool cut = false;
  /// Nor was it where the budget had no room for it.
  bool no_room = false;
  /// Of `body`, and of what becomes of it until that has left.
  ByteLease lease;
};

/// Errors of upstreams are held whole; no message is longer. Bytes.
inline constexpr std::size_t kMaxError = std::size_t{1} << 20;

/// True for 2xx.
inline bool is_success(int status) { return status / 100 == 2; }

/// Adds a piece of the body, which may have `max_bytes`, an error's less, and
/// leases it.
Flow collect(std::string_view bytes, std::size_t max_bytes,
             UpstreamAnswer& answer);

/// Takes the byte order mark away that no JSON text needs and few parsers
/// take [RFC 8259, 8.1].
void remove_bom(std::string& body);

/// What a body is that begins so, whatever its content-type says.
enum class BodyForm : std::uint8_t {
  unknown,  ///< nothing but blanks so far, or a part of a mark
  json,     ///< one object
  page,     ///< HTML or XML
  packed,   ///< compressed, and nobody said so
  other,    ///< events, or anything
};
BodyForm form_of(std::string_view body);

/// The client's answer where the budget has no room: as for its request.
Error no_room();
/// It was cut, and is no error.
Error too_large_answer(std::size_t max_bytes);
/// Its status is neither success nor error: says where a redirect leads.
Error no_answer(const UpstreamAnswer& answer);
/// It could not be read: names what it is where that can be told, else gives
/// `error`.
Error unreadable_answer(BodyForm form, const Headers& headers, Error error);

}  // namespace llmproxy::gateway
