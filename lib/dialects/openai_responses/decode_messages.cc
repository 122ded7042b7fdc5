// OpenAI Responses: a client's items to canonical messages. Items of one turn
// of the model (reasoning, text, calls) become one message, and so do the
// results that follow it: other APIs pair calls and results by turns.
#include <fmt/format.h>

#include <utility>

#include "chat/media.h"
#include "chat/read_parts.h"
#include "dialects/openai_family/request.h"
#include "dialects/openai_responses/messages.h"

namespace llmproxy::openai_responses {

using json::ObjectReader;
using json::Type;
using json::Value;

namespace {

using Parts = std::vector<ContentPart>;

/// Adds items to the turns they belong to.
class MessagesReader {
 public:
  explicit MessagesReader(ChatRequest& request) : request_(request) {}

  Result<void> read(const Value& input) {
    return json::read_each(input, "/input",
                           [&](Value item, const std::string& path) {
                             ++index_;
                             return read_item(item, path);
                           });
  }

 private:
  Result<void> read_item(const Value& item, const std::string& path) {
    if (!item.is_object()) return json::not_an_object("an item", item, path);
    ObjectReader reader(item, path);
    LLMPROXY_ASSIGN(const std::string type, reader.optional_string("type"));
    const bool has_role = !item["role"].absent();
    if (type.empty() && !has_role) {
      if (item["id"].is_string()) return refuse_reference(reader).error();
      return invalid_request("an item needs a type or a role", path);
    }
    if (type == "additional_tools") return read_tools(item, path);
    if (type.empty() || type == "message") return read_message(reader);
    const PartRow* of_user = find_row(kOfUser, type);
    const PartRow* row = of_user ? of_user : find_row(kOfModel, type);
    Parts parts(1);
    LLMPROXY_ASSIGN(parts[0].value,
                    row ? row->read(reader) : read_opaque(reader));
    // What is opaque has all of it.
    if (!parts[0].as<OpaquePart>()) keep_item_fields(reader, parts);
    add(of_user ? Role::user : Role::assistant, std::move(parts),
        /*joins=*/true);
    return {};
  }

  /// Tools that a client adds in the middle of a conversation count from there
  /// on; other APIs know one list only.
  Result<void> read_tools(const Value& item, const std::string& path) {
    last_joins_ = false;
    return json::read_each(item["tools"], path + "/tools",
                           [&](Value tool, const std::string& place) {
                             return read_tool(tool, place, request_);
                           });
  }

  Result<void> read_message(ObjectReader& reader) {
    LLMPROXY_ASSIGN(const Role role,
                    read_role(reader, kRoles, spellings(kRoles)));
    LLMPROXY_ASSIGN(Parts parts, read_content(reader, "content"));
    keep_item_fields(reader, parts);
    add(role, std::move(parts), role == Role::assistant);
    return {};
  }

  void add(Role role, Parts parts, bool joins) {
    auto& messages = request_.messages;
    const bool fits = joins && last_joins_ && !messages.empty() &&
                      messages.back().role == role;
    if (!fits) {
      messages.emplace_back();
      messages.back().role = role;
      messages.back().source.index = index_;
    }
    for (ContentPart& part : parts) {
      part.source.message = index_;
      messages.back().content.push_back(std::move(part));
    }
    last_joins_ = joins;
  }

  /// A string, or an array of parts.
  static Result<Parts> read_content(ObjectReader& reader,
                                    std::string_view name) {
    return llmproxy::read_content(reader.take(name),
                                  {name, "parts", name, read_part},
                                  reader.path_of(name));
  }

  static Result<ContentPart> read_part(Value value, const std::string& path) {
    static constexpr PartRow kParts[] = {
        {"input_text", read_text},
        {"output_text", read_text},
        {"text", read_text},
        {"refusal", openai_family::read_refusal},
        {"input_image", read_image},
        {"image_url", read_image},
        {"input_file", read_document},
        {"input_audio", openai_family::read_input_audio},
    };
    return openai_family::read_part(
        value, path, kParts,
        "input_text, input_image, input_file, output_text or refusal",
        read_cache);
  }

  static Result<ContentPart::Value> read_text(ObjectReader& part) {
    TextPart text;
    LLMPROXY_ASSIGN(text.text, part.required_string("text"));
    keep_citations(part.take("annotations"), text);
    part.take("logprobs");  // of answers; clients send them back
    return ContentPart::Value(std::move(text));
  }

  static Result<ContentPart::Value> read_image(ObjectReader& part) {
    const Value url = part.take("image_url");
    const std::string_view id = part.take("file_id").string();
    ImagePart image;
    LLMPROXY_ASSIGN(image.detail, part.optional_string("detail"));
    if (image.detail == "auto") image.detail.clear();  // required, says nothing
    // A nested object is what Chat Completions takes; some clients mix them up.
    const std::string_view text =
        url.is_object() ? url["url"].string() : url.string();
    if (!text.empty()) {
      LLMPROXY_ASSIGN(image.source,
                      media_from_url(text, part.path_of("image_url")));
    } else if (!id.empty()) {
      image.source = {MediaKind::file_id, std::string(id), {}};
    } else {
      return invalid_request("input_image needs image_url or file_id",
                             part.path());
    }
    return ContentPart::Value(std::move(image));
  }

  static Result<ContentPart::Value> read_document(ObjectReader& part) {
    DocumentPart out;
    LLMPROXY_ASSIGN(out.title, part.optional_string("filename"));
    LLMPROXY_ASSIGN(
        out.source,
        openai_family::read_file_source(
            {.data = part.take("file_data").string(),
             .url = part.take("file_url").string(),
             .id = part.take("file_id").string()},
            out.title, "input_file needs file_data, file_url or file_id",
            part.path()));
    return ContentPart::Value(std::move(out));
  }

  static Result<ContentPart::Value> read_tool_call(ObjectReader& reader) {
    ToolCallPart call = call_of(reader.object());
    LLMPROXY_ASSIGN(call.id, reader.required_string("call_id"));
    LLMPROXY_ASSIGN(const Value name, reader.required("name", Type::string));
    if (name.string().empty()) {
      return invalid_request("a call needs a name", reader.path_of("name"));
    }
    LLMPROXY_TRY(reader.optional("namespace", Type::string));
    LLMPROXY_TRY(
        reader.required(call.custom ? "input" : "arguments", Type::string));
    return ContentPart::Value(std::move(call));
  }

  static Result<ContentPart::Value> read_tool_result(ObjectReader& reader) {
    ToolResultPart result;
    LLMPROXY_ASSIGN(result.call_id, reader.required_string("call_id"));
    LLMPROXY_ASSIGN(result.content, read_content(reader, "output"));
    reader.take("name");
    reader.take("namespace");
    return ContentPart::Value(std::move(result));
  }

  static Result<ContentPart::Value> read_thinking(ObjectReader& reader) {
    LLMPROXY_TRY(reader.optional("summary", Type::array));
    LLMPROXY_TRY(reader.optional("content", Type::array));
    LLMPROXY_TRY(reader.optional("encrypted_content", Type::string));
    LLMPROXY_TRY(reader.optional("id", Type::string));
    ThinkingPart thinking = thinking_of(reader.object());
    // The name of what cannot be read again is of no use.
    if (thinking.signature.empty()) thinking.id.clear();
    return ContentPart::Value(std::move(thinking));
  }

  static Result<ContentPart::Value> read_opaque(ObjectReader& reader) {
    const Value item = reader.object();
    return opaque_part(kName, item["type"].string(), item);
  }

  static Result<ContentPart::Value> refuse_compaction(ObjectReader& reader) {
    return unsupported(
        "a compacted conversation can be read by OpenAI only; send the items "
        "themselves",
        reader.path());
  }

  static Result<ContentPart::Value> refuse_reference(ObjectReader& reader) {
    return unsupported(
        "an item that is given by its id lives at OpenAI and cannot be sent "
        "on; send the item itself",
        reader.path());
  }

  // Items that are one part, by their speaker. The model's are all others, too:
  // the provider's own tools and state, which are kept as they are.
  static constexpr PartRow kOfModel[] = {
      {"function_call", read_tool_call},
      {"custom_tool_call", read_tool_call},
      {"reasoning", read_thinking},
  };
  static constexpr PartRow kOfUser[] = {
      {"function_call_output", read_tool_result},
      {"custom_tool_call_output", read_tool_result},
      {"item_reference", refuse_reference},
      {"compaction", refuse_compaction},
      // What the client answers to the provider's own tools.
      {"computer_call_output", read_opaque},
      {"local_shell_call_output", read_opaque},
      {"shell_call_output", read_opaque},
      {"apply_patch_call_output", read_opaque},
      {"mcp_approval_response", read_opaque},
      {"tool_search_output", read_opaque},
      {"compaction_trigger", read_opaque},
      {"configuration_update", read_opaque},
  };

  /// What stands beside the content of an item, kept on its first part.
  static void keep_item_fields(ObjectReader& reader, Parts& parts) {
    // Bookkeeping of the provider; clients send it back as they got it.
    for (const std::string_view name : {"id", "status", "type"}) {
      reader.take(name);
    }
    if (parts.empty()) return;
    json::keep_rest(reader, kItemPrefix, parts.front().extensions);
  }

  ChatRequest& request_;
  std::int32_t index_ = -1;  // of the item that is read
  bool last_joins_ = false;
};

}  // namespace

Result<void> read_messages(ObjectReader& reader, ChatRequest& request) {
  const Value input = reader.take("input");
  if (input.is_string()) {
    Message message = user_message(std::string(input.string()));
    message.source.index = 0;
    request.messages.push_back(std::move(message));
    return {};
  }
  if (input.absent()) return invalid_request("input is required", "/input");
  if (!input.is_array()) {
    return invalid_request(
        fmt::format("input must be a string or an array of items, not {}",
                    to_string(input.type())),
        "/input");
  }
  if (input.size() > 0) return MessagesReader(request).read(input);
  return invalid_request("input must hold at least one item", "/input");
}

Result<void> read_system(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value value,
                  reader.optional("instructions", Type::string));
  if (!value) return {};
  request.messages.push_back(system_message(std::string(value.string())));
  return {};
}

std::optional<CacheMarker> read_cache(ObjectReader& reader) {
  return read_marker(reader, "prompt_cache_breakpoint");
}

std::string full_tool_name(std::string_view name_space, std::string_view name) {
  if (name_space.empty()) return std::string(name);
  return fmt::format("{}__{}", name_space, name);
}

std::string_view name_within(const ToolDefinition& tool) {
  const std::string_view name = tool.name;
  const std::string prefix = full_tool_name(tool.name_space, "");
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

}  // namespace llmproxy::openai_responses
