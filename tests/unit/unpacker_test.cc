// Content codings that come piece by piece, whatever the pieces are.
#include "client/unpacker.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/packed.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

using State = Unpacker::State;

constexpr std::size_t kMebi = std::size_t{1} << 20;
constexpr std::size_t kPiece = std::size_t{32} << 10;

struct Packed {
  std::string coding;
  std::string bytes;
};

std::vector<Packed> packed(const std::string& text) {
  return {{"gzip", deflated(text, 31)},
          {"X-Gzip", deflated(text, 31)},
          {"deflate", deflated(text, 15)},
          {"Deflate", deflated(text, -15)},
          {"BR", brotli(text)},
          {"zstd", zstd(text)}};
}

/// Some of it can be packed, some of it cannot; at most what brotli() takes.
std::string some_text() {
  std::string text(20'000, 'x');
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) text += static_cast<char>(random());
  for (int i = 0; i < 2'000; ++i) text += "all of this again ";
  return text.substr(0, 65'536);
}

std::string times(std::size_t count, const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

/// What came out, and what was said last.
struct Seen {
  std::string text;
  State state = State::more;
};

/// Feeds `bytes` in pieces of `size`, to the end or until they are refused.
template <class Any>
Seen feed(Any& unpacker, std::string_view bytes, std::size_t size) {
  Seen seen;
  const Unpacker::Take take = [&](std::string_view piece) {
    CHECK((!piece.empty() && piece.size() <= kPiece));
    seen.text += piece;
    return true;
  };
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
    seen.state = unpacker.feed(bytes.substr(0, size), take);
    if (seen.state == State::broken) break;
  }
  return seen;
}

Seen unpacked(const std::string& coding, const std::string& bytes,
              std::size_t size = std::string::npos) {
  const auto unpacker = make_unpacker(coding);
  REQUIRE(unpacker);
  return feed(*unpacker, bytes, size);
}

std::unique_ptr<AnswerUnpacker> answer(const std::string& codings) {
  auto made = AnswerUnpacker::create({{"Content-Encoding", codings}});
  REQUIRE(made);
  return std::move(*made);
}

/// 1 GiB of zeros, or what becomes it when it is unpacked.
std::vector<Packed> bombs() {
  const std::string zeros(kMebi, '\0');
  const std::string gzip = times(1024, deflated(zeros, 31));
  // As Brotli's packer writes it: a mebibyte with the head, and one behind it.
  const std::string first(
      "\xa3\xff\xff\x07\x40\x02\x20\x1e\x0b\x24\xf7\xfe"
      "\xc1\x00",
      14);
  const std::string next(
      "\xfa\xff\x7f\x00\x24\x00\xe2\xb0\x00\x74\xef\x1f"
      "\x0c",
      13);
  return {{"gzip", gzip},
          {"deflate", times(1024, deflated(zeros, -15, Z_FULL_FLUSH)) +
                          std::string("\x03\0", 2)},
          {"br", first + times(1023, next) + "\x03"},
          {"zstd", times(1024, zstd(zeros))},
          {"gzip, zstd", zstd(gzip)},
          {"gzip, gzip, deflate", deflated(deflated(gzip, 31), 15)}};
}

}  // namespace

TEST_CASE("unpacker: the pieces that it gets do not matter") {
  const std::string text = some_text();
  for (const auto& [coding, bytes] : packed(text)) {
    for (const std::size_t size :
         {bytes.size(), kPiece, kMebi / 1000, std::size_t{2}, std::size_t{1}}) {
      CAPTURE(coding, size);
      const Seen seen = unpacked(coding, bytes, size);
      CHECK(seen.state == State::complete);
      CHECK((seen.text == text));
    }
  }
}

TEST_CASE("unpacker: names") {
  CHECK(make_unpacker("X-GZIP")->name() == "gzip");
  CHECK(make_unpacker("Deflate")->name() == "deflate");
  CHECK(make_unpacker("BR")->name() == "br");
  CHECK(make_unpacker("zStd")->name() == "zstd");
  for (const char* unknown : {"", "lzma", "gzip ", "gzi", "brotli", "*"}) {
    CHECK_FALSE(is_known_coding(unknown));
    CHECK_FALSE(make_unpacker(unknown));
  }
  CHECK(is_known_coding("Identity"));
  CHECK_FALSE(make_unpacker("identity"));
  const Headers headers = {{"content-encoding", "a , ,b"},
                           {"content-type", "c"},
                           {"Content-Encoding", "d,"}};
  CHECK((codings_of(headers) == std::vector<std::string_view>{"a", "b", "d"}));
  CHECK(codings_of({}).empty());
  CHECK(printable_coding("a\tb\xff") == "a?b?");
  CHECK(printable_coding(std::string(100, 'x')) == std::string(40, 'x'));
}

TEST_CASE("unpacker: nothing, and nothing that is packed") {
  const std::string empty_brotli = "\x06";
  for (const auto& [coding, bytes] :
       {Packed{"gzip", deflated("", 31)}, Packed{"deflate", deflated("", 15)},
        Packed{"deflate", deflated("", -15)}, Packed{"br", empty_brotli},
        Packed{"zstd", zstd("")}}) {
    CAPTURE(coding);
    const auto unpacker = make_unpacker(coding);
    CHECK(unpacker->feed("", nullptr) == State::more);
    CHECK(unpacker->feed(bytes, nullptr) == State::complete);
    CHECK(unpacker->feed("", nullptr) == State::complete);
  }
}

TEST_CASE("unpacker: what is cut is not complete, wherever it is") {
  const std::string text = "some text that is packed";
  for (const auto& [coding, bytes] : packed(text)) {
    CAPTURE(coding);
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      CHECK(unpacked(coding, bytes.substr(0, size)).state == State::more);
      CHECK(unpacked(coding, bytes.substr(0, size), 1).state == State::more);
    }
  }
}

TEST_CASE("unpacker: what comes is given as soon as it can be") {
  const std::string text = "data: one event\n\n";
  for (const auto& [coding, bytes] :
       {Packed{"gzip", deflated(text, 31, Z_SYNC_FLUSH)},
        Packed{"deflate", deflated(text, -15, Z_SYNC_FLUSH)},
        Packed{"br", brotli(text).substr(0, text.size() + 3)},
        Packed{"zstd", zstd(text, 0, ZSTD_e_flush)}}) {
    CAPTURE(coding);
    for (const std::size_t size : {bytes.size(), std::size_t{1}}) {
      const Seen seen = unpacked(coding, bytes, size);
      CHECK(seen.state == State::more);
      CHECK(seen.text == text);
    }
  }
}

TEST_CASE("unpacker: bytes behind the end, in the same piece or another") {
  const std::string text = "some text that is packed";
  for (const auto& [coding, bytes] : packed(text)) {
    CAPTURE(coding);
    for (const std::size_t size :
         {bytes.size() + 4, bytes.size(), std::size_t{1}}) {
      CAPTURE(size);
      CHECK(unpacked(coding, bytes + "xxxx", size).state == State::broken);
      CHECK(unpacked(coding, bytes + std::string(4, '\0'), size).state ==
            State::broken);
    }
    const auto unpacker = make_unpacker(coding);
    CHECK(feed(*unpacker, bytes + "xxxx", 1).state == State::broken);
    // Once broken, always broken.
    CHECK(feed(*unpacker, bytes, 1).text.empty());
    CHECK(unpacker->feed("", nullptr) == State::broken);
  }
}

TEST_CASE("unpacker: members and frames may be joined, others may not") {
  const std::string text = "some text that is packed";
  for (const auto& [coding, bytes] : packed(text)) {
    CAPTURE(coding);
    const bool joins = is_known_coding(coding) &&
                       make_unpacker(coding)->name() != "br" &&
                       make_unpacker(coding)->name() != "deflate";
    for (const std::size_t size :
         {3 * bytes.size(), bytes.size(), std::size_t{5}, std::size_t{1}}) {
      CAPTURE(size);
      const Seen seen = unpacked(coding, times(3, bytes), size);
      CHECK(seen.state == (joins ? State::complete : State::broken));
      CHECK(seen.text == times(joins ? 3 : 1, text));
    }
    if (!joins) continue;
    const auto unpacker = make_unpacker(coding);
    CHECK(feed(*unpacker, bytes, 1).state == State::complete);
    CHECK(feed(*unpacker, bytes.substr(0, 3), 1).state == State::more);
    CHECK(feed(*unpacker, bytes.substr(3), 1).state == State::complete);
  }
}

TEST_CASE("unpacker: garbage is never complete, and the same in any pieces") {
  const std::string text = some_text().substr(19'900, 400);
  std::mt19937 random(2);
  for (const auto& [coding, bytes] : packed(text)) {
    CAPTURE(coding);
    CHECK(unpacked(coding, text).state != State::complete);
    CHECK(unpacked(coding, std::string(9, '\xff')).state == State::broken);
    for (int i = 0; i < 300; ++i) {
      std::string mangled = bytes;
      mangled[random() % mangled.size()] ^=
          static_cast<char>(1 << random() % 8);
      const Seen whole = unpacked(coding, mangled);
      const Seen bytewise = unpacked(coding, mangled, 1);
      CHECK(whole.state == bytewise.state);
      if (whole.state == State::complete) CHECK(whole.text == bytewise.text);
    }
  }
}

TEST_CASE("unpacker: who takes it says when it is enough") {
  const std::string text = some_text();
  for (const auto& [coding, bytes] : packed(text)) {
    CAPTURE(coding);
    const auto unpacker = make_unpacker(coding);
    std::string seen;
    const Unpacker::Take take = [&](std::string_view piece) {
      seen += piece;
      return false;
    };
    CHECK(unpacker->feed(bytes, take) == State::stopped);
    CHECK((seen == text.substr(0, seen.size())));
    CHECK(seen.size() <= kPiece);
    CHECK(unpacker->feed(bytes, nullptr) == State::stopped);
    CHECK(unpacker->feed("", nullptr) == State::stopped);
  }
}

TEST_CASE("unpacker: of a bomb no more becomes than is taken") {
  constexpr std::size_t kEnough = 2 * kPiece;
  for (const auto& [coding, bytes] : bombs()) {
    CAPTURE(coding, bytes.size());
    CHECK(bytes.size() < 2 * kMebi);
    std::size_t size = 0;
    int calls = 0;
    const Unpacker::Take take = [&](std::string_view piece) {
      ++calls;
      size += piece.size();
      return size < kEnough;
    };
    const auto unpacker = answer(coding);
    CHECK(unpacker->feed(bytes, take) == State::stopped);
    CHECK(size >= kEnough);
    CHECK(size < kEnough + kPiece);
    CHECK(calls < 10);
    CHECK(unpacker->feed(bytes, nullptr) == State::stopped);
    CHECK_FALSE(unpacker->whole());
  }
}

TEST_CASE("unpacker: what becomes nothing is not unpacked for ever") {
  // A frame that is skipped: 1 MiB that stands for nothing.
  const std::string skipped =
      std::string("\x50\x2a\x4d\x18\0\0\x10\0", 8) + std::string(kMebi, '\0');
  const std::string bytes = times(1024, deflated(skipped, 31));
  CHECK(unpacked("zstd", skipped).state == State::complete);
  const auto unpacker = answer("zstd, gzip");
  const Seen seen = feed(*unpacker, bytes, bytes.size());
  CHECK(seen.state == State::broken);
  CHECK(seen.text.empty());
  CHECK_FALSE(unpacker->whole());
}

TEST_CASE("answers: those that are not packed need no unpacker") {
  CHECK(*AnswerUnpacker::create({}) == nullptr);
  CHECK(answer("") == nullptr);
  CHECK(answer("identity") == nullptr);
  CHECK(answer("Identity, ,identity") == nullptr);
}

TEST_CASE("answers: one coding, and several in a row") {
  const std::string text = some_text();
  std::vector<Packed> answers = packed(text);
  answers.push_back({"GZip , Identity,zstd", zstd(deflated(text, 31))});
  answers.push_back(
      {"zstd, deflate, gzip", deflated(deflated(zstd(text), -15), 31)});
  answers.push_back({"gzip, br", brotli(deflated(text, 31))});
  for (const auto& [codings, bytes] : answers) {
    for (const std::size_t size :
         {bytes.size(), std::size_t{1000}, std::size_t{1}}) {
      CAPTURE(codings, size);
      const auto unpacker = answer(codings);
      CHECK(unpacker->whole());
      const Seen seen = feed(*unpacker, bytes, size);
      CHECK(seen.state == State::complete);
      CHECK((seen.text == text));
      CHECK(unpacker->whole());
      CHECK(unpacker->feed("", nullptr) == State::complete);
    }
    const auto cut = answer(codings);
    CHECK(feed(*cut, bytes.substr(0, bytes.size() - 1), 100).state ==
          State::more);
    CHECK_FALSE(cut->whole());
    const auto longer = answer(codings);
    CHECK(feed(*longer, bytes + "xxxx", 100).state == State::broken);
    CHECK_FALSE(longer->whole());
  }
}

TEST_CASE("answers: two headers are one list") {
  const auto made = AnswerUnpacker::create(
      {{"content-encoding", "gzip"}, {"Content-Encoding", "zstd"}});
  REQUIRE(made);
  CHECK(feed(**made, zstd(deflated("text", 31)), 1).text == "text");
}

TEST_CASE("answers: every coding of a row has to be whole") {
  const std::string inner = deflated("some text that is packed", 31);
  const auto cut = answer("gzip, zstd");
  CHECK(feed(*cut, zstd(inner.substr(0, inner.size() - 2)), 1).state ==
        State::more);
  CHECK_FALSE(cut->whole());
  const auto mangled = answer("gzip, zstd");
  const Seen seen = feed(*mangled, zstd("no gzip at all"), 1);
  CHECK(seen.state == State::broken);
  CHECK(seen.text.empty());
  CHECK_FALSE(mangled->whole());
  // As for requests: what became nothing needs no second coding.
  const auto empty = answer("gzip, zstd");
  CHECK(feed(*empty, zstd(""), 1).state == State::complete);
  CHECK(empty->whole());
}

TEST_CASE("answers: much that hardly can be packed goes through two codings") {
  std::mt19937 random(3);
  std::string text(3 * kMebi, '\0');
  for (char& c : text) c = static_cast<char>(random());
  const auto unpacker = answer("zstd, gzip");
  const Seen seen = feed(*unpacker, deflated(zstd(text), 31), 5000);
  CHECK(seen.state == State::complete);
  CHECK((seen.text == text));
}

TEST_CASE("answers: codings that nobody knows, and too many") {
  const auto unknown =
      AnswerUnpacker::create({{"content-encoding", "gzip, \x01lzma"}});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::upstream_malformed);
  CHECK(unknown.error().fault == Fault::upstream);
  CHECK(unknown.error().message ==
        "the upstream's answer has the content-encoding ?lzma, which is not "
        "supported; supported are gzip, deflate, br, zstd");
  CHECK(AnswerUnpacker::create({{"content-encoding", "gzip, gzip, br"}}));
  const auto many =
      AnswerUnpacker::create({{"content-encoding", "gzip, gzip, gzip, gzip"}});
  REQUIRE_FALSE(many);
  CHECK(many.error().kind == ErrorKind::upstream_malformed);
  CHECK(many.error().message ==
        "the upstream's answer has 4 content codings; at most 3 are "
        "supported");
}
