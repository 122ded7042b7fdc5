// `llm-proxy import`: another program's configuration as one of ours.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/config_files.h"
#include "llmproxy/suggest.h"
#include "server/commands.h"
#include "server/schema_line.h"

namespace llmproxy {
namespace {

struct ProgramRow {
  std::string_view name;
  Result<ImportedConfig> (*read)(std::string_view yaml, std::string_view name);
};
constexpr std::array kPrograms = {ProgramRow{"litellm", import_litellm}};

// Real ones have some hundred lines.
constexpr std::size_t kMostBytes = std::size_t{16} << 20;

Result<std::string> read_input(const std::string& file) {
  const bool standard = file == "-";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(
      standard ? nullptr : std::fopen(file.c_str(), "rb"),
      [](std::FILE* each) { return each ? std::fclose(each) : 0; });
  std::FILE* const in = standard ? stdin : opened.get();
  std::string text;
  std::array<char, 4096> piece;
  while (in != nullptr && text.size() <= kMostBytes) {
    const std::size_t n = std::fread(piece.data(), 1, piece.size(), in);
    if (n == 0) break;
    text.append(piece.data(), n);
  }
  if (text.size() > kMostBytes)
    return invalid_request(
        fmt::format("{}: larger than {} bytes", file, kMostBytes));
  if (in != nullptr && std::ferror(in) == 0) return text;
  return invalid_request(
      fmt::format("{}: cannot be read: {}", file, std::strerror(errno)));
}

Result<ImportedConfig> import_with(const ProgramRow& program,
                                   const std::string& file) {
  LLMPROXY_ASSIGN(const std::string text, read_input(file));
  return program.read(text, file);
}

}  // namespace

int import_configuration(const ImportArguments& arguments) {
  std::vector<std::string_view> known;
  for (const ProgramRow& row : kPrograms) {
    known.push_back(row.name);
    if (row.name != arguments.program) continue;
    const auto imported = import_with(row, arguments.file);
    if (!imported) {
      complain(imported.error());
      return kExitUsage;
    }
    fmt::print("{}{}", kSchemaLine, imported->yaml);
    for (const std::string& note : imported->notes)
      fmt::print(stderr, "llm-proxy: note: {}\n", note);
    return kExitOk;
  }
  complain(invalid_request(
      fmt::format("there is no import from \"{}\"{}; expected {}",
                  arguments.program.substr(0, 64),
                  did_you_mean(arguments.program, known), list_of(known))));
  return kExitUsage;
}

}  // namespace llmproxy
