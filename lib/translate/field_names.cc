#include "translate/field_names.h"

#include <charconv>

namespace llmproxy {
namespace {

constexpr std::string_view kTools = "/tools/";

bool is_at_or_below(std::string_view path, std::string_view pointer) {
  return path.starts_with(pointer) &&
         (path.size() == pointer.size() || path[pointer.size()] == '/');
}

}  // namespace

FieldNames::FieldNames(const Dialect& dialect, const ChatRequest& request)
    : dialect_(dialect) {
  for (const ToolDefinition& tool : request.tools) {
    tools_.push_back(tool.source.text);
  }
}

std::string FieldNames::own(std::string_view path) const {
  if (path.starts_with(kTools)) {
    const std::string_view rest = path.substr(kTools.size());
    std::size_t index = 0;
    const char* end =
        std::from_chars(rest.data(), rest.data() + rest.size(), index).ptr;
    if (index < tools_.size() && !tools_[index].empty()) {
      return tools_[index] + std::string(rest.substr(
                                 static_cast<std::size_t>(end - rest.data())));
    }
  }
  const FieldName* best = nullptr;
  for (const FieldName& row : dialect_.field_names) {
    const bool longer =
        best == nullptr || row.canonical.size() > best->canonical.size();
    if (longer && is_at_or_below(path, row.canonical)) best = &row;
  }
  if (best == nullptr) return std::string(path);
  return std::string(best->own).append(path.substr(best->canonical.size()));
}

}  // namespace llmproxy
