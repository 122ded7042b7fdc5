// Content codings (RFC 9110, section 8.4.1), taken off piece by piece: of
// answers as they come from the network, and of requests that are there whole.
// Nothing is unpacked before somebody takes it, whatever it claims to become.
//
//   const auto unpacker = make_unpacker("gzip");
//   unpacker->feed(bytes, [&](std::string_view piece) { ... return true; });
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/internal_api.h"
#include "llmproxy/http.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// What bodies may be packed with, for the header `accept-encoding`.
inline constexpr std::string_view kTakenCodings = "gzip, deflate, br, zstd";
/// In a row. More than one is rare, and each is as much work as a body may be
/// large.
inline constexpr std::size_t kMostCodings = 3;

/// Takes one coding off.
class Unpacker {
 public:
  enum class State : std::uint8_t {
    more,      ///< all is used; what came is not whole yet
    complete,  ///< all is used; what came is whole
    stopped,   ///< enough for who takes it
    broken,    ///< not packed so, or bytes behind its end
  };
  /// Gets what was unpacked, from 1 byte to 32 KiB; false = enough.
  using Take = std::function<bool(std::string_view)>;

  Unpacker() = default;
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  virtual ~Unpacker() = default;

  /// Goes on with `packed`. What is complete may go on where the coding lets
  /// several be joined: gzip (RFC 1952, section 2.2) and zstd. Behind `stopped`
  /// and `broken` nothing is unpacked any more.
  virtual State feed(std::string_view packed, const Take& take) = 0;
  /// The coding, as messages call it: "gzip" for "X-GZIP" as well.
  virtual std::string_view name() const = 0;
};

/// All that `headers` name, the one that was packed with first first.
std::vector<std::string_view> codings_of(const Headers& headers);
/// Also true of "identity", which changes nothing. Case does not matter.
bool is_known_coding(std::string_view coding);
/// Null where nothing is unpacked: for "identity", and what is not known.
std::unique_ptr<Unpacker> make_unpacker(std::string_view coding);
/// A coding's name as it may be said in a message, whatever was sent as one.
std::string printable_coding(std::string_view name);

/// Takes all codings off an answer.
class AnswerUnpacker {
 public:
  /// Null = the answer is not packed. Errors: upstream_malformed for a coding
  /// that is not known, or more than kMostCodings.
  static Result<std::unique_ptr<AnswerUnpacker>> create(const Headers& headers);

  /// As that of Unpacker. `complete` is what whole() says.
  Unpacker::State feed(std::string_view packed, const Unpacker::Take& take);
  /// True = what came so far may be all: nothing, or complete data.
  bool whole() const;

 private:
  struct Stage {
    std::unique_ptr<Unpacker> unpacker;
    Unpacker::State state = Unpacker::State::more;
    std::uint64_t taken = 0;  ///< bytes
    std::uint64_t given = 0;  ///< bytes
  };

  explicit AnswerUnpacker(std::vector<Stage> stages)
      : stages_(std::move(stages)) {}
  Unpacker::State run(std::size_t at, std::string_view packed,
                      const Unpacker::Take& take);
  bool any(Unpacker::State state) const;

  std::vector<Stage> stages_;  ///< the first is the last coding
};

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
