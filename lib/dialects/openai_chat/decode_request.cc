// OpenAI Chat Completions: a client's request to the canonical one.
#include <fmt/format.h>

#include "chat/media.h"
#include "dialects/openai_chat/tables.h"

namespace llmproxy::openai_chat {
namespace {

using json::ObjectReader;
using json::Type;
using json::Value;

std::optional<CacheMarker> read_breakpoint(ObjectReader& part) {
  const Value marker = part.take("prompt_cache_breakpoint");
  if (marker.is_object()) {
    return CacheMarker{std::string(marker["ttl"].string())};
  }
  // Not of this dialect, but what OpenRouter and others take on parts.
  const Value control = part.take("cache_control");
  if (!control.is_object()) return std::nullopt;
  return CacheMarker{std::string(control["ttl"].string())};
}

Result<ContentPart::Value> read_image(ObjectReader& part) {
  const Value image = part.take("image_url");
  // A bare string is what the Responses API takes; some clients mix them up.
  const std::string_view url =
      image.is_string() ? image.string() : image["url"].string();
  if (url.empty()) {
    return invalid_request("image_url.url is required",
                           part.path_of("image_url"));
  }
  LLMPROXY_ASSIGN(MediaSource source,
                  media_from_url(url, part.path_of("image_url")));
  return ContentPart::Value(
      ImagePart{std::move(source), std::string(image["detail"].string())});
}

Result<ContentPart::Value> read_audio(ObjectReader& part) {
  LLMPROXY_ASSIGN(const Value audio,
                  part.required("input_audio", Type::object));
  AudioPart out;
  out.source.data = std::string(audio["data"].string());
  out.format = std::string(audio["format"].string());
  if (out.source.data.empty() || out.format.empty()) {
    return invalid_request("input_audio needs data and format",
                           part.path_of("input_audio"));
  }
  out.source.media_type = "audio/" + out.format;
  return ContentPart::Value(std::move(out));
}

Result<ContentPart::Value> read_file(ObjectReader& part) {
  LLMPROXY_ASSIGN(const Value file, part.required("file", Type::object));
  DocumentPart out;
  out.title = std::string(file["filename"].string());
  const std::string_view data = file["file_data"].string();
  const std::string_view id = file["file_id"].string();
  if (!data.empty()) {
    if (data.substr(0, 5) == "data:") {
      LLMPROXY_ASSIGN(out.source, media_from_url(data, part.path_of("file")));
    } else {
      out.source.data = std::string(data);
      out.source.media_type = media_type_of_file(out.title);
    }
  } else if (!id.empty()) {
    out.source.kind = MediaKind::file_id;
    out.source.data = std::string(id);
  } else {
    return invalid_request("file needs file_data or file_id",
                           part.path_of("file"));
  }
  return ContentPart::Value(std::move(out));
}

Result<ContentPart::Value> read_part_value(std::string_view type,
                                           ObjectReader& part) {
  if (type == "text") {
    LLMPROXY_ASSIGN(std::string text, part.required_string("text"));
    return ContentPart::Value(TextPart{std::move(text), {}});
  }
  if (type == "refusal") {
    LLMPROXY_ASSIGN(std::string text, part.required_string("refusal"));
    return ContentPart::Value(RefusalPart{std::move(text)});
  }
  if (type == "image_url") return read_image(part);
  if (type == "input_audio") return read_audio(part);
  if (type == "file") return read_file(part);
  return invalid_request(
      fmt::format("unknown content part type '{}'; expected text, image_url, "
                  "input_audio, file or refusal",
                  type),
      part.path_of("type"));
}

Result<ContentPart> read_part(Value value, const std::string& path) {
  if (!value.is_object()) {
    return invalid_request(
        fmt::format("a content part must be an object, not {}",
                    to_string(value.type())),
        path);
  }
  ObjectReader part(value, path);
  LLMPROXY_ASSIGN(const std::string type, part.required_string("type"));
  ContentPart out;
  LLMPROXY_ASSIGN(out.value, read_part_value(type, part));
  out.cache = read_breakpoint(part);
  out.extensions = part.rest();
  return out;
}

/// `content`: a string, an array of parts, or nothing.
Result<std::vector<ContentPart>> read_content(Value content,
                                              const std::string& path) {
  std::vector<ContentPart> out;
  if (content.absent()) return out;
  if (content.is_string()) {
    out.push_back({TextPart{std::string(content.string()), {}}, {}, {}});
    return out;
  }
  if (!content.is_array()) {
    return invalid_request(
        fmt::format("content must be a string or an array of "
                    "parts, not {}",
                    to_string(content.type())),
        path);
  }
  std::size_t index = 0;
  for (const Value part : content.children()) {
    LLMPROXY_ASSIGN(ContentPart read,
                    read_part(part, json::pointer(path, index++)));
    out.push_back(std::move(read));
  }
  return out;
}

Result<ContentPart> read_tool_call(Value value, const std::string& path) {
  if (!value.is_object()) {
    return invalid_request("a tool call must be an object", path);
  }
  ObjectReader reader(value, path);
  const bool custom = reader.take("type").string() == "custom";
  ToolCallPart call;
  call.custom = custom;
  LLMPROXY_ASSIGN(call.id, reader.required_string("id"));
  reader.take("index");  // of streams; some clients send it back
  LLMPROXY_ASSIGN(
      const Value body,
      reader.required(custom ? "custom" : "function", Type::object));
  call.name = std::string(body["name"].string());
  if (call.name.empty()) {
    return invalid_request("a tool call needs a name", path);
  }
  call.arguments = std::string(body[custom ? "input" : "arguments"].string());
  return ContentPart{std::move(call), {}, reader.rest()};
}

/// Id of a call in the old `function_call` form, which has none: the same
/// for the call and its result, and on every turn.
std::string legacy_call_id(std::size_t nth) {
  return fmt::format("call_function_{}", nth);
}

/// Reads `messages`; remembers what the old function form needs.
class MessagesReader {
 public:
  Result<std::vector<Message>> read(Value messages) {
    std::vector<Message> out;
    std::int32_t index = 0;
    for (const Value value : messages.children()) {
      const std::string path =
          json::pointer("/messages", static_cast<std::size_t>(index));
      if (!value.is_object()) {
        return invalid_request("a message must be an object", path);
      }
      LLMPROXY_ASSIGN(Message message, read_message(value, path));
      message.source.index = index++;
      out.push_back(std::move(message));
    }
    return out;
  }

 private:
  Result<Message> read_message(Value value, const std::string& path) {
    ObjectReader reader(value, path);
    LLMPROXY_ASSIGN(const std::string role, reader.required_string("role"));
    Message message;
    if (role == "tool" || role == "function") {
      LLMPROXY_TRY(read_result(role == "function", reader, message));
    } else {
      const auto known = from_wire(kRoles, role);
      if (!known) {
        return invalid_request(
            fmt::format("unknown role '{}'; expected system, developer, user, "
                        "assistant or tool",
                        role),
            reader.path_of("role"));
      }
      message.role = *known;
      LLMPROXY_TRY(read_turn(reader, message));
    }
    message.extensions = reader.rest();
    return message;
  }

  Result<void> read_turn(ObjectReader& reader, Message& message) {
    if (message.role == Role::assistant) read_reasoning(reader, message);
    LLMPROXY_ASSIGN(
        std::vector<ContentPart> content,
        read_content(reader.take("content"), reader.path_of("content")));
    for (ContentPart& part : content) {
      message.content.push_back(std::move(part));
    }
    LLMPROXY_ASSIGN(message.name, reader.optional_string("name"));
    if (message.role == Role::assistant) return read_answer(reader, message);
    if (reader.object()["content"].absent()) {
      return invalid_request("content is required", reader.path_of("content"));
    }
    return {};
  }

  /// Reasoning text as DeepSeek, vLLM and others spell it; not of this API.
  void read_reasoning(ObjectReader& reader, Message& message) {
    const Value old_name = reader.take("reasoning_content");
    const Value new_name = reader.take("reasoning");
    const std::string_view text =
        old_name.is_string() ? old_name.string() : new_name.string();
    if (text.empty()) return;
    message.content.push_back(
        {ThinkingPart{std::string(text), {}, {}}, {}, {}});
  }

  Result<void> read_answer(ObjectReader& reader, Message& message) {
    const Value refusal = reader.take("refusal");
    if (!refusal.string().empty()) {
      message.content.push_back(
          {RefusalPart{std::string(refusal.string())}, {}, {}});
    }
    LLMPROXY_ASSIGN(const Value calls,
                    reader.optional("tool_calls", Type::array));
    std::size_t index = 0;
    for (const Value call : calls.children()) {
      LLMPROXY_ASSIGN(
          ContentPart part,
          read_tool_call(call,
                         json::pointer(reader.path_of("tool_calls"), index++)));
      message.content.push_back(std::move(part));
    }
    LLMPROXY_ASSIGN(const Value legacy,
                    reader.optional("function_call", Type::object));
    if (legacy) {
      message.content.push_back(
          {ToolCallPart{legacy_call_id(legacy_calls_++),
                        std::string(legacy["name"].string()),
                        std::string(legacy["arguments"].string()), false},
           {},
           {}});
    }
    // Empty text beside calls says nothing ("content":"" is common).
    if (message.content.size() > 1) {
      std::erase_if(message.content, [](const ContentPart& part) {
        const auto* text = part.as<TextPart>();
        return text != nullptr && text->text.empty();
      });
    }
    // Clients send answers back as they got them.
    if (reader.object()["annotations"].size() == 0) reader.take("annotations");
    return {};
  }

  Result<void> read_result(bool legacy, ObjectReader& reader,
                           Message& message) {
    ToolResultPart result;
    if (legacy) {
      LLMPROXY_ASSIGN(const std::string name, reader.required_string("name"));
      result.call_id =
          legacy_call_id(legacy_calls_ > 0 ? legacy_calls_ - 1 : 0);
    } else {
      LLMPROXY_ASSIGN(result.call_id, reader.required_string("tool_call_id"));
      reader.take("name");  // old clients repeat the function's name
      if (result.call_id.empty()) {
        return invalid_request("tool_call_id must not be empty",
                               reader.path_of("tool_call_id"));
      }
    }
    LLMPROXY_ASSIGN(result.content, read_content(reader.take("content"),
                                                 reader.path_of("content")));
    message.role = Role::user;
    // A marker on the last part of a result marks the result.
    ContentPart part;
    if (!result.content.empty()) {
      part.cache = std::exchange(result.content.back().cache, std::nullopt);
    }
    part.value = std::move(result);
    message.content.push_back(std::move(part));
    return {};
  }

  std::size_t legacy_calls_ = 0;
};

Result<ToolDefinition> read_function(ObjectReader& reader) {
  ToolDefinition tool;
  LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
  LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
  LLMPROXY_ASSIGN(const Value schema,
                  reader.optional("parameters", Type::object));
  if (schema) tool.schema = schema.raw_json();
  LLMPROXY_ASSIGN(tool.strict, reader.optional_bool("strict"));
  tool.extensions = reader.rest();
  return tool;
}

Result<ToolDefinition> read_tool(Value value, const std::string& path) {
  if (!value.is_object()) {
    return invalid_request("a tool must be an object", path);
  }
  ObjectReader outer(value, path);
  LLMPROXY_ASSIGN(const std::string type, outer.required_string("type"));
  if (type == "function") {
    LLMPROXY_ASSIGN(const Value function,
                    outer.required("function", Type::object));
    ObjectReader reader(function, outer.path_of("function"));
    LLMPROXY_ASSIGN(ToolDefinition tool, read_function(reader));
    tool.cache = read_breakpoint(outer);
    return tool;
  }
  if (type == "custom") {
    LLMPROXY_ASSIGN(const Value custom, outer.required("custom", Type::object));
    ObjectReader reader(custom, outer.path_of("custom"));
    ToolDefinition tool;
    tool.kind = ToolKind::custom;
    LLMPROXY_ASSIGN(tool.name, reader.required_string("name"));
    LLMPROXY_ASSIGN(tool.description, reader.optional_string("description"));
    tool.schema = reader.take("format").raw_json();
    tool.extensions = reader.rest();
    return tool;
  }
  ToolDefinition tool;
  tool.kind = ToolKind::hosted;
  tool.hosted_type = type;
  tool.name = std::string(value["name"].string());
  tool.schema = value.raw_json();
  return tool;
}

Result<void> read_tools(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value tools, reader.optional("tools", Type::array));
  std::size_t index = 0;
  for (const Value value : tools.children()) {
    LLMPROXY_ASSIGN(ToolDefinition tool,
                    read_tool(value, json::pointer("/tools", index++)));
    request.tools.push_back(std::move(tool));
  }
  LLMPROXY_ASSIGN(const Value functions,
                  reader.optional("functions", Type::array));
  index = 0;
  for (const Value value : functions.children()) {
    ObjectReader function(value, json::pointer("/functions", index++));
    LLMPROXY_ASSIGN(ToolDefinition tool, read_function(function));
    request.tools.push_back(std::move(tool));
    request.legacy_functions = true;
  }
  // Web search here is an option, elsewhere a hosted tool.
  LLMPROXY_ASSIGN(const Value search,
                  reader.optional("web_search_options", Type::object));
  if (search) {
    ToolDefinition tool;
    tool.kind = ToolKind::hosted;
    tool.hosted_type = "web_search_options";
    tool.name = "web_search";
    tool.schema = search.raw_json();
    request.tools.push_back(std::move(tool));
  }
  return {};
}

/// The name in {"type":"function","function":{"name"}} or its custom twin.
std::string named_tool(Value value) {
  const Value body = value["custom"] ? value["custom"] : value["function"];
  const Value name = body ? body["name"] : value["name"];
  return std::string(name.string());
}

Result<void> read_tool_choice(ObjectReader& reader, ChatRequest& request) {
  Value value = reader.take("tool_choice");
  std::string path = "/tool_choice";
  const Value legacy = reader.take("function_call");
  if (value.absent() && !legacy.absent()) {
    value = legacy;
    path = "/function_call";
  }
  if (value.absent()) return {};
  ToolChoice choice;
  const std::string_view word =
      value.is_string() ? value.string() : value["type"].string();
  const Value allowed = value["allowed_tools"];
  if (allowed.is_object()) {
    choice.mode = from_wire(kToolChoices, allowed["mode"].string())
                      .value_or(ToolChoiceMode::automatic);
    for (const Value tool : allowed["tools"].children()) {
      choice.allowed.push_back(named_tool(tool));
    }
  } else if (const auto mode = from_wire(kToolChoices, word)) {
    choice.mode = *mode;
  } else {
    choice.mode = ToolChoiceMode::named;
    choice.name = named_tool(value);
    if (choice.name.empty()) {
      return invalid_request(
          fmt::format("expected {}, or an object naming a function",
                      spellings(kToolChoices)),
          path);
    }
  }
  request.tool_choice = std::move(choice);
  return {};
}

Result<void> read_format(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value,
                  reader.optional("response_format", Type::object));
  if (!value) return {};
  const auto kind = from_wire(kFormats, value["type"].string());
  if (!kind) {
    return invalid_request(
        fmt::format("response_format.type must be {}", spellings(kFormats)),
        "/response_format/type");
  }
  ResponseFormat format;
  format.kind = *kind;
  if (*kind == FormatKind::json_schema) {
    const Value schema = value["json_schema"];
    if (!schema.is_object()) {
      return invalid_request("response_format.json_schema is required",
                             "/response_format/json_schema");
    }
    ObjectReader inner(schema, "/response_format/json_schema");
    LLMPROXY_ASSIGN(format.name, inner.optional_string("name"));
    LLMPROXY_ASSIGN(format.description, inner.optional_string("description"));
    LLMPROXY_ASSIGN(format.strict, inner.optional_bool("strict"));
    format.schema = inner.take("schema").raw_json();
  }
  request.response_format = std::move(format);
  return {};
}

Result<void> read_stop(ObjectReader& reader, ChatRequest& request) {
  const Value stop = reader.take("stop");
  if (stop.absent()) return {};
  if (stop.is_string()) {
    request.stop_sequences.emplace_back(stop.string());
    return {};
  }
  const auto wrong = [] {
    return invalid_request("stop must be a string or an array of strings",
                           "/stop");
  };
  if (!stop.is_array()) return wrong();
  for (const Value item : stop.children()) {
    if (!item.is_string()) return wrong();
    request.stop_sequences.emplace_back(item.string());
  }
  return {};
}

Result<void> read_limits(ObjectReader& reader, ChatRequest& request) {
  // Both given: the newer field counts.
  for (const std::string_view name : {"max_tokens", "max_completion_tokens"}) {
    LLMPROXY_ASSIGN(const Value value, reader.optional(name, Type::number));
    if (!value) continue;
    request.max_output_tokens = value.integer();
    if (!request.max_output_tokens || *request.max_output_tokens < 1) {
      return invalid_request(
          fmt::format("{} must be an integer of at least 1", name),
          reader.path_of(name));
    }
  }
  const Value n = reader.object()["n"];
  if (!n.absent() && n.integer() != 1) {
    return unsupported(
        "n must be 1: other APIs give one answer per request; send the "
        "request several times instead",
        "/n");
  }
  return {};
}

Result<void> read_reasoning_effort(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value,
                  reader.optional("reasoning_effort", Type::string));
  if (!value) return {};
  request.reasoning.effort = from_wire(kEfforts, value.string());
  if (!request.reasoning.effort) {
    return invalid_request(
        fmt::format("reasoning_effort must be {}", spellings(kEfforts)),
        "/reasoning_effort");
  }
  return {};
}

Result<void> read_user(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(request.user_id, reader.optional_string("safety_identifier"));
  if (!request.user_id.empty()) return {};  // `user` stays an extension
  LLMPROXY_ASSIGN(request.user_id, reader.optional_string("user"));
  return {};
}

}  // namespace

Result<ChatRequest> decode_request(const json::Value& body,
                                   const RequestHead&) {
  ObjectReader reader(body, "");
  ChatRequest request;
  request.dialect = std::string(kName);
  LLMPROXY_ASSIGN(request.model, reader.required_string("model"));
  LLMPROXY_ASSIGN(const Value messages,
                  reader.required("messages", Type::array));
  if (messages.size() == 0) {
    return invalid_request("messages must hold at least one message",
                           "/messages");
  }
  LLMPROXY_ASSIGN(request.messages, MessagesReader().read(messages));
  LLMPROXY_ASSIGN(const auto stream, reader.optional_bool("stream"));
  request.stream = stream.value_or(false);
  LLMPROXY_ASSIGN(const Value stream_options,
                  reader.optional("stream_options", Type::object));
  request.include_usage = stream_options["include_usage"].is_true();
  LLMPROXY_TRY(read_limits(reader, request));
  reader.take("n");
  LLMPROXY_TRY(json::read_fields<ChatRequest>(kScalars, reader, request));
  LLMPROXY_TRY(read_stop(reader, request));
  LLMPROXY_TRY(read_tools(reader, request));
  LLMPROXY_TRY(read_tool_choice(reader, request));
  LLMPROXY_ASSIGN(request.parallel_tool_calls,
                  reader.optional_bool("parallel_tool_calls"));
  LLMPROXY_TRY(read_format(reader, request));
  LLMPROXY_TRY(read_reasoning_effort(reader, request));
  LLMPROXY_TRY(read_user(reader, request));
  LLMPROXY_ASSIGN(request.service_tier, reader.optional_string("service_tier"));
  request.extensions = reader.rest();
  return request;
}

}  // namespace llmproxy::openai_chat
