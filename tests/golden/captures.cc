#include "golden/captures.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <map>

#include "golden/pair_table.h"
#include "golden/properties.h"
#include "golden/report.h"
#include "json/json.h"

namespace llmproxy::testing {
namespace {

std::string_view without_query(std::string_view path) {
  return path.substr(0, path.find('?'));
}

/// Whose chat it is: clients may put anything before the API's own path.
const Dialect* chat_at(std::string_view path) {
  for (const Dialect* dialect : dialects()) {
    for (std::size_t at = 0; at != std::string_view::npos;
         at = path.find('/', at + 1)) {
      const auto match = match_path(*dialect, path.substr(at));
      if (match && match->path->operation == Operation::chat) return dialect;
    }
  }
  return nullptr;
}

std::string_view own_part(const Dialect& dialect, std::string_view path) {
  for (std::size_t at = 0; at != std::string_view::npos;
       at = path.find('/', at + 1)) {
    if (match_path(dialect, without_query(path.substr(at)))) {
      return path.substr(at);
    }
  }
  return path;
}

Captured captured(const Dialect& dialect, std::string_view path,
                  std::string_view body, std::string name) {
  Captured out;
  out.name = std::move(name);
  out.scenario.from = &dialect;
  out.scenario.noun = Noun::request;
  out.scenario.input = std::string(body);
  // What runs at one provider alone is dropped, and told.
  out.scenario.options.drop_hosted_tools = true;
  out.scenario.options.drop_prefill = true;
  if (dialect.model_in_path()) {
    out.scenario.path = std::string(own_part(dialect, path));
  }
  return out;
}

}  // namespace

Result<Captures> read_captures(const std::string& file) {
  LLMPROXY_ASSIGN(const std::string text, read_file(file));
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, document.parse(text));
  Captures out;
  std::size_t index = 0;
  for (const json::Value exchange : root["exchange"].children()) {
    const std::string_view method = exchange["method"].string();
    if (exchange["kind"].string() != "http") continue;
    const std::string_view path = exchange["path"].string();
    const json::Value body = exchange["body"];
    const Dialect* dialect = chat_at(without_query(path));
    if (dialect == nullptr || method != "POST" || !body.is_object()) {
      out.others.push_back(std::string(method) + " " + std::string(path));
      continue;
    }
    out.requests.push_back(captured(
        *dialect, path, body.raw(),
        std::filesystem::path(file).filename().string() + "#" +
            std::to_string(index++) + " " + std::string(dialect->name)));
  }
  return out;
}

int run_captures(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".json") {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  Report report;
  PairTable pairs;
  std::map<std::string, int> others;
  for (const std::string& file : files) {
    const Result<Captures> read = read_captures(file);
    if (!read) {
      report.begin_case(file);
      report.fail(" " + read.error().message);
      report.end_case();
      continue;
    }
    for (const Captured& one : read->requests) {
      report.begin_case(one.name);
      check_request(one.scenario, report);
      pairs.add(one.scenario);
      report.end_case();
    }
    for (const std::string& other : read->others) ++others[other];
  }
  std::fputs(report.take_text().c_str(), stdout);
  std::fputs(pairs.text().c_str(), stdout);
  for (const auto& [request, count] : others) {
    std::printf("no chat of these dialects: %d x %s\n", count, request.c_str());
  }
  std::printf(
      "captures: %zu files, %zu requests, %zu properties checked, "
      "%zu passed, %zu failed\n",
      files.size(), report.cases(), report.properties(),
      report.cases() - report.failed_cases(), report.failed_cases());
  return report.cases() > 0 && report.failed_cases() == 0 ? 0 : 1;
}

}  // namespace llmproxy::testing
