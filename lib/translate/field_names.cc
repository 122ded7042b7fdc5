#include "translate/field_names.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace llmproxy {
namespace {

constexpr std::string_view kTools = "/tools/";
constexpr std::string_view kSchema = "/response_format/json_schema/schema";

bool is_at_or_below(std::string_view path, std::string_view pointer) {
  return path.starts_with(pointer) &&
         (path.size() == pointer.size() || path[pointer.size()] == '/');
}

/// "toolConfig" -> "tool_config", which Google takes as well (proto3 JSON).
std::string snake_case(std::string_view camel) {
  std::string out;
  for (const char c : camel) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital) out += '_';
    out += lower(c);
  }
  return out;
}

/// A member of a tool that is declared at `tool`. Canonical paths nest what
/// only some dialects nest; members of a namespace stand around the tool.
std::string in_tool(std::string_view tool, std::string_view member) {
  // Where a tool is a member of its own, that member's name is its type.
  constexpr std::string_view kType = "/type";
  const bool listed = !tool.empty() && tool.back() >= '0' && tool.back() <= '9';
  if (member == kType && !listed) return std::string(tool);
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

/// "/messages/3/content/1/item/status" -> "/messages/3/status": a member of the
/// item around a part stands beside the part. Only there: members of the
/// client's may be called "item", too.
std::string around_item(std::string_view path) {
  constexpr std::string_view kMessages = "/messages/";
  constexpr std::string_view kItem = "/item/";
  constexpr int kDeepest = 2;  // the part's member and its index
  if (!path.starts_with(kMessages)) return std::string(path);
  const std::size_t message = path.find('/', kMessages.size());
  std::size_t at = message;
  for (int i = 0; i <= kDeepest && at != std::string_view::npos; ++i) {
    if (path.substr(at).starts_with(kItem)) {
      return std::string(path.substr(0, message))
          .append(path.substr(at + kItem.size() - 1));
    }
    at = path.find('/', at + 1);
  }
  return std::string(path);
}

}  // namespace

FieldNames::FieldNames(const Dialect& dialect, const ChatRequest& request,
                       const json::Value& body)
    : dialect_(dialect) {
  read_spellings(body);
  for (const ToolDefinition& tool : request.tools) {
    tools_.push_back(tool.source.text);
  }
  if (request.response_format) schema_ = request.response_format->source.text;
}

/// Of the places in the table; deeper ones are read as they are spelled.
void FieldNames::read_spellings(const json::Value& body) {
  for (const FieldName& row : dialect_.field_names) {
    if (!row.also.empty() && !body[row.own.substr(1)] &&
        body[row.also.substr(1)]) {
      spelled_.push_back({std::string(row.own), std::string(row.also)});
    }
    json::Value at = body;
    Spelled place;
    std::string_view rest = row.own;
    while (at.is_object() && rest.starts_with('/')) {
      rest.remove_prefix(1);
      const std::string_view name = rest.substr(0, rest.find('/'));
      rest.remove_prefix(name.size());
      const std::string snake = snake_case(name);
      const bool other = !at[name] && at[snake];
      at = at[other ? std::string_view(snake) : name];
      place.own.append("/").append(name);
      place.given.append("/").append(other ? snake : name);
      const bool known =
          std::any_of(spelled_.begin(), spelled_.end(),
                      [&](const Spelled& one) { return one.own == place.own; });
      if (other && !known) spelled_.push_back(place);
    }
  }
}

std::string FieldNames::own(std::string_view path) const {
  std::string out = renamed(path);
  const Spelled* best = nullptr;
  for (const Spelled& one : spelled_) {
    const bool longer = best == nullptr || one.own.size() > best->own.size();
    if (longer && is_at_or_below(out, one.own)) best = &one;
  }
  if (best != nullptr) out.replace(0, best->own.size(), best->given);
  return out;
}

std::string FieldNames::renamed(std::string_view path) const {
  if (auto tool = of_tool(path)) return *std::move(tool);
  if (!schema_.empty() && is_at_or_below(path, kSchema)) {
    return std::string(schema_).append(path.substr(kSchema.size()));
  }
  const std::string without_item = around_item(path);
  path = without_item;
  // The end of a path has one name at most, and so has its begin.
  std::string_view end;
  constexpr std::string_view kAnywhere = "*";
  for (const FieldName& row : dialect_.field_names) {
    const std::string_view canonical = row.canonical;
    if (!canonical.starts_with(kAnywhere) ||
        !path.ends_with(canonical.substr(kAnywhere.size()))) {
      continue;
    }
    path.remove_suffix(canonical.size() - kAnywhere.size());
    end = row.own.substr(kAnywhere.size());
    break;
  }
  const FieldName* best = nullptr;
  for (const FieldName& row : dialect_.field_names) {
    const bool longer =
        best == nullptr || row.canonical.size() > best->canonical.size();
    if (longer && is_at_or_below(path, row.canonical)) best = &row;
  }
  if (best == nullptr) return std::string(path).append(end);
  return std::string(best->own)
      .append(path.substr(best->canonical.size()))
      .append(end);
}

std::optional<std::string> FieldNames::of_tool(std::string_view path) const {
  if (!path.starts_with(kTools)) return std::nullopt;
  const std::string_view rest = path.substr(kTools.size());
  std::size_t index = 0;
  const char* end =
      std::from_chars(rest.data(), rest.data() + rest.size(), index).ptr;
  if (index >= tools_.size() || tools_[index].empty()) return std::nullopt;
  return in_tool(tools_[index],
                 rest.substr(static_cast<std::size_t>(end - rest.data())));
}

}  // namespace llmproxy
