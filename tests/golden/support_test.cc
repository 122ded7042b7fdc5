// The golden runner's own tools: case files, the rewriter, JSON layout, diff.
#include <catch2/catch.hpp>

#include <unistd.h>

#include <filesystem>

#include "golden/equivalence.h"
#include "golden/runner.h"
#include "golden/stream_rules.h"
#include "support/diff.h"
#include "support/golden_case.h"
#include "support/json_text.h"

using namespace llmproxy;
using namespace llmproxy::testing;
namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& path) {
  const Result<std::string> text = read_file(path.string());
  REQUIRE(text);
  return *text;
}

// A copy that a test may change; gone with the object.
class ScratchCopy {
 public:
  explicit ScratchCopy(const fs::path& original)
      : folder_(fs::temp_directory_path() /
                fs::path("golden-rewriter-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
    fs::copy_file(original, path(), fs::copy_options::overwrite_existing);
  }
  ~ScratchCopy() { fs::remove_all(folder_); }
  fs::path path() const { return folder_ / "scratch.case"; }

 private:
  fs::path folder_;
};

const fs::path kFolder = GOLDEN_REWRITER_FOLDER;

}  // namespace

TEST_CASE("golden: --update rewrites what differs and nothing else") {
  ScratchCopy scratch(kFolder / "before.case");
  RunOptions options;
  options.paths = {scratch.path().string()};
  CHECK(run_golden(options) == 1);
  CHECK(text_of(scratch.path()) == text_of(kFolder / "before.case"));
  options.update = true;
  CHECK(run_golden(options) == 0);
  CHECK(text_of(scratch.path()) == text_of(kFolder / "after.case"));
  CHECK(run_golden(options) == 0);
  CHECK(text_of(scratch.path()) == text_of(kFolder / "after.case"));
}

TEST_CASE("golden: --add-missing adds every section once") {
  ScratchCopy scratch(kFolder / "before.case");
  const std::string given = "--- given request claude\n{\"model\":\"m\"}\n";
  REQUIRE(write_file(scratch.path().string(), "Bad.\n" + given));
  RunOptions options;
  options.paths = {scratch.path().string()};
  CHECK(run_golden(options) == 1);  // nothing is expected
  options.add_missing = true;
  CHECK(run_golden(options) == 0);
  const std::string once = text_of(scratch.path());
  CHECK(once.starts_with("Bad.\n" + given + "--- expect canonical\nerror "));
  CHECK(run_golden(options) == 0);
  CHECK(text_of(scratch.path()) == once);
}

TEST_CASE("golden: a case that makes no sense is told by line") {
  struct Row {
    const char* name;
    const char* text;
    const char* message;
  };
  const Row rows[] = {
      {"no section", "prose\n", "x.case:2: no `--- given` section"},
      {"odd rule", "p\n--- wanted canonical\n", "x.case:2: a rule is"},
      {"too many words", "--- expect request claude twice\n", "x.case:1: "},
      {"no such file", "--- given request claude < nowhere.bin\n",
       "cannot read"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Result<GoldenCase> golden = parse_case("x.case", row.text);
      REQUIRE(!golden);
      CHECK_THAT(golden.error().message, Catch::Contains(row.message));
    }
  }
}

TEST_CASE("golden: reading and writing a case are inverse") {
  for (const char* name : {"before.case", "after.case"}) {
    const std::string text = text_of(kFolder / name);
    const Result<GoldenCase> golden = parse_case("x.case", text);
    REQUIRE(golden);
    if (std::string_view(name) == "after.case") {
      CHECK(write_case(*golden) == text);
    }
    CHECK(golden->sections.size() == 4);
    CHECK(golden->sections[1].line == 8);
    CHECK(golden->options() == std::vector<std::string>{"model=other"});
  }
}

TEST_CASE("json_text: layout and compaction touch white space only") {
  const std::string text =
      R"({"a":1.0,"b":[1e3,"x, {\"y\": [1]}\\"],"long":"0123456789012345)"
      R"(678901234567890123456789012345678901234567890","e":{},"u":"\u00e9"})";
  const std::string laid_out = layout_json(text);
  CHECK(compact_json(laid_out) == text);
  CHECK_THAT(laid_out, Catch::StartsWith("{\n  \"a\": 1.0,\n"));
  CHECK_THAT(laid_out,
             Catch::Contains(R"(  "b": [1e3, "x, {\"y\": [1]}\\"],)"));
  CHECK_THAT(laid_out, Catch::Contains("  \"e\": {},\n"));
  CHECK(compact_json("<html> a </html>") == "<html>a</html>");
  CHECK(with_member(R"({"a":1 })", R"("b":2)") == R"({"a":1,"b":2})");
  CHECK(with_member("{ }", R"("b":2)") == R"({"b":2})");
}

TEST_CASE("diff: only what changed, with its line numbers") {
  CHECK(unified_diff("a\nb\n", "a\nb\n").empty());
  CHECK(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\n5\nX\n7\n8\n",
                     10) == "@@ line 12 @@\n 3\n 4\n 5\n-6\n+X\n 7\n 8\n");
}

TEST_CASE("golden: differences need a loss to excuse them") {
  ChatRequest before;
  before.model = "m";
  before.messages = {user_message("hi"), assistant_message("Hello!")};
  before.messages[1].source.index = 1;
  ChatRequest after = before;
  CHECK(unexplained_difference(before, after, {}).empty());
  after.messages.pop_back();
  CHECK_THAT(unexplained_difference(before, after, {}),
             Catch::Contains("Hello!"));
  CHECK(unexplained_difference(before, after,
                               {{"/messages/1", "gone", LossKind::dropped}})
            .empty());
  CHECK_FALSE(unexplained_difference(
                  before, after, {{"/messages/0", "gone", LossKind::dropped}})
                  .empty());
  CHECK_FALSE(unexplained_difference(after, before, {}).empty());
}

TEST_CASE("golden: one huge event arrives whole, however it is cut") {
  constexpr std::size_t kSize = std::size_t{8} << 20;
  const std::string text(kSize, 'x');
  const std::string bytes =
      "data: "
      "{\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" +
      text + "\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
  for (const std::size_t piece : {std::size_t{16384}, std::size_t{1000}}) {
    const auto decoder = find_dialect("openai-chat")->new_stream_decoder({});
    Accumulator sum;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      decoder->feed(std::string_view(bytes).substr(at, piece), sum);
    }
    decoder->finish(sum);
    REQUIRE(sum.done());
    CHECK(sum.response().content.at(0).as<TextPart>()->text == text);
  }
}

TEST_CASE("golden: an event beyond all bounds is a failure, not a cut") {
  const std::string piece(std::size_t{1} << 20, 'x');
  const auto decoder = find_dialect("claude")->new_stream_decoder({});
  Accumulator sum;
  decoder->feed("event: ping\ndata: ", sum);
  for (int i = 0; i < 80 && !sum.error(); ++i) decoder->feed(piece, sum);
  REQUIRE(sum.error());
  CHECK(sum.error()->kind == ErrorKind::upstream_malformed);
}

TEST_CASE("golden: the rules of streams find what SDKs fail on") {
  const Dialect& claude = *find_dialect("claude");
  const Dialect& openai = *find_dialect("openai-chat");
  const auto rule = [](const Dialect& dialect, std::string_view bytes) {
    RequestContext context;
    context.include_usage = true;
    return broken_stream_rule(dialect, context, bytes, false);
  };
  CHECK_THAT(rule(claude,
                  "event: content_block_start\ndata: {\"type\":"
                  "\"content_block_start\",\"index\":0}\n\n"),
             Catch::StartsWith("before message_start"));
  CHECK_THAT(rule(claude, "event: ping\ndata: {\"type\":\"ping\"}\n\n"),
             Catch::StartsWith("no message_start"));
  CHECK_THAT(rule(openai, "data: {\"choices\":[]}\n"),
             Catch::Contains("blank line"));
  CHECK_THAT(rule(openai, "event: ping\ndata: {}\n\n"),
             Catch::StartsWith("an event: line"));
  CHECK_THAT(rule(openai, "data: [DONE]\n\n"),
             Catch::Contains("finish_reason"));
  CHECK(looks_finished(openai, "data: [DONE]\n\n"));
  CHECK_FALSE(looks_finished(openai, "data: {\"finish_reason\":null}\n\n"));
  CHECK(normal_end(claude, "data: {\"type\": \"message_stop\"}\n\n") == 29);
}
