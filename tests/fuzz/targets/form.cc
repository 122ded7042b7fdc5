// Forms (multipart/form-data): the same parts however the bytes come, and the
// same ones in a form that is written anew from what was read.
#include <string>
#include <vector>

#include "fuzz/kit/target.h"
#include "wire/form.h"

namespace llmproxy::fuzz {
namespace {

constexpr std::string_view kBoundary = "b";

struct Part {
  std::string name;
  std::string content;
  bool file = false;
  bool operator==(const Part&) const = default;
};

struct Read {
  std::string fault;  ///< empty = it is well-formed
  std::vector<Part> parts;
  bool operator==(const Read&) const = default;
};

Read read(std::string_view body, std::size_t step) {
  wire::FormReader form(kBoundary);
  Read out;
  for (std::size_t at = 0; at < body.size(); at += step) {
    const auto fed = form.feed(body.substr(at, step));
    if (fed) continue;
    out.fault = fed.error().message;
    return out;
  }
  const auto finished = form.finish();
  if (!finished) {
    out.fault = finished.error().message;
    return out;
  }
  std::uint64_t last = form.first_boundary();
  for (const wire::FormPart& part : form.parts()) {
    expect(
        part.begin > last && part.end >= part.begin && part.end <= body.size(),
        "parts come one after the other", body);
    last = part.end;
    out.parts.push_back(
        {part.name, std::string(body.substr(part.begin, part.end - part.begin)),
         part.file});
  }
  return out;
}

/// A name that can be written between quotes as it is.
bool is_plain(std::string_view name) {
  return name.find_first_of("\"\\") == std::string_view::npos;
}

std::string write(const std::vector<Part>& parts) {
  std::string out;
  for (const Part& part : parts) {
    out.append("--b\r\ncontent-disposition: form-data; name=\"")
        .append(part.name)
        .append(part.file ? "\"; filename=\"f\"" : "\"")
        .append("\r\n\r\n")
        .append(part.content)
        .append("\r\n");
  }
  return out + "--b--";
}

void run(Input& input) {
  const std::size_t step = input.below(8) + 1;
  const std::string_view body = input.rest();
  const Read whole = read(body, body.size() + 1);
  expect(read(body, step) == whole, "cuts change nothing", whole.fault);
  if (!whole.fault.empty()) return;
  for (const Part& part : whole.parts) {
    expect(part.content.find("\n--b") == std::string::npos,
           "no line of a part begins with the boundary", part.content);
    if (!is_plain(part.name)) return;
  }
  expect(read(write(whole.parts), step) == whole,
         "parts are written as they are read", body);
}

const Registered kRegistered({"form", Form::lines, 4096, run});

}  // namespace
}  // namespace llmproxy::fuzz
