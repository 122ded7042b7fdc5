// One line a request, and nothing in it that is not one.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "json/json.h"
#include "server/access_log.h"

using namespace llmproxy;
using namespace std::chrono_literals;

namespace {

// 2026-11-20T22:59:00.123Z
const LogTime kWhen{std::chrono::milliseconds(1795215540123)};

RequestRecord usual() {
  RequestRecord record;
  record.request_id = "req_1";
  record.method = "POST";
  record.path = "/v1/messages";
  record.peer = "127.0.0.1";
  record.client_dialect = "claude";
  record.model = "fast";
  record.upstream_model = "gpt-5-mini";
  record.backend = "openai";
  record.status = 200;
  record.stream = true;
  record.input_tokens = 12;
  record.output_tokens = 0;
  record.outcome = "ok";
  record.first_byte = 1500us;
  record.total = 20ms;
  return record;
}

std::string temporary_file() {
  char name[] = "/tmp/llmproxy-log-XXXXXX";
  const int file = ::mkstemp(name);
  REQUIRE(file >= 0);
  ::close(file);
  return name;
}

std::string content(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the text line of a request") {
  CHECK(text_line(usual(), kWhen) ==
        "2026-11-20T22:59:00.123Z info request_id=req_1 peer=127.0.0.1 "
        "method=POST path=/v1/messages client_dialect=claude model=fast "
        "backend=openai upstream_model=gpt-5-mini status=200 stream=true "
        "input_tokens=12 output_tokens=0 ttfb_ms=1.500 total_ms=20.000 "
        "outcome=ok");
}

TEST_CASE("the JSON line of a request") {
  CHECK(json_line(usual(), kWhen) ==
        R"({"time":"2026-11-20T22:59:00.123Z","level":"info",)"
        R"("request_id":"req_1","peer":"127.0.0.1","method":"POST",)"
        R"("path":"/v1/messages","client_dialect":"claude","model":"fast",)"
        R"("backend":"openai","upstream_model":"gpt-5-mini","status":200,)"
        R"("stream":true,"input_tokens":12,"output_tokens":0,"ttfb_ms":1.5,)"
        R"("total_ms":20.0,"outcome":"ok"})");
}

TEST_CASE("what has no value is left out, failures are warnings") {
  RequestRecord record;
  record.status = 502;
  record.losses = 2;
  record.cached_tokens = 7;
  record.outcome = "upstream_truncated";
  record.error = "the upstream closed";
  CHECK(text_line(record, kWhen) ==
        "2026-11-20T22:59:00.123Z warn status=502 stream=false "
        "cached_tokens=7 losses=2 total_ms=0.000 "
        "outcome=upstream_truncated error=\"the upstream closed\"");
}

TEST_CASE("a model's name cannot forge a line or a field") {
  RequestRecord record;
  record.model = "a\nstatus=200 \"b\"\\ \x1b[2J\xc2\x9b";
  record.path = "/x=y";
  const std::string text = text_line(record, kWhen);
  CHECK(text.find(R"( path="/x=y" )") != std::string::npos);
  CHECK(text.find(R"( model="a\x0astatus=200 \"b\"\\ \x1b[2J\xc2\x9b" )") !=
        std::string::npos);
  const std::string json = json_line(record, kWhen);
  CHECK(json.find(R"("model":"a\nstatus=200 \"b\"\\ \u001B[2J\u009B")") !=
        std::string::npos);
}

TEST_CASE("any bytes make a valid JSON line of ASCII") {
  for (int first = 0; first < 256; ++first) {
    RequestRecord record;
    record.model = std::string("<") + static_cast<char>(first);
    for (int second = 0x70; second < 0x100; second += 8) {
      record.path = record.model + static_cast<char>(second) + ">";
      const std::string line = json_line(record, kWhen);
      INFO(line);
      const auto printable = [](unsigned char c) {
        return c >= 0x20 && c < 0x80;
      };
      REQUIRE(std::all_of(line.begin(), line.end(), printable));
      json::Document document;
      REQUIRE(document.parse(line));
    }
  }
}

TEST_CASE("endless values are cut") {
  RequestRecord record;
  record.model = std::string(1 << 20, 'm');
  CHECK(text_line(record, kWhen).size() < 1000);
  CHECK(json_line(record, kWhen).size() < 1000);
}

TEST_CASE("an access log writes to its file, at its level") {
  const std::string file = temporary_file();
  LogConfig config;
  config.file = file;
  RequestRecord fine = usual();
  RequestRecord failed = usual();
  failed.status = 500;
  SECTION("everything, in order") {
    {
      const auto log = AccessLog::open(config);
      REQUIRE(log);
      (*log)->on_request(fine);
      (*log)->on_request(failed);
    }
    const std::string lines = content(file);
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
    CHECK(lines.find(" info ") < lines.find(" warn "));
  }
  SECTION("only failures, as JSON") {
    config.level = "warn";
    config.format = "json";
    {
      const auto log = AccessLog::open(config);
      REQUIRE(log);
      (*log)->on_request(fine);
      (*log)->on_request(failed);
    }
    const std::string lines = content(file);
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 1);
    CHECK(lines.find(R"("status":500)") != std::string::npos);
  }
  SECTION("nothing") {
    config.level = "off";
    {
      const auto log = AccessLog::open(config);
      REQUIRE(log);
      (*log)->on_request(failed);
    }
    CHECK(content(file).empty());
  }
  ::unlink(file.c_str());
}

TEST_CASE("a log that cannot be is an error") {
  LogConfig config;
  SECTION("level") { config.level = "loud"; }
  SECTION("format") { config.format = "xml"; }
  SECTION("file") { config.file = "/dev/null/log"; }
  const auto log = AccessLog::open(config);
  REQUIRE_FALSE(log);
  INFO(log.error().message);
  CHECK((log.error().message.find(config.file) != std::string::npos &&
         log.error().message.find("log") != std::string::npos));
}
