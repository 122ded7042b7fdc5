// An event of a stream is translated without allocating: after a few events
// every buffer has its size.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <new>
#include <string>

#include "bench/micro/bodies.h"
#include "llmproxy/translate.h"

namespace {

std::size_t allocations = 0;

}  // namespace

// All other forms of new come to this one.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// simdjson's; freed by the operators below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace llmproxy {
namespace {

/// Allocations that the deltas behind the warm-up cost.
std::size_t count_allocations(const Dialect& from, const Dialect& to) {
  constexpr std::size_t kWarmUp = 20;
  constexpr std::size_t kDeltas = 200;
  const bench::Stream stream = bench::stream_pieces(from, kDeltas);
  StreamTranslator translator(from, to);
  std::string out;
  for (const std::string& piece : stream.head) translator.feed(piece, out);
  std::size_t before = 0;
  for (std::size_t i = 0; i < kDeltas; ++i) {
    if (i == kWarmUp) before = allocations;
    out.clear();
    translator.feed(stream.deltas[i], out);
    REQUIRE_FALSE(out.empty());
  }
  return allocations - before;
}

/// Its last event repeats the whole text, which is kept in a growing string.
bool keeps_text(const Dialect& dialect) {
  return dialect.name == "openai-responses";
}
constexpr std::size_t kDoublings = 8;

TEST_CASE("The count of allocations counts") {
  const std::size_t before = allocations;
  const std::string text(100, 'x');
  CHECK(text.size() == 100);
  CHECK(allocations > before);
}

TEST_CASE("An event of a stream allocates nothing") {
  for (const Dialect* from : dialects()) {
    for (const Dialect* to : dialects()) {
      const std::size_t count = count_allocations(*from, *to);
      INFO(from->name << " to " << to->name);
      CHECK(count <= (keeps_text(*from) || keeps_text(*to) ? kDoublings : 0));
    }
  }
}

}  // namespace
}  // namespace llmproxy
