// Percent escapes, base64, blanks, tokens and cases.
#include "base/text.h"

#include <catch2/catch.hpp>
#include <string>

namespace llmproxy {
namespace {

using namespace std::string_view_literals;

struct Pair {
  std::string_view plain;
  std::string_view coded;
};

TEST_CASE("base64 is RFC 4648's", "[text]") {
  // Section 10.
  constexpr Pair kVectors[] = {{"", ""},
                               {"f", "Zg=="},
                               {"fo", "Zm8="},
                               {"foo", "Zm9v"},
                               {"foob", "Zm9vYg=="},
                               {"fooba", "Zm9vYmE="},
                               {"foobar", "Zm9vYmFy"}};
  for (const Pair& row : kVectors) {
    CAPTURE(row.coded);
    CHECK(encode_base64(row.plain) == row.coded);
    CHECK(decode_base64(row.coded) == row.plain);
  }
}

TEST_CASE("base64 holds every byte", "[text]") {
  // 0x00 and 0xff with what is beside them, and the two last signs.
  CHECK(encode_base64("\x01\xff\x00z"sv) == "Af8Aeg==");
  CHECK(encode_base64("\xfb\xff\xfe"sv) == "+//+");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (std::size_t size = 254; size <= all.size(); ++size) {
    const std::string bytes = all.substr(0, size);
    CHECK(decode_base64(encode_base64(bytes)) == bytes);
  }
}

TEST_CASE("base64 is read as it is found", "[text]") {
  CHECK(decode_base64("-__-") == "\xfb\xff\xfe");  // the alphabet of URLs
  CHECK(decode_base64("Zg") == "f");               // no padding
  CHECK(decode_base64("Zm9v\r\nYm Fy\t") == "foobar");
  CHECK(decode_base64("Zg==Zg==") == "f");  // the padding ends it
  for (const std::string_view wrong :
       {"a*b="sv, "Zm9v\0"sv, "Zm9\xff"sv, "%3D"sv}) {
    CHECK_FALSE(decode_base64(wrong));
  }
  std::string out = "before:";
  append_base64("foo", out);
  CHECK(out == "before:Zm9v");
  CHECK(append_decoded_base64("Zm9v", out));
  CHECK(out == "before:Zm9vfoo");
}

TEST_CASE("percent escapes are read where they are whole", "[text]") {
  constexpr Pair kRows[] = {{"", ""},
                            {"a/b", "a%2Fb"},
                            {"a/b", "a%2fb"},
                            {"%2F", "%252F"},
                            {"\xc3\xa9", "%C3%A9"},
                            {"a+b", "a+b"},  // no form: a plus is a plus
                            {"%", "%"},
                            {"%2", "%2"},
                            {"100%", "100%"},
                            {"%zz", "%zz"},
                            {"%2g", "%2g"},
                            {"%-1", "%-1"},
                            {"%+1", "%+1"},
                            {"% 1", "% 1"},
                            {"%/", "%%2F"},
                            {"%0x41", "%0x41"}};
  for (const Pair& row : kRows) {
    CAPTURE(row.coded);
    CHECK(percent_decoded(row.coded) == row.plain);
  }
  CHECK(percent_decoded("a%00b") == "a\0b"sv);
}

TEST_CASE("all but the unreserved characters are escaped", "[text]") {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  CHECK(percent_encoded(kUnreserved) == kUnreserved);
  CHECK(percent_encoded("a/b c\xff~") == "a%2Fb%20c%FF~");
  CHECK(percent_encoded("a/b c", "/") == "a/b%20c");
  CHECK(percent_encoded("%2F+\0"sv) == "%252F%2B%00");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(percent_decoded(percent_encoded(all)) == all);
}

TEST_CASE("blanks go from both ends and nowhere else", "[text]") {
  CHECK(trimmed(" \ta b\t ") == "a b");
  CHECK(trimmed(" \t ").empty());
  CHECK(trimmed("").empty());
  CHECK(trimmed("\r\na\n") == "\r\na\n");
  CHECK(trimmed("\r\na\n", " \t\r\n") == "a");
  CHECK(trimmed_right(" a \n", " \n") == " a");
  CHECK(trimmed_right(" \n", " \n").empty());
  CHECK(trimmed_right("", " ").empty());
}

TEST_CASE("a token is RFC 9110's", "[text]") {
  CHECK(is_token("x-request-id"));
  CHECK(is_token("!#$%&'*+-.^_`|~09azAZ"));
  for (const std::string_view wrong :
       {""sv, "a b"sv, "a:"sv, "a\0"sv, "\x7f"sv, "a\xe9"sv, "(a)"sv, "a/b"sv,
        "\"a\""sv, "a,b"sv, "[a]"sv, "a@b"sv}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_token(wrong));
  }
}

TEST_CASE("ASCII alone has small letters", "[text]") {
  CHECK(lower("Content-TYPE [@`{]") == "content-type [@`{]");
  CHECK(lower("\xc3\x84"sv) == "\xc3\x84");
  CHECK(lower('Z') == 'z');
}

}  // namespace
}  // namespace llmproxy
