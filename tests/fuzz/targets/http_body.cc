// Bodies of HTTP requests, by length and in chunks, read from a socket and
// compared with a reading that is as plain as can be.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "fuzz/kit/target.h"
#include "server/body_reader.h"

namespace llmproxy::fuzz {
namespace {

/// Both ends; what was written is all there will be.
class Wire {
 public:
  explicit Wire(std::string_view bytes) {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) !=
        0) {
      std::abort();
    }
    const ssize_t sent = ::send(ends_[0], bytes.data(), bytes.size(), 0);
    if (sent != static_cast<ssize_t>(bytes.size())) std::abort();
    ::shutdown(ends_[0], SHUT_WR);
  }
  ~Wire() {
    for (const int end : ends_) ::close(end);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  int reader() const { return ends_[1]; }

 private:
  std::array<int, 2> ends_{};
};

/// RFC 9112, section 7.1, for bodies without extensions or trailers: what
/// the chunks hold and how many bytes they take. nullopt = not so simple.
struct Plain {
  std::string body;
  std::size_t taken = 0;
};
std::optional<Plain> read_plainly(std::string_view bytes) {
  Plain plain;
  for (;;) {
    const std::size_t end = bytes.find("\r\n", plain.taken);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = bytes.substr(plain.taken, end - plain.taken);
    std::uint64_t size = 0;
    const auto [stop, code] =
        std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (code != std::errc() || stop != line.data() + line.size()) {
      return std::nullopt;
    }
    plain.taken = end + 2;
    if (size + 2 > bytes.size() - plain.taken) return std::nullopt;
    plain.body += bytes.substr(plain.taken, size);
    plain.taken += size;
    if (bytes.substr(plain.taken, 2) != "\r\n") return std::nullopt;
    plain.taken += 2;
    if (size == 0) return plain;
  }
}

// Less than the longest body that some runs allow.
constexpr std::size_t kBudget = 2048;

void run(Input& input) {
  const std::string_view bytes = input.rest();
  BodyLimits limits;
  limits.bytes = input.flag() ? 64 : 65536;
  BodyFraming framing;
  framing.chunked = input.below(4) != 0;
  const std::uint8_t length = input.byte();
  if (!framing.chunked) framing.length = length;

  const Wire wire(bytes);
  SocketInput socket(wire.reader());
  ByteBudget budget(kBudget);
  ByteLease lease(&budget);
  BodyReader reader(socket, limits);
  std::string body;
  BodyText place(body, lease);
  const BodyState state = reader.read(framing, place);
  expect(body.size() <= limits.bytes, "a body keeps the limit", body);
  expect(state != BodyState::complete || lease.bytes() >= body.size(),
         "a body is counted", body);
  // What is left stays in the kernel, too.
  while (socket.more(Clock::now()) == llmproxy::Input::ok) {
  }
  const std::string left(socket.unread());
  if (state == BodyState::timeout) throw Broken{"nobody waits"};
  if (state != BodyState::complete) return;
  expect(bytes.ends_with(left), "what follows is left alone", left);
  if (!framing.chunked) {
    expect(body == bytes.substr(0, length) && body.size() == length,
           "a body is as long as it says", body);
    return;
  }
  const auto plain = read_plainly(bytes);
  if (!plain) return;
  expect(body == plain->body, "chunks are joined", body);
  expect(left == bytes.substr(plain->taken), "what follows is left alone",
         left);
}

const Registered kRegistered({"http_body", Form::lines, 4096, run});

}  // namespace
}  // namespace llmproxy::fuzz
