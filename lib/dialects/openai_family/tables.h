// The vocabulary that OpenAI's two APIs have alike.
#pragma once

#include <string_view>

#include "base/enum_table.h"
#include "llmproxy/chat.h"

namespace llmproxy::openai_family {

inline constexpr auto kRoles = enum_table<Role>({
    {Role::system, "system"},
    {Role::developer, "developer"},
    {Role::user, "user"},
    {Role::assistant, "assistant"},
});
static_assert(covers(kRoles, kLastRole));

inline constexpr auto kEfforts = enum_table<Effort>({
    {Effort::none, "none"},
    {Effort::minimal, "minimal"},
    {Effort::low, "low"},
    {Effort::medium, "medium"},
    {Effort::high, "high"},
    {Effort::xhigh, "xhigh"},
    {Effort::max, "max"},
});
static_assert(covers(kEfforts, kLastEffort));

inline constexpr auto kFormats = enum_table<FormatKind>({
    {FormatKind::text, "text"},
    {FormatKind::json_object, "json_object"},
    {FormatKind::json_schema, "json_schema"},
});
static_assert(covers(kFormats, kLastFormatKind));

/// A field and the value that says no more than leaving it out.
struct Default {
  std::string_view name;
  std::string_view json;
};

}  // namespace llmproxy::openai_family
