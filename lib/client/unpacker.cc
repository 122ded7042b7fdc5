// The only file that includes zlib, Brotli and Zstandard. A row per coding.
#include "client/unpacker.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace llmproxy {
namespace {

using State = Unpacker::State;

constexpr std::size_t kPiece = std::size_t{32} << 10;
// The largest window that HTTP lets senders use (RFC 9659, section 3). Bits.
constexpr int kZstdWindow = 23;
constexpr std::size_t kLongestName = 40;
// Where one coding's output is the next one's input, a few bytes from the
// network are as many as one likes that become nothing (empty blocks, frames
// to skip). Real data give more than they take; a sender that flushes every
// word gives less. Bytes, and bytes taken for each one given.
constexpr std::uint64_t kIdle = std::uint64_t{1} << 20;
constexpr std::uint64_t kIdleShare = 16;

bool goes_on(State state) {
  return state == State::more || state == State::complete;
}

/// What all codings share: the piece that is written to, and the end.
class Decoder : public Unpacker {
 public:
  explicit Decoder(std::string_view name) : name_(name) {}

  State feed(std::string_view packed, const Take& take) final {
    if (goes_on(state_) && !packed.empty()) state_ = decode(packed, take);
    return state_;
  }
  std::string_view name() const final { return name_; }

 protected:
  /// `packed` is not empty.
  virtual State decode(std::string_view packed, const Take& take) = 0;

  bool is_complete() const { return state_ == State::complete; }
  /// Where kPiece bytes may be written.
  char* piece() { return piece_.data(); }
  bool give(std::size_t bytes, const Take& take) const {
    return bytes == 0 || take({piece_.data(), bytes});
  }

 private:
  const std::string_view name_;  ///< of the table
  std::vector<char> piece_ = std::vector<char>(kPiece);
  State state_ = State::more;
};

// --- gzip and deflate ------------------------------------------------------

// What inflateInit2 takes: the size of the window, and which head to expect.
constexpr int kGzip = 15 + 16;
constexpr int kZlib = 15;
constexpr int kRaw = -15;

/// A stream that could not be opened is refused by inflate() as broken.
class Inflater : public Decoder {
 public:
  using Decoder::Decoder;
  ~Inflater() override { ::inflateEnd(&stream_); }

 protected:
  void open(int head) {
    joined_ = head == kGzip;
    ::inflateInit2(&stream_, head);
  }
  State inflate(std::string_view packed, const Take& take) {
    if (packed.size() > std::numeric_limits<uInt>::max()) return State::broken;
    stream_.next_in =
        reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    for (;;) {
      if (at_end_ && !next_member()) return State::broken;
      stream_.next_out = reinterpret_cast<Bytef*>(piece());
      stream_.avail_out = static_cast<uInt>(kPiece);
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      if (!give(kPiece - stream_.avail_out, take)) return State::stopped;
      at_end_ = result == Z_STREAM_END;
      if (at_end_ && stream_.avail_in == 0) return State::complete;
      // It neither read nor wrote: there is nothing left to read.
      if (result == Z_BUF_ERROR) return State::more;
      if (!at_end_ && result != Z_OK) return State::broken;
    }
  }

 private:
  /// gzip files may be joined (RFC 1952, section 2.2); the others may not.
  bool next_member() {
    at_end_ = false;
    return joined_ && ::inflateReset(&stream_) == Z_OK;
  }

  z_stream stream_{};
  bool joined_ = false;
  bool at_end_ = false;
};

class Gzip final : public Inflater {
 public:
  Gzip() : Inflater("gzip") { open(kGzip); }

 private:
  State decode(std::string_view packed, const Take& take) override {
    return inflate(packed, take);
  }
};

/// The standard means zlib's head; many leave it out.
class Deflate final : public Inflater {
 public:
  Deflate() : Inflater("deflate") {}

 private:
  State decode(std::string_view packed, const Take& take) override {
    if (open_) return inflate(packed, take);
    const std::string head = first_ + std::string(packed.substr(0, 2));
    if (head.size() < 2) {
      first_ = head;
      return State::more;
    }
    open_ = true;
    open(is_zlib(head) ? kZlib : kRaw);
    const State state = first_.empty() ? State::more : inflate(first_, take);
    return goes_on(state) ? inflate(packed, take) : state;
  }
  /// RFC 1950, section 2.2.
  static bool is_zlib(std::string_view head) {
    const auto byte = [&](std::size_t at) {
      return static_cast<unsigned>(static_cast<unsigned char>(head[at]));
    };
    return (byte(0) & 0x0f) == Z_DEFLATED &&
           ((byte(0) << 8) | byte(1)) % 31 == 0;
  }

  std::string first_;  ///< a byte that came alone
  bool open_ = false;
};

// --- Brotli ----------------------------------------------------------------

struct BrotliEnd {
  void operator()(BrotliDecoderState* state) const {
    ::BrotliDecoderDestroyInstance(state);
  }
};

class Brotli final : public Decoder {
 public:
  Brotli() : Decoder("br") {}

 private:
  State decode(std::string_view packed, const Take& take) override {
    if (!decoder_ || is_complete()) return State::broken;
    const auto* next = reinterpret_cast<const std::uint8_t*>(packed.data());
    std::size_t left = packed.size();
    for (;;) {
      auto* to = reinterpret_cast<std::uint8_t*>(piece());
      std::size_t room = kPiece;
      const BrotliDecoderResult result = ::BrotliDecoderDecompressStream(
          decoder_.get(), &left, &next, &room, &to, nullptr);
      if (!give(kPiece - room, take)) return State::stopped;
      if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) continue;
      if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return State::more;
      const bool ended = result == BROTLI_DECODER_RESULT_SUCCESS && left == 0;
      return ended ? State::complete : State::broken;
    }
  }

  const std::unique_ptr<BrotliDecoderState, BrotliEnd> decoder_{
      ::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)};
};

// --- Zstandard -------------------------------------------------------------

struct ZstdEnd {
  void operator()(ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
};

class Zstd final : public Decoder {
 public:
  Zstd() : Decoder("zstd") {
    if (!decoder_) return;
    ::ZSTD_DCtx_setParameter(decoder_.get(), ZSTD_d_windowLogMax, kZstdWindow);
  }

 private:
  State decode(std::string_view packed, const Take& take) override {
    if (!decoder_) return State::broken;
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    for (;;) {
      ZSTD_outBuffer to{piece(), kPiece, 0};
      const std::size_t before = in.pos;
      const std::size_t hint =
          ::ZSTD_decompressStream(decoder_.get(), &to, &in);
      if (::ZSTD_isError(hint) != 0) return State::broken;
      if (!give(to.pos, take)) return State::stopped;
      // 0: a frame is over. Another may follow it.
      const bool used = in.pos == in.size;
      if (used && hint == 0) return State::complete;
      if (used && to.pos < to.size) return State::more;
      if (in.pos == before && to.pos == 0) return State::broken;
    }
  }

  const std::unique_ptr<ZSTD_DCtx, ZstdEnd> decoder_{::ZSTD_createDCtx()};
};

// --- The table -------------------------------------------------------------

template <class Kind>
std::unique_ptr<Unpacker> make() {
  return std::make_unique<Kind>();
}

struct Coding {
  std::string_view name;
  /// Null = it changes nothing.
  std::unique_ptr<Unpacker> (*make)();
};
constexpr std::array kCodings = {
    Coding{"gzip", make<Gzip>},       Coding{"x-gzip", make<Gzip>},
    Coding{"deflate", make<Deflate>}, Coding{"br", make<Brotli>},
    Coding{"zstd", make<Zstd>},       Coding{"identity", nullptr}};

const Coding* find_coding(std::string_view name) {
  const auto* row =
      std::find_if(kCodings.begin(), kCodings.end(), [&](const Coding& coding) {
        return same_header_name(coding.name, name);
      });
  return row == kCodings.end() ? nullptr : row;
}

}  // namespace

std::vector<std::string_view> codings_of(const Headers& headers) {
  std::vector<std::string_view> names;
  for (const Header& header : headers) {
    if (!same_header_name(header.name, "content-encoding")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::string_view item = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(item.size() + 1, rest.size()));
      const std::string_view name = trimmed(item);
      if (!name.empty()) names.push_back(name);
    }
  }
  return names;
}

bool is_known_coding(std::string_view coding) {
  return find_coding(coding) != nullptr;
}

std::unique_ptr<Unpacker> make_unpacker(std::string_view coding) {
  const Coding* row = find_coding(coding);
  return row == nullptr || row->make == nullptr ? nullptr : row->make();
}

std::string printable_coding(std::string_view name) {
  std::string out(name.substr(0, kLongestName));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

// --- Answers ---------------------------------------------------------------

Result<std::unique_ptr<AnswerUnpacker>> AnswerUnpacker::create(
    const Headers& headers) {
  std::vector<std::string_view> names = codings_of(headers);
  if (names.size() > kMostCodings) {
    return upstream_malformed(
        fmt::format("the upstream's answer has {} content codings; at most {} "
                    "are supported",
                    names.size(), kMostCodings));
  }
  std::vector<Stage> stages;
  for (; !names.empty(); names.pop_back()) {
    if (!is_known_coding(names.back())) {
      return upstream_malformed(fmt::format(
          "the upstream's answer has the content-encoding {}, which is not "
          "supported; supported are {}",
          printable_coding(names.back()), kTakenCodings));
    }
    std::unique_ptr<Unpacker> unpacker = make_unpacker(names.back());
    if (unpacker) stages.push_back({.unpacker = std::move(unpacker)});
  }
  if (stages.empty()) return std::unique_ptr<AnswerUnpacker>();
  return std::unique_ptr<AnswerUnpacker>(new AnswerUnpacker(std::move(stages)));
}

State AnswerUnpacker::feed(std::string_view packed,
                           const Unpacker::Take& take) {
  if (!packed.empty()) run(0, packed, take);
  // What is broken stops those before it.
  if (any(State::broken)) return State::broken;
  if (any(State::stopped)) return State::stopped;
  return whole() ? State::complete : State::more;
}

State AnswerUnpacker::run(std::size_t at, std::string_view packed,
                          const Unpacker::Take& take) {
  if (at == stages_.size()) {
    return take(packed) ? State::more : State::stopped;
  }
  Stage& stage = stages_[at];
  stage.taken += packed.size();
  stage.state = stage.unpacker->feed(packed, [&](std::string_view piece) {
    stage.given += piece.size();
    return goes_on(run(at + 1, piece, take));
  });
  const bool idle = stage.taken > kIdle + kIdleShare * stage.given;
  if (at > 0 && idle && goes_on(stage.state)) stage.state = State::broken;
  return stage.state;
}

bool AnswerUnpacker::any(State state) const {
  return std::any_of(stages_.begin(), stages_.end(),
                     [&](const Stage& stage) { return stage.state == state; });
}

bool AnswerUnpacker::whole() const {
  return std::all_of(stages_.begin(), stages_.end(), [](const Stage& stage) {
    return stage.taken == 0 || stage.state == State::complete;
  });
}

}  // namespace llmproxy
