// OpenAI Chat Completions: a client's messages to canonical ones.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "chat/media.h"
#include "chat/read_parts.h"
#include "dialects/openai_chat/messages.h"
#include "dialects/openai_family/request.h"
#include "json/zero.h"

namespace llmproxy::openai_chat {

using json::ObjectReader;
using json::Type;
using json::Value;

namespace {

using Parts = std::vector<ContentPart>;

/// Reads one message after the other; remembers what the old form of function
/// calls needs.
class MessagesReader {
 public:
  Result<Message> read_message(ObjectReader& reader) {
    const std::string_view word = reader.object()["role"].string();
    if (word == "tool" || word == "function") {
      reader.take("role");
      return read_tool_result(word == "function", reader);
    }
    Message message;
    LLMPROXY_ASSIGN(message.role,
                    read_role(reader, kRoles,
                              "system, developer, user, assistant or tool"));
    const bool of_model = message.role == Role::assistant;
    if (of_model) read_thinking(reader, message);
    LLMPROXY_ASSIGN(Parts content, read_content(reader));
    std::move(content.begin(), content.end(),
              std::back_inserter(message.content));
    LLMPROXY_ASSIGN(message.name, reader.optional_string("name"));
    if (of_model) {
      LLMPROXY_TRY(read_answer(reader, message));
    } else if (reader.object()["content"].absent()) {
      return invalid_request("content is required", reader.path_of("content"));
    }
    return message;
  }

 private:
  /// What only a turn of the model's has.
  Result<void> read_answer(ObjectReader& reader, Message& message) {
    const Value refusal = reader.take("refusal");
    if (!refusal.string().empty()) {
      message.content.push_back(
          part_in("refusal", RefusalPart{std::string(refusal.string())}));
    }
    LLMPROXY_TRY(read_calls(reader, message));
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

  Result<void> read_calls(ObjectReader& reader, Message& message) {
    LLMPROXY_ASSIGN(const Value calls,
                    reader.optional("tool_calls", Type::array));
    std::int32_t index = 0;
    LLMPROXY_TRY(json::read_each(calls, reader.path_of("tool_calls"),
                                 [&](Value call, const std::string& path) {
                                   return read_tool_call(call, path, index++,
                                                         message.content);
                                 }));
    LLMPROXY_ASSIGN(const Value legacy,
                    reader.optional("function_call", Type::object));
    if (json::says_nothing(legacy)) return {};
    if (legacy["name"].string().empty()) {
      return invalid_request("function_call needs a name",
                             reader.path_of("function_call"));
    }
    message.content.push_back(part_in(
        "function_call",
        ToolCallPart{legacy_call_id(legacy_calls_++),
                     std::string(legacy["name"].string()),
                     std::string(legacy["arguments"].string()), false}));
    return {};
  }

  /// `content`: a string, an array of parts, or nothing.
  static Result<Parts> read_content(ObjectReader& reader) {
    constexpr std::string_view kContent = "content";
    return llmproxy::read_content(reader,
                                  {kContent, "parts", kContent, read_part});
  }

  static Result<ContentPart> read_part(Value value, const std::string& path) {
    static constexpr PartRow kParts[] = {
        {"text", read_text},
        {"refusal", openai_family::read_refusal},
        {"image_url", read_image},
        {"input_audio", openai_family::read_input_audio},
        {"file", read_document},
    };
    return openai_family::read_part(
        value, path, kParts, "text, image_url, input_audio, file or refusal",
        read_cache);
  }

  static Result<ContentPart::Value> read_text(ObjectReader& part) {
    LLMPROXY_ASSIGN(std::string text, part.required_string("text"));
    return ContentPart::Value(TextPart{std::move(text), {}});
  }

  static Result<ContentPart::Value> read_image(ObjectReader& part) {
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

  static Result<ContentPart::Value> read_document(ObjectReader& part) {
    LLMPROXY_ASSIGN(const Value file, part.required("file", Type::object));
    DocumentPart out;
    out.title = file["filename"].string();
    LLMPROXY_ASSIGN(out.source,
                    openai_family::read_file_source(
                        {.data = file["file_data"].string(),
                         .id = file["file_id"].string()},
                        out.title, "file needs file_data or file_id",
                        part.path_of("file")));
    return ContentPart::Value(std::move(out));
  }

  /// The call at `index`, behind its signature.
  static Result<void> read_tool_call(Value value, const std::string& path,
                                     std::int32_t index, Parts& parts) {
    if (!value.is_object()) {
      return invalid_request("a tool call must be an object", path);
    }
    ObjectReader reader(value, path);
    ToolCallPart call;
    call.custom = reader.take("type").string() == "custom";
    LLMPROXY_ASSIGN(call.id, reader.required_string("id"));
    reader.take("index");  // of streams; some clients send it back
    LLMPROXY_ASSIGN(
        const Value body,
        reader.required(call.custom ? "custom" : "function", Type::object));
    call.name = body["name"].string();
    if (call.name.empty()) {
      return invalid_request("a tool call needs a name", path);
    }
    call.arguments = body[call.custom ? "input" : "arguments"].string();
    if (auto signature = read_call_signature(value)) {
      reader.take("extra_content");
      parts.push_back(part_in("tool_calls", *std::move(signature)));
      parts.back().source.index = index;
      parts.back().source.inner = "extra_content";
    }
    parts.push_back({std::move(call), {}, reader.rest(), {}});
    return {};
  }

  Result<Message> read_tool_result(bool legacy, ObjectReader& reader) {
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
    LLMPROXY_ASSIGN(result.content, read_content(reader));
    // A marker on the last part of a result marks the result.
    ContentPart part;
    if (!result.content.empty()) {
      part.cache = std::exchange(result.content.back().cache, std::nullopt);
    }
    part.value = std::move(result);
    Message message;
    message.role = Role::user;
    message.content.push_back(std::move(part));
    return message;
  }

  /// Reasoning text as DeepSeek, vLLM and others spell it; not of this API.
  static void read_thinking(ObjectReader& reader, Message& message) {
    const Value old_name = reader.take("reasoning_content");
    const Value new_name = reader.take("reasoning");
    const std::string_view text =
        old_name.is_string() ? old_name.string() : new_name.string();
    if (text.empty()) return;
    message.content.push_back(
        part_in(old_name.is_string() ? "reasoning_content" : "reasoning",
                ThinkingPart{.text = std::string(text)}));
  }

  /// Id of a call in the old `function_call` form, which has none: the same
  /// for the call and its result, and on every turn.
  static std::string legacy_call_id(std::size_t nth) {
    return fmt::format("call_function_{}", nth);
  }

  std::size_t legacy_calls_ = 0;
};

}  // namespace

Result<void> read_messages(ObjectReader& reader, ChatRequest& request) {
  MessagesReader messages;
  return read_message_array(reader, request, [&](ObjectReader& message) {
    return messages.read_message(message);
  });
}

std::optional<CacheMarker> read_cache(ObjectReader& reader) {
  if (auto marker = read_marker(reader, "prompt_cache_breakpoint")) {
    return marker;
  }
  // Not of this dialect, but what OpenRouter and others take on parts.
  return read_marker(reader, "cache_control");
}

}  // namespace llmproxy::openai_chat
