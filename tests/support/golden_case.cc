// Reading and writing of golden case files. See golden_case.h.
#include "support/golden_case.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

namespace llmproxy::testing {
namespace {

constexpr std::string_view kRule = "--- ";

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = text.find_first_of(" \t\r");
    words.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return words;
    text.remove_prefix(end);
  }
}

std::string_view without_last_newlines(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text;
}

Error mistake(const std::string& path, std::size_t line, std::string what) {
  return invalid_request(path + ":" + std::to_string(line) + ": " +
                         std::move(what));
}

std::optional<SectionKind> kind_of(std::string_view word) {
  if (word == "given") return SectionKind::given;
  if (word == "options") return SectionKind::options;
  if (word == "expect") return SectionKind::expect;
  return std::nullopt;
}

// "given stream claude < file.sse"
Result<Section> parse_rule(const std::string& path, std::size_t line,
                           std::string_view rule) {
  std::vector<std::string> words = words_of(rule);
  Section section;
  section.line = line;
  if (words.size() >= 2 && words[words.size() - 2] == "<") {
    section.file = words.back();
    words.resize(words.size() - 2);
  }
  const auto kind = words.empty() ? std::nullopt : kind_of(words[0]);
  const std::size_t most = kind == SectionKind::options ? 1 : 3;
  const std::size_t least = most == 1 ? 1 : 2;
  if (!kind || words.size() < least || words.size() > most) {
    return mistake(path, line,
                   "a rule is `--- given|expect WHAT [DIALECT] [< FILE]` or "
                   "`--- options`");
  }
  section.kind = *kind;
  if (words.size() > 1) section.what = words[1];
  if (words.size() > 2) section.dialect = words[2];
  return section;
}

Result<void> take_body(const std::string& path, Section& section,
                       std::string_view body) {
  if (!section.file.empty()) {
    const auto beside = std::filesystem::path(path).parent_path();
    LLMPROXY_ASSIGN(section.body, read_file((beside / section.file).string()));
    if (!without_last_newlines(body).empty()) {
      return mistake(path, section.line,
                     "the section has both a file and a body");
    }
    return {};
  }
  section.body = section.kind == SectionKind::expect
                     ? std::string(without_last_newlines(body))
                     : std::string(body);
  return {};
}

}  // namespace

std::string Section::title() const {
  std::string out = kind == SectionKind::given    ? "given"
                    : kind == SectionKind::expect ? "expect"
                                                  : "options";
  if (!what.empty()) out += " " + what;
  if (!dialect.empty()) out += " " + dialect;
  return out;
}

const Section* GoldenCase::find(SectionKind kind, std::string_view what,
                                std::string_view dialect) const {
  for (const Section& section : sections) {
    if (section.kind == kind && section.what == what &&
        (dialect.empty() || section.dialect == dialect)) {
      return &section;
    }
  }
  return nullptr;
}

Section* GoldenCase::find(SectionKind kind, std::string_view what,
                          std::string_view dialect) {
  return const_cast<Section*>(std::as_const(*this).find(kind, what, dialect));
}

std::vector<std::string> GoldenCase::options() const {
  std::vector<std::string> out;
  const Section* section = find(SectionKind::options, "");
  std::string_view rest = section ? section->body : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (!line.empty()) out.emplace_back(line);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return out;
}

Result<GoldenCase> parse_case(const std::string& path, std::string_view text) {
  GoldenCase golden;
  golden.path = path;
  std::optional<Section> open;
  std::size_t body_begin = 0;
  std::size_t line = 1;
  // Ends the prose or the open section at `end`.
  const auto close = [&](std::size_t end) -> Result<void> {
    const std::string_view body = text.substr(body_begin, end - body_begin);
    if (!open) {
      golden.prose = body;
      return {};
    }
    LLMPROXY_TRY(take_body(path, *open, body));
    golden.sections.push_back(std::move(*open));
    return {};
  };
  for (std::size_t at = 0; at < text.size(); ++line) {
    std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view content = text.substr(at, end - at);
    const std::size_t next = end < text.size() ? end + 1 : end;
    if (content.starts_with(kRule)) {
      LLMPROXY_TRY(close(at));
      LLMPROXY_ASSIGN(open,
                      parse_rule(path, line, content.substr(kRule.size())));
      body_begin = next;
    }
    at = next;
  }
  LLMPROXY_TRY(close(text.size()));
  if (golden.sections.empty()) {
    return mistake(path, line, "no `--- given` section");
  }
  return golden;
}

Result<GoldenCase> read_case(const std::string& path) {
  LLMPROXY_ASSIGN(const std::string text, read_file(path));
  return parse_case(path, text);
}

std::string write_case(const GoldenCase& golden) {
  std::string out = golden.prose;
  for (const Section& section : golden.sections) {
    out += kRule;
    out += section.title();
    if (!section.file.empty()) {
      out += " < " + section.file + "\n";
      continue;
    }
    out += '\n';
    out += section.body;
    if (section.kind == SectionKind::expect && !section.body.empty()) {
      out += '\n';
    }
  }
  return out;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return invalid_request("cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Result<void> write_file(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return invalid_request("cannot write " + path);
  return {};
}

}  // namespace llmproxy::testing
