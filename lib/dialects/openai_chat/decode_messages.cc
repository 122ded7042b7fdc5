// OpenAI Chat Completions: a client's messages to canonical ones.
#include <fmt/format.h>

#include <utility>

#include "chat/media.h"
#include "dialects/openai_chat/call_signatures.h"
#include "dialects/openai_chat/messages.h"
#include "json/zero.h"

namespace llmproxy::openai_chat {

using json::ObjectReader;
using json::Type;
using json::Value;

std::optional<CacheMarker> read_breakpoint(ObjectReader& part) {
  const Value marker = part.take("prompt_cache_breakpoint");
  if (marker.is_object()) {
    return CacheMarker{std::string(marker["ttl"].string()),
                       {"prompt_cache_breakpoint"}};
  }
  // Not of this dialect, but what OpenRouter and others take on parts.
  const Value control = part.take("cache_control");
  if (!control.is_object()) return std::nullopt;
  return CacheMarker{std::string(control["ttl"].string()), {"cache_control"}};
}

namespace {

/// A part and the member of its message that it stands in.
ContentPart made(ContentPart::Value value, std::string_view member) {
  ContentPart part;
  part.value = std::move(value);
  part.source.member = member;
  return part;
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
    out.push_back(made(TextPart{std::string(content.string()), {}}, "content"));
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
                    read_part(part, json::pointer(path, index)));
    read.source.member = "content";
    read.source.index = static_cast<std::int32_t>(index++);
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
  if (read_call_signature(value)) reader.take("extra_content");
  return ContentPart{std::move(call), {}, reader.rest(), {}};
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
      for (ContentPart& part : message.content) {
        part.source.message = message.source.index;
      }
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
        made(ThinkingPart{.text = std::string(text)},
             old_name.is_string() ? "reasoning_content" : "reasoning"));
  }

  Result<void> read_answer(ObjectReader& reader, Message& message) {
    const Value refusal = reader.take("refusal");
    if (!refusal.string().empty()) {
      message.content.push_back(
          made(RefusalPart{std::string(refusal.string())}, "refusal"));
    }
    LLMPROXY_ASSIGN(const Value calls,
                    reader.optional("tool_calls", Type::array));
    std::size_t index = 0;
    for (const Value call : calls.children()) {
      LLMPROXY_ASSIGN(
          ContentPart part,
          read_tool_call(call,
                         json::pointer(reader.path_of("tool_calls"), index++)));
      if (auto signature = read_call_signature(call)) {
        message.content.push_back(made(*std::move(signature), "tool_calls"));
        message.content.back().source.index =
            static_cast<std::int32_t>(index - 1);
      }
      message.content.push_back(std::move(part));
    }
    LLMPROXY_ASSIGN(const Value legacy,
                    reader.optional("function_call", Type::object));
    if (!json::says_nothing(legacy)) {
      if (legacy["name"].string().empty()) {
        return invalid_request("function_call needs a name",
                               reader.path_of("function_call"));
      }
      message.content.push_back(
          made(ToolCallPart{legacy_call_id(legacy_calls_++),
                            std::string(legacy["name"].string()),
                            std::string(legacy["arguments"].string()), false},
               "function_call"));
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

}  // namespace

Result<std::vector<Message>> read_messages(Value messages) {
  return MessagesReader().read(messages);
}

}  // namespace llmproxy::openai_chat
