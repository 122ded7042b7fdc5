// The dialects' system prompts and turns, one row each.
#include "translate/system_shapes.h"

namespace llmproxy {
namespace {

constexpr std::string_view kTypedText = R"({"type":"text","text":$})";
constexpr std::string_view kPlainText = R"({"text":$})";

constexpr std::string_view kSystem[] = {"system"};
constexpr std::string_view kInstructions[] = {"instructions"};
constexpr std::string_view kInstruction[] = {"systemInstruction",
                                             "system_instruction"};
constexpr std::string_view kCached[] = {"cachedContent", "cached_content"};
constexpr std::string_view kUser[] = {"user"};
constexpr std::string_view kContentUser[] = {"user", "function", ""};
constexpr std::string_view kTool[] = {"tool", "function"};

constexpr SystemShape kShapes[] = {
    {.dialect = "openai-chat",
     .new_system = R"({"role":"system","content":$})",
     .turns = "messages",
     .content = "content",
     .new_part = kTypedText,
     .joined = kUser,
     .followed = kTool,
     .new_turn = R"({"role":"user","content":$})"},
    {.dialect = "claude",
     .system = kSystem,
     .held = in_string | in_blocks,
     .new_system = "$",
     .turns = "messages",
     .content = "content",
     .new_part = kTypedText,
     .joined = kUser},
    {.dialect = "openai-responses",
     .system = kInstructions,
     .held = in_string,
     .new_system = "$",
     .turns = "input",
     .content = "content",
     .new_part = R"({"type":"input_text","text":$})",
     .followed = kUser,
     .new_turn =
         R"({"role":"user","content":[{"type":"input_text","text":$}]})"},
    {.dialect = "gemini",
     .system = kInstruction,
     .held = in_string | in_content,
     .new_system = R"({"parts":[{"text":$}]})",
     .kept = kCached,
     .turns = "contents",
     .content = "parts",
     .new_part = kPlainText,
     .joined = kContentUser},
    {.dialect = "bedrock",
     .system = kSystem,
     .held = in_string | in_blocks,
     .new_system = "$",
     .turns = "messages",
     .content = "content",
     .new_part = kTypedText,
     .joined = kUser},
    {.dialect = "bedrock-converse",
     .system = kSystem,
     .held = in_blocks,
     .new_system = R"([{"text":$}])",
     .turns = "messages",
     .content = "content",
     .new_part = kPlainText,
     .joined = kUser},
};

}  // namespace

const SystemShape* system_shape_of(const Dialect& dialect) {
  for (const SystemShape& shape : kShapes) {
    if (shape.dialect == dialect.name) return &shape;
  }
  return nullptr;
}

}  // namespace llmproxy
