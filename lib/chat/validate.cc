// One walk over a request made by hand. Nobody but the program that made it has
// seen it: texts may be any bytes, numbers may be infinite.
#include "llmproxy/validate.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

#include "chat/media.h"
#include "chat/tool_names.h"
#include "json/json.h"
#include "json/text.h"

namespace llmproxy {
namespace {

/// Results hold texts and media; deeper than this there is nothing that any
/// dialect has.
constexpr int kMaxNesting = 4;

Result<void> check_text(std::string_view text, const std::string& path) {
  const std::size_t valid = json::valid_utf8_prefix(text);
  if (valid == text.size()) return {};
  return invalid_request(fmt::format("invalid UTF-8 at byte {}", valid), path);
}

/// `name` of the object at `path`; the pointer is made for errors only.
Result<void> check_member(std::string_view text, const std::string& path,
                          std::string_view name) {
  if (json::is_utf8(text)) return {};
  return check_text(text, json::pointer(path, name));
}

Result<void> check_name(std::string_view text, const std::string& path,
                        std::string_view what) {
  if (text.empty()) {
    return invalid_request(fmt::format("{} needs a name", what), path);
  }
  return check_text(text, path);
}

Result<void> check_schema(const RawJson& schema, const std::string& path) {
  if (schema.empty() || json::is_json_object(schema.text())) return {};
  return invalid_request("a schema must be a JSON object", path);
}

Result<void> check_extensions(const Extensions& extensions,
                              const std::string& path) {
  for (const Extension& extension : extensions) {
    if (extension.name.empty()) {
      return invalid_request("an extension needs a name", path);
    }
    LLMPROXY_TRY(check_text(extension.name, path));
    if (extension.value.empty()) {
      return invalid_request("an extension needs a value",
                             json::pointer(path, extension.name));
    }
  }
  return {};
}

Result<void> check_media(const MediaSource& source, const std::string& path) {
  if (source.kind == MediaKind::url && !is_web_url(source.data)) {
    return invalid_request("expected an http(s) URL",
                           json::pointer(path, "source"));
  }
  LLMPROXY_TRY(check_member(source.data, path, "source"));
  return check_member(source.media_type, path, "source");
}

Result<void> check_content(const std::vector<ContentPart>& content,
                           const std::string& path, int nesting);

/// One part, by what it is.
struct PartCheck {
  const std::string& path;
  int nesting;

  Result<void> operator()(const TextPart& part) const {
    for (const RawJson& citation : part.citations) {
      if (citation.empty()) {
        return invalid_request("a citation needs its JSON",
                               json::pointer(path, "citations"));
      }
    }
    return check_member(part.text, path, "text");
  }
  Result<void> operator()(const ImagePart& part) const {
    LLMPROXY_TRY(check_media(part.source, path));
    return check_member(part.detail, path, "detail");
  }
  Result<void> operator()(const DocumentPart& part) const {
    LLMPROXY_TRY(check_media(part.source, path));
    LLMPROXY_TRY(check_member(part.title, path, "title"));
    return check_member(part.context, path, "context");
  }
  Result<void> operator()(const AudioPart& part) const {
    LLMPROXY_TRY(check_media(part.source, path));
    return check_member(part.format, path, "format");
  }
  Result<void> operator()(const ThinkingPart& part) const {
    LLMPROXY_TRY(check_member(part.text, path, "text"));
    LLMPROXY_TRY(check_member(part.signature, path, "signature"));
    LLMPROXY_TRY(check_member(part.redacted_data, path, "redacted_data"));
    return check_member(part.id, path, "id");
  }
  Result<void> operator()(const ToolCallPart& part) const {
    LLMPROXY_TRY(check_member(part.id, path, "id"));
    LLMPROXY_TRY(
        check_name(part.name, json::pointer(path, "name"), "a tool call"));
    return check_member(part.arguments, path, "arguments");
  }
  Result<void> operator()(const ToolResultPart& part) const {
    LLMPROXY_TRY(check_member(part.call_id, path, "call_id"));
    return check_content(part.content, json::pointer(path, "content"),
                         nesting + 1);
  }
  Result<void> operator()(const RefusalPart& part) const {
    return check_member(part.text, path, "text");
  }
  Result<void> operator()(const OpaquePart& part) const {
    LLMPROXY_TRY(check_member(part.dialect, path, "dialect"));
    LLMPROXY_TRY(check_member(part.type, path, "type"));
    if (json::is_json_object(part.json.text())) return {};
    return invalid_request("a part's JSON must be an object",
                           json::pointer(path, "json"));
  }
};

Result<void> check_content(const std::vector<ContentPart>& content,
                           const std::string& path, int nesting) {
  if (nesting > kMaxNesting) {
    return invalid_request("tool results stand in each other too deep", path);
  }
  for (std::size_t i = 0; i < content.size(); ++i) {
    const ContentPart& part = content[i];
    const std::string place = json::pointer(path, i);
    LLMPROXY_TRY(std::visit(PartCheck{place, nesting}, part.value));
    LLMPROXY_TRY(check_extensions(part.extensions, place));
    if (part.cache) LLMPROXY_TRY(check_member(part.cache->ttl, place, "cache"));
  }
  return {};
}

Result<void> check_messages(const std::vector<Message>& messages) {
  if (messages.empty()) {
    return invalid_request("messages must hold at least one message",
                           "/messages");
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Message& message = messages[i];
    const std::string path = json::pointer("/messages", i);
    LLMPROXY_TRY(check_member(message.name, path, "name"));
    LLMPROXY_TRY(check_extensions(message.extensions, path));
    LLMPROXY_TRY(check_content(message.content, json::pointer(path, "content"),
                               /*nesting=*/0));
  }
  return {};
}

Result<void> check_tool(const ToolDefinition& tool, const std::string& path) {
  if (tool.kind != ToolKind::hosted) {
    LLMPROXY_TRY(check_name(tool.name, json::pointer(path, "name"), "a tool"));
  }
  LLMPROXY_TRY(check_member(tool.name, path, "name"));
  LLMPROXY_TRY(check_member(tool.description, path, "description"));
  LLMPROXY_TRY(check_member(tool.hosted_type, path, "hosted_type"));
  if (tool.kind == ToolKind::function) {
    LLMPROXY_TRY(check_schema(tool.schema, json::pointer(path, "schema")));
  }
  if (tool.kind == ToolKind::hosted && tool.schema.empty()) {
    return invalid_request("a hosted tool needs its definition",
                           json::pointer(path, "schema"));
  }
  // "<namespace>__<name>"
  const std::string_view name_space = tool.name_space;
  if (!name_space.empty() &&
      !(tool.name.starts_with(name_space) &&
        tool.name.substr(name_space.size()).starts_with("__"))) {
    return invalid_request("the name of a tool begins with its namespace",
                           json::pointer(path, "name"));
  }
  if (tool.cache) LLMPROXY_TRY(check_member(tool.cache->ttl, path, "cache"));
  return check_extensions(tool.extensions, path);
}

Result<void> check_choice(const ToolChoice& choice) {
  const std::string path = "/tool_choice";
  if (choice.mode == ToolChoiceMode::named) {
    LLMPROXY_TRY(check_name(choice.name, path + "/name", "the tool to call"));
  }
  LLMPROXY_TRY(check_member(choice.name, path, "name"));
  for (std::size_t i = 0; i < choice.allowed.size(); ++i) {
    LLMPROXY_TRY(
        check_text(choice.allowed[i], json::pointer(path + "/allowed", i)));
  }
  return {};
}

Result<void> check_format(const ResponseFormat& format) {
  const std::string path = "/response_format";
  LLMPROXY_TRY(check_member(format.name, path, "name"));
  LLMPROXY_TRY(check_member(format.description, path, "description"));
  return check_schema(format.schema, path + "/schema");
}

struct RealRow {
  std::string_view name;
  std::optional<double> ChatRequest::*member;
};
constexpr RealRow kReals[] = {
    {"/temperature", &ChatRequest::temperature},
    {"/top_p", &ChatRequest::top_p},
    {"/frequency_penalty", &ChatRequest::frequency_penalty},
    {"/presence_penalty", &ChatRequest::presence_penalty},
};

struct CountRow {
  std::string_view name;
  std::optional<std::int64_t> ChatRequest::*member;
};
constexpr CountRow kCounts[] = {
    {"/max_output_tokens", &ChatRequest::max_output_tokens},
    {"/top_k", &ChatRequest::top_k},
};

Result<void> check_numbers(const ChatRequest& request) {
  for (const RealRow& row : kReals) {
    const std::optional<double>& value = request.*row.member;
    if (value && !std::isfinite(*value)) {
      return invalid_request(
          fmt::format("{} must be a finite number", row.name.substr(1)),
          std::string(row.name));
    }
  }
  for (const CountRow& row : kCounts) {
    const std::optional<std::int64_t>& value = request.*row.member;
    if (value && *value < 0) {
      return invalid_request(
          fmt::format("{} must not be negative", row.name.substr(1)),
          std::string(row.name));
    }
  }
  const auto& budget = request.reasoning.budget_tokens;
  if (budget && *budget < 0) {
    return invalid_request("budget_tokens must not be negative",
                           "/reasoning/budget_tokens");
  }
  return {};
}

}  // namespace

Result<void> validate(const ChatRequest& request) {
  LLMPROXY_TRY(check_text(request.model, "/model"));
  LLMPROXY_TRY(check_messages(request.messages));
  LLMPROXY_TRY(check_numbers(request));
  for (std::size_t i = 0; i < request.stop_sequences.size(); ++i) {
    LLMPROXY_TRY(check_text(request.stop_sequences[i],
                            json::pointer("/stop_sequences", i)));
  }
  for (std::size_t i = 0; i < request.tools.size(); ++i) {
    LLMPROXY_TRY(check_tool(request.tools[i], json::pointer("/tools", i)));
  }
  if (const auto place = repeated_tool(request.tools)) {
    return invalid_request(
        fmt::format("two tools are called {}", request.tools[*place].name),
        json::pointer(json::pointer("/tools", *place), "name"));
  }
  if (request.tool_choice) LLMPROXY_TRY(check_choice(*request.tool_choice));
  if (request.response_format) {
    LLMPROXY_TRY(check_format(*request.response_format));
  }
  LLMPROXY_TRY(
      check_member(request.reasoning.display, "/reasoning", "display"));
  LLMPROXY_TRY(check_text(request.user_id, "/user_id"));
  LLMPROXY_TRY(check_text(request.service_tier, "/service_tier"));
  LLMPROXY_TRY(check_text(request.dialect, "/dialect"));
  return check_extensions(request.extensions, "");
}

}  // namespace llmproxy
