#include "chat/tool_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace llmproxy {
namespace {

bool safe_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// FNV-1a; names are told apart, nothing is kept secret by it.
std::uint32_t hash32(std::string_view text) {
  std::uint32_t value = 2166136261u;
  for (const char c : text) {
    value ^= static_cast<unsigned char>(c);
    value *= 16777619u;
  }
  return value;
}

std::string with_safe_chars(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !safe_char(c); }, '_');
  return out;
}

void rename(std::string& name, std::size_t max, RequestContext& context) {
  if (name.empty() || valid_tool_name(name, max)) return;
  const std::string alias = tool_alias(name, max);
  const auto known =
      std::find_if(context.tool_aliases.begin(), context.tool_aliases.end(),
                   [&](const auto& entry) { return entry.original == name; });
  if (known == context.tool_aliases.end()) {
    context.tool_aliases.push_back({alias, name});
  }
  name = alias;
}

}  // namespace

bool valid_tool_name(std::string_view name, std::size_t max) {
  return !name.empty() && name.size() <= max &&
         std::all_of(name.begin(), name.end(), safe_char);
}

std::string tool_alias(std::string_view name, std::size_t max) {
  if (valid_tool_name(name, max)) return std::string(name);
  constexpr std::size_t kHashDigits = 8;
  const std::size_t room = max - kHashDigits - 1;
  return fmt::format("{}_{:08x}", with_safe_chars(name.substr(0, room)),
                     hash32(name));
}

void alias_tool_names(ChatRequest& request, std::size_t max,
                      RequestContext& context) {
  for (ToolDefinition& tool : request.tools) {
    if (tool.kind != ToolKind::hosted) rename(tool.name, max, context);
  }
  if (request.tool_choice) {
    rename(request.tool_choice->name, max, context);
    for (std::string& name : request.tool_choice->allowed) {
      rename(name, max, context);
    }
  }
  for (Message& message : request.messages) {
    for (ContentPart& part : message.content) {
      if (auto* call = part.as<ToolCallPart>()) {
        rename(call->name, max, context);
      }
    }
  }
}

std::string_view original_tool_name(const RequestContext& context,
                                    std::string_view sent) {
  for (const RequestContext::Alias& alias : context.tool_aliases) {
    if (alias.sent == sent) return alias.original;
  }
  return sent;
}

void make_call_ids_safe(std::vector<Message>& messages) {
  std::map<std::string, std::string, std::less<>> safe;  // original -> safe
  std::set<std::string, std::less<>> used;
  auto ids = [&](auto&& visit) {
    for (Message& message : messages) {
      for (ContentPart& part : message.content) {
        if (auto* call = part.as<ToolCallPart>()) visit(call->id);
        if (auto* result = part.as<ToolResultPart>()) visit(result->call_id);
      }
    }
  };
  ids([&](const std::string& id) {
    if (valid_tool_name(id, SIZE_MAX)) used.insert(id);
  });
  ids([&](std::string& id) {
    if (valid_tool_name(id, SIZE_MAX)) return;
    auto [entry, is_new] = safe.try_emplace(id);
    if (is_new) {
      entry->second = id.empty() ? "call" : with_safe_chars(id);
      if (!used.insert(entry->second).second) {
        entry->second += fmt::format("_{:08x}", hash32(id));
        used.insert(entry->second);
      }
    }
    id = entry->second;
  });
}

void make_call_ids_nine(std::vector<Message>& messages) {
  constexpr std::size_t kLength = 9;
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const auto rewrite = [&](std::string& id) {
    const bool fits = id.size() == kLength &&
                      id.find_first_not_of(kDigits) == std::string::npos;
    if (fits) return;
    // Two hashes, as 32 bits are six digits only.
    std::uint64_t hash = hash32(id);
    hash = hash << 32 | hash32(id + "#");
    id.clear();
    for (std::size_t i = 0; i < kLength; ++i) {
      id += kDigits[hash % kDigits.size()];
      hash /= kDigits.size();
    }
  };
  for (Message& message : messages) {
    for (ContentPart& part : message.content) {
      if (auto* call = part.as<ToolCallPart>()) rewrite(call->id);
      if (auto* result = part.as<ToolResultPart>()) rewrite(result->call_id);
    }
  }
}

}  // namespace llmproxy
