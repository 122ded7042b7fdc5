// Forms (multipart/form-data): where their parts are, however the bytes come;
// and what is refused because readers differ in what it means.
#include <catch2/catch.hpp>

#include <ostream>
#include <string>
#include <vector>

#include "wire/form.h"

using namespace llmproxy;
using namespace std::string_literals;
using wire::FormPart;
using wire::FormReader;

namespace {

struct Found {
  std::string name;
  std::string content;
  bool file = false;
  bool operator==(const Found&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Found& found) {
  return out << found.name << (found.file ? " (file)" : "") << ": "
             << found.content;
}

/// Feeds `body` in pieces that end at `cuts`; "" where it is well.
std::string read(const std::string& body, std::vector<std::size_t> cuts,
                 std::vector<Found>& out, const std::string& boundary = "b") {
  FormReader form(boundary);
  cuts.push_back(body.size());
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    const auto fed = form.feed(std::string_view(body).substr(from, cut - from));
    if (!fed) return fed.error().message;
    from = cut;
  }
  const auto finished = form.finish();
  if (!finished) return finished.error().message;
  out.clear();
  for (const FormPart& part : form.parts()) {
    out.push_back(
        {part.name, body.substr(part.begin, part.end - part.begin), part.file});
  }
  return {};
}

std::string part(const std::string& head, const std::string& content) {
  return "--b\r\n" + head + "\r\n\r\n" + content + "\r\n";
}

std::string named(const std::string& name) {
  return "Content-Disposition: form-data; name=\"" + name + "\"";
}

const std::string kEnd = "--b--\r\n";
/// Nearly boundaries.
const std::string kBytes = "\0\r\n--\r\n--a\r\n-\n\r\r\n\n--c"s;
const std::string kFile = part(
    named("file") + "; filename=\"a.wav\"\r\nContent-Type: audio/wav", kBytes);

struct Row {
  std::string body;
  std::vector<Found> found;
};

std::vector<Row> well_formed() {
  const Found model{"model", "whisper-1"};
  const Found file{"file", kBytes, true};
  return {
      {kFile + part(named("model"), "whisper-1") + kEnd, {file, model}},
      {part(named("model"), "whisper-1") + kFile + kEnd, {model, file}},
      // Before the first boundary and behind the last stands what nobody reads.
      {"This is a form.\r\n\r\n" + part(named("model"), "x") + "--b--",
       {{"model", "x"}}},
      {part(named("model"), "x") + kEnd + "bye\r\n", {{"model", "x"}}},
      {"--b  \t\r\n" + named("model") + "\r\n\r\nx\r\n--b-- \r\n",
       {{"model", "x"}}},
      {part(named("a"), "") + part(named("a"), "2") + kEnd,
       {{"a", ""}, {"a", "2"}}},
      {kEnd, {}},
      // Heads in all their ways.
      {part("content-type: text/plain; charset=utf-8\r\n"
            "content-disposition:form-data;name=model\r\n"
            "content-transfer-encoding: 8BIT\r\nX-More: yes",
            "x") +
           kEnd,
       {{"model", "x"}}},
      {part("CONTENT-DISPOSITION: Form-Data ; NAME = \"model\" ; a=b;", "x") +
           kEnd,
       {{"model", "x"}}},
      {part(named("fi\\\"le") + "; filename*=UTF-8''%e2%82%ac.wav", "x") + kEnd,
       {{"fi\"le", "x", true}}},
      {part(named("file") + "; filename=\"a;b\\\\c\xc3\xa9.wav\"", "x") + kEnd,
       {{"file", "x", true}}},
      // A form within a part is a content like any other.
      {part(named("nested") + "\r\ncontent-type: multipart/mixed; boundary=c",
            "--c\r\n\r\nx\r\n--c--") +
           kEnd,
       {{"nested", "--c\r\n\r\nx\r\n--c--"}}},
      // In the middle of a line a boundary is none.
      {part(named("a"), "x--b\r\ny") + kEnd, {{"a", "x--b\r\ny"}}},
  };
}

}  // namespace

TEST_CASE("a form is read the same wherever it is cut") {
  for (const Row& row : well_formed()) {
    CAPTURE(row.body);
    std::vector<Found> found;
    REQUIRE(read(row.body, {}, found) == "");
    CHECK(found == row.found);
    for (std::size_t cut = 0; cut <= row.body.size(); ++cut) {
      REQUIRE(read(row.body, {cut}, found) == "");
      REQUIRE(found == row.found);
    }
    std::vector<std::size_t> all(row.body.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    REQUIRE(read(row.body, all, found) == "");
    CHECK(found == row.found);
  }
}

TEST_CASE("a form that breaks off is refused wherever that is") {
  const std::string body = kFile + part(named("model"), "x") + "--b--";
  for (std::size_t size = 0; size < body.size(); ++size) {
    CAPTURE(size);
    std::vector<Found> found;
    CHECK(read(body.substr(0, size), {}, found) != "");
  }
}

TEST_CASE("what readers take in two ways is refused") {
  struct Fault {
    std::string body;
    std::string says;
  };
  const std::string model = part(named("model"), "x");
  const std::vector<Fault> rows = {
      {"", "nowhere"},
      {"no form at all", "nowhere"},
      {"--c\r\n\r\n--c--", "nowhere"},
      {part(named("a"), "x\n--b\r\n" + named("model") + "\r\n\r\ny") + kEnd,
       "LF alone"},
      {"\n" + model + kEnd, "LF alone"},
      {"--b\n" + named("model") + "\r\n\r\nx\r\n" + kEnd, "LF alone"},
      {"--b\r\n" + named("model") + "\n\r\nx\r\n" + kEnd, "LF alone"},
      {"--bb\r\n" + named("model") + "\r\n\r\nx\r\n" + kEnd, "goes on"},
      {model + "--b--c\r\n", "goes on"},
      {model + "--b" + std::string(300, ' ') + "\r\n", "goes on"},
      {model + kEnd + model + kEnd, "follows the last"},
      {model + kEnd + kEnd, "follows the last"},
      {"--b\r\n" + named("a") + "\r\n\r\n--b--", "at once"},
      {part("content-type: text/plain", "x") + kEnd, "no content-disposition"},
      {"--b\r\n\r\nx\r\n" + kEnd, "no content-disposition"},
      {part(named("a") + "\r\n" + named("model"), "x") + kEnd, "two content-"},
      {part("content-disposition: form-data", "x") + kEnd, "one name"},
      {part("content-disposition: form-data; name=a; name=model", "x") + kEnd,
       "one name"},
      {part("content-disposition: form-data; name*=UTF-8''model", "x") + kEnd,
       "name*"},
      {part(named("mod\\el"), "x") + kEnd, "backslash"},
      {part(named(std::string(wire::kMaxPartName + 1, 'n')), "x") + kEnd,
       "too long"},
      {part("content-disposition: attachment; name=a", "x") + kEnd,
       "form-data"},
      {part("content-disposition: form-data; name=\"a", "x") + kEnd,
       "form-data"},
      {part("content-disposition: form-data; name=a b", "x") + kEnd,
       "form-data"},
      {part("content-disposition: form-data, name=a", "x") + kEnd, "form-data"},
      {part(named("a") + "\r\n folded", "x") + kEnd, "no header"},
      {part(named("a") + "\r\nno colon", "x") + kEnd, "no header"},
      {part(named("a") + std::string("\r\nx: \0", 6), "x") + kEnd, "no header"},
      {part(named("a") + "\r\nx: \r y", "x") + kEnd, "no header"},
      {part(named("a") + "\r\ncontent-transfer-encoding: base64", "eA==") +
           kEnd,
       "encoded"},
      {part(named("a") + "\r\nx: " + std::string(wire::kMaxPartHead, 'y'),
            "x") +
           kEnd,
       "too large"},
  };
  for (const Fault& row : rows) {
    CAPTURE(row.body.substr(0, 400));
    std::vector<Found> found;
    const std::string whole = read(row.body, {}, found);
    CHECK_THAT(whole, Catch::Contains(row.says));
    std::vector<std::size_t> all(row.body.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    CHECK(read(row.body, all, found) == whole);
  }
}

TEST_CASE("a form has a thousand parts and no more") {
  std::string body;
  for (std::size_t i = 0; i < wire::kMaxFormParts; ++i) {
    body += part(named("a"), "1");
  }
  std::vector<Found> found;
  CHECK(read(body + kEnd, {}, found) == "");
  CHECK(found.size() == wire::kMaxFormParts);
  FormReader form("b");
  const auto fed = form.feed(body + part(named("a"), "1") + kEnd);
  REQUIRE_FALSE(fed);
  CHECK(fed.error().kind == ErrorKind::request_too_large);
}

TEST_CASE("the boundary is what content-type says") {
  struct TypeRow {
    std::string type;
    std::string boundary;  ///< "" = refused
  };
  const std::vector<TypeRow> rows = {
      {"multipart/form-data; boundary=abc", "abc"},
      {"Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b:c\"", "a b:c"},
      {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk",
       "----WebKitFormBoundary7MA4YWxk"},
      {"multipart/form-data; boundary=" + std::string(70, 'x'),
       std::string(70, 'x')},
      {"multipart/form-data; boundary=" + std::string(71, 'x'), ""},
      {"multipart/form-data", ""},
      {"multipart/form-data; boundary=", ""},
      {"multipart/form-data; boundary=\"\"", ""},
      {"multipart/form-data; boundary=\"a \"", ""},
      {"multipart/form-data; boundary=\"a", ""},
      {"multipart/form-data; boundary=a; boundary=b", ""},
      {"multipart/form-data; boundary=\"a\\b\"", ""},
      {"multipart/form-data; boundary=a\xc3\xa9", ""},
      {"multipart/form-data, boundary=a", ""},
  };
  for (const TypeRow& row : rows) {
    CAPTURE(row.type);
    const auto boundary = wire::form_boundary(row.type);
    CHECK(boundary.has_value() == !row.boundary.empty());
    if (boundary) CHECK(*boundary == row.boundary);
  }
  CHECK(wire::is_form("multipart/form-data; boundary=x"));
  CHECK(wire::is_form(" MULTIPART/FORM-DATA"));
  CHECK_FALSE(wire::is_form("multipart/form-datas"));
  CHECK_FALSE(wire::is_form("application/json"));
  CHECK_FALSE(wire::is_form(""));
}

TEST_CASE("a large content passes in pieces of any size") {
  std::string content;
  while (content.size() < 100'000) content += "\r\n--\r\n--x\n\r";
  const std::string body = part(named("file") + "; filename=f", content) + kEnd;
  for (const std::size_t piece : {1U, 2U, 7U, 4096U, 65536U}) {
    FormReader form("b");
    for (std::size_t at = 0; at < body.size(); at += piece) {
      REQUIRE(form.feed(std::string_view(body).substr(at, piece)));
    }
    REQUIRE(form.finish());
    REQUIRE(form.parts().size() == 1);
    CHECK(form.parts()[0].end - form.parts()[0].begin == content.size());
    CHECK(form.first_boundary() == 0);
  }
}
