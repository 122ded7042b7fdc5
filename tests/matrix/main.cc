// dialect_matrix: the tables of docs/dialects.md, out of what the encoders do.
//
//   dialect_matrix PAGE          rewrites the tables of the page
//   dialect_matrix --check PAGE  fails when they are not current
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "chat/fit.h"
#include "llmproxy/dialect.h"
#include "matrix/cell.h"
#include "matrix/probes.h"

namespace llmproxy::testing {
namespace {

constexpr std::string_view kBegin = "<!-- tables: begin -->\n";
constexpr std::string_view kEnd = "<!-- tables: end -->\n";

Result<Encoded> encode(const Dialect& to, ChatRequest request) {
  Encoded out;
  EncodeOptions options;
  options.traits = traits_for(to, request.model);
  RequestContext context;
  const FitTarget target{to.limits, &options, wording_of(request, to)};
  LLMPROXY_TRY(fit(request, target, context, out.losses));
  LLMPROXY_TRY(
      to.encode_request(request, options, context, out.body, out.losses));
  return out;
}

Result<Encoded> encode(const Dialect& to, const ChatResponse& response) {
  Encoded out;
  RequestContext context;
  context.created = 1700000000;
  to.encode_response(response, context, out.body, out.losses);
  return out;
}

template <class Subject>
void append_tables(std::span<const Probe<Subject>> probes, const Subject& base,
                   std::string& out) {
  std::string_view group;
  for (const Probe<Subject>& probe : probes) {
    if (probe.group != group) {
      group = probe.group;
      out.append("\n### ").append(group).append("\n\n| |");
      std::string rule = "|---|";
      for (const Dialect* to : dialects()) {
        out.append(" ").append(to->name).append(" |");
        rule += "---|";
      }
      out.append("\n").append(rule).append("\n");
    }
    out.append("| ").append(probe.name).append(" |");
    Subject before = base;
    if (probe.start != nullptr) probe.start(before);
    Subject subject = before;
    probe.add(subject);
    for (const Dialect* to : dialects()) {
      out.append(" ")
          .append(cell(encode(*to, before), encode(*to, subject), probe.values))
          .append(" |");
    }
    out += '\n';
  }
}

bool read(const char* path, std::string& out) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return false;
  char buffer[4096];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, file)) {
    out.append(buffer, size);
  }
  return std::fclose(file) == 0;
}

bool write(const char* path, const std::string& text) {
  std::FILE* file = std::fopen(path, "wb");
  if (file == nullptr) return false;
  const bool whole =
      std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && whole;
}

int run(const char* path, bool check) {
  std::string page;
  if (!read(path, page)) return std::fprintf(stderr, "cannot read %s\n", path);
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    return std::fprintf(stderr, "%s has no place for the tables\n", path);
  }
  std::string tables;
  append_tables(request_probes(), base_request(), tables);
  append_tables(response_probes(), base_response(), tables);
  const std::string fresh =
      page.substr(0, begin + kBegin.size()) + tables + "\n" + page.substr(end);
  if (fresh == page) {
    std::printf("%s is current\n", path);
    return 0;
  }
  if (check) {
    return std::fprintf(stderr, "%s is out of date: run dialect_matrix %s\n",
                        path, path);
  }
  std::printf("%s rewritten\n", path);
  return write(path, fresh) ? 0 : 1;
}

}  // namespace
}  // namespace llmproxy::testing

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::strcmp(argv[1], "--check") == 0;
  if (argc != 2 && !check) {
    std::fputs("usage: dialect_matrix [--check] PAGE\n", stderr);
    return 2;
  }
  return llmproxy::testing::run(argv[argc - 1], check) == 0 ? 0 : 1;
}
