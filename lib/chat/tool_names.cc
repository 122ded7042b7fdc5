#include "chat/tool_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/bounded.h"
#include "chat/field_path.h"
#include "chat/turns.h"
#include "json/json.h"

namespace llmproxy {
namespace {

bool safe_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool may_begin_name(char c) {
  return safe_char(c) && c != '-' && !(c >= '0' && c <= '9');
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

/// A readable prefix that every API takes, and a hash of the whole.
std::string hashed_name(std::string_view name, std::size_t max) {
  constexpr std::size_t kHashDigits = 8;
  const std::size_t room = max - kHashDigits - 1;
  std::string prefix = with_safe_chars(name.substr(0, room));
  // Some APIs take no name that begins with a digit or a '-' [gemini].
  if (!prefix.empty() && !may_begin_name(prefix.front())) {
    prefix.insert(prefix.begin(), '_');
    prefix.resize(std::min(prefix.size(), room));
  }
  return fmt::format("{}_{:08x}", prefix, hash32(name));
}

/// Renames, and keeps each name once however often it is used.
class Renamer {
 public:
  Renamer(NameRule rule, RequestContext& context)
      : rule_(rule), context_(context) {}

  void operator()(std::string& name) {
    if (name.empty() || is_valid(name)) return;
    std::string alias = hashed_name(name, rule_.max);
    if (known_.insert(name).second) {
      context_.tool_aliases.push_back({alias, name});
    }
    name = std::move(alias);
  }

 private:
  bool is_valid(std::string_view name) const {
    return valid_tool_name(name, rule_.max) &&
           !(rule_.letter_first && !may_begin_name(name.front()));
  }

  const NameRule rule_;
  RequestContext& context_;
  std::set<std::string> known_;
};

}  // namespace

std::optional<std::size_t> repeated_tool(
    const std::vector<ToolDefinition>& tools) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (tools[i].kind == ToolKind::hosted) continue;
    if (!seen.insert(tools[i].name).second) return i;
  }
  return std::nullopt;
}

Result<void> check_tool_names(const std::vector<ToolDefinition>& tools) {
  const std::optional<std::size_t> place = repeated_tool(tools);
  if (!place) return {};
  const bool custom = tools[*place].kind == ToolKind::custom;
  return invalid_request(
      fmt::format("two tools are called {}", tools[*place].name),
      json::pointer("/tools", *place)
          .append(custom ? "/custom/name" : "/function/name"));
}

bool valid_tool_name(std::string_view name, std::size_t max) {
  return !name.empty() && name.size() <= max &&
         std::all_of(name.begin(), name.end(), safe_char);
}

std::string tool_alias(std::string_view name, std::size_t max) {
  return valid_tool_name(name, max) ? std::string(name)
                                    : hashed_name(name, max);
}

void alias_tool_names(ChatRequest& request, NameRule rule,
                      RequestContext& context) {
  Renamer rename(rule, context);
  for (ToolDefinition& tool : request.tools) {
    if (tool.kind != ToolKind::hosted) rename(tool.name);
  }
  if (request.tool_choice) {
    rename(request.tool_choice->name);
    for (std::string& name : request.tool_choice->allowed) rename(name);
  }
  for (Message& message : request.messages) {
    for (ContentPart& part : message.content) {
      if (auto* call = part.as<ToolCallPart>()) {
        rename(call->name);
      }
    }
  }
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

void make_call_ids_unique(std::vector<Message>& messages, Losses& losses) {
  std::set<std::string, std::less<>> used;
  std::map<std::string, int> count;  // calls of an id so far
  bool shared = false;
  for (const Message& message : messages) {
    for (const ContentPart& part : message.content) {
      const auto* call = part.as<ToolCallPart>();
      if (call != nullptr && !used.insert(call->id).second) shared = true;
    }
  }
  if (!shared) return;
  const auto fresh = [&](const std::string& id) {
    int& number = count[id];
    if (++number == 1) return id;
    std::string name = fmt::format("{}_{}", id, number);
    while (!used.insert(name).second) {
      name = fmt::format("{}_{}", id, ++number);
    }
    return name;
  };
  // Of the calls of the last turn that had some; the first is answered first.
  std::map<std::string, std::deque<std::string>> open;
  for (Message& message : messages) {
    const auto is_call = [](const ContentPart& part) {
      return part.as<ToolCallPart>() != nullptr;
    };
    if (std::any_of(message.content.begin(), message.content.end(), is_call)) {
      open.clear();
    }
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      ContentPart& part = message.content[i];
      if (auto* call = part.as<ToolCallPart>()) {
        std::string id = fresh(call->id);
        if (id != call->id) {
          add_loss(losses, {path_of(message),
                            fmt::format("tool call {} has the id of an earlier "
                                        "one; it became {}",
                                        call->id, id),
                            LossKind::approximated});
        }
        open[call->id].push_back(id);
        call->id = std::move(id);
      } else if (auto* result = part.as<ToolResultPart>()) {
        const auto found = open.find(result->call_id);
        if (found == open.end() || found->second.empty()) continue;
        std::string& id = found->second.front();
        if (id != result->call_id) {
          add_loss(losses, {path_of(message, i),
                            fmt::format("tool result {} follows its call; it "
                                        "became {}",
                                        result->call_id, id),
                            LossKind::approximated});
        }
        result->call_id = std::move(id);
        found->second.pop_front();
      }
    }
  }
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
