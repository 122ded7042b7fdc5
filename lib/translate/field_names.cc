#include "translate/field_names.h"

#include <charconv>

namespace llmproxy {
namespace {

constexpr std::string_view kTools = "/tools/";
constexpr std::string_view kSchema = "/response_format/json_schema/schema";

bool is_at_or_below(std::string_view path, std::string_view pointer) {
  return path.starts_with(pointer) &&
         (path.size() == pointer.size() || path[pointer.size()] == '/');
}

/// A member of a tool that is declared at `tool`. Canonical paths nest what
/// only some dialects nest; members of a namespace stand around the tool.
std::string in_tool(std::string_view tool, std::string_view member) {
  constexpr std::string_view kNested[] = {"/custom/", "/function/"};
  constexpr std::string_view kNamespace = "/namespace/";
  for (const std::string_view nested : kNested) {
    if (member.starts_with(nested)) member.remove_prefix(nested.size() - 1);
  }
  if (member.starts_with(kNamespace)) {
    member.remove_prefix(kNamespace.size() - 1);
    for (int i = 0; i < 2; ++i) tool = tool.substr(0, tool.rfind('/'));
  }
  return std::string(tool).append(member);
}

}  // namespace

FieldNames::FieldNames(const Dialect& dialect, const ChatRequest& request)
    : dialect_(dialect) {
  for (const ToolDefinition& tool : request.tools) {
    tools_.push_back(tool.source.text);
  }
  if (request.response_format) schema_ = request.response_format->source.text;
}

std::string FieldNames::own(std::string_view path) const {
  if (path.starts_with(kTools)) {
    const std::string_view rest = path.substr(kTools.size());
    std::size_t index = 0;
    const char* end =
        std::from_chars(rest.data(), rest.data() + rest.size(), index).ptr;
    if (index < tools_.size() && !tools_[index].empty()) {
      return in_tool(tools_[index],
                     rest.substr(static_cast<std::size_t>(end - rest.data())));
    }
  }
  if (!schema_.empty() && is_at_or_below(path, kSchema)) {
    return std::string(schema_).append(path.substr(kSchema.size()));
  }
  // A member of the item around a part, which is two steps below the root.
  constexpr std::string_view kItem = "/item/";
  if (const std::size_t at = path.find(kItem); at != std::string_view::npos) {
    const std::size_t second = path.find('/', path.find('/', 1) + 1);
    return own(std::string(path.substr(0, second))
                   .append(path.substr(at + kItem.size() - 1)));
  }
  constexpr std::string_view kAnywhere = "*";
  for (const FieldName& row : dialect_.field_names) {
    if (!row.canonical.starts_with(kAnywhere) ||
        !path.ends_with(row.canonical.substr(1))) {
      continue;
    }
    path.remove_suffix(row.canonical.size() - 1);
    return own(path).append(row.own.substr(1));
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
