// Arguments of calls in a stream, for clients whose calls take objects alone.
#include "chat/tool_arguments.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace llmproxy;

namespace {

struct Sum {
  std::string sent;
  bool wrapped = false;
};

/// What a client gets of a call whose arguments come in these pieces.
Sum sum_of(StreamedInput& input, const std::vector<std::string>& pieces) {
  Sum sum;
  for (const std::string& piece : pieces) sum.sent += input.take(piece);
  sum.sent += input.rest(sum.wrapped);
  return sum;
}

}  // namespace

TEST_CASE("streamed arguments are what whole ones are, however cut") {
  for (const std::string arguments :
       {"", "{}", R"( {"a":[1]})", "null", "[1,2]", R"("text")", "no JSON",
        " \n", "7"}) {
    CAPTURE(arguments);
    bool wrapped = false;
    const std::string whole = input_object(arguments, &wrapped);
    StreamedInput input;
    for (std::size_t cut = 0; cut <= arguments.size(); ++cut) {
      const Sum sum =
          sum_of(input, {arguments.substr(0, cut), arguments.substr(cut)});
      // Blanks before an object say nothing, and are not held for it.
      const std::size_t first = whole.find_first_not_of(" \n");
      CHECK(sum.sent == whole.substr(first));
      CHECK(sum.wrapped == wrapped);
    }
  }
}

TEST_CASE("what passes is sent as it comes") {
  StreamedInput input;
  CHECK(input.take(R"({"a")") == R"({"a")");
  CHECK(input.take(":1") == ":1");
}

TEST_CASE("no more than a megabyte is held") {
  const std::string piece(std::size_t{300} << 10, '[');
  StreamedInput input;
  std::string sent;
  for (int i = 0; i < 3; ++i) CHECK(input.take(piece).empty());
  for (int i = 0; i < 3; ++i) sent += input.take(piece);
  CHECK(sent.size() == 6 * piece.size());
  bool wrapped = false;
  CHECK(input.rest(wrapped).empty());
  CHECK_FALSE(wrapped);
  // The next call begins anew.
  CHECK(sum_of(input, {"7"}).wrapped);
}
