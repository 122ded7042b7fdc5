// OpenAI Responses: canonical messages to the items an upstream gets.
#include <fmt/format.h>

#include <algorithm>

#include "base/bounded.h"
#include "chat/media.h"
#include "chat/turns.h"
#include "dialects/openai_responses/messages.h"

namespace llmproxy::openai_responses {
namespace {

constexpr const char* kTextOnly =
    "OpenAI Responses has text only in the model's own turns";

bool is_item_field(const Extension& extension) {
  return extension.name.starts_with(kItemPrefix);
}

bool begins_item(const ContentPart& part) {
  return std::any_of(part.extensions.begin(), part.extensions.end(),
                     is_item_field);
}

/// Parts that stand in the content of a message item.
bool is_content(const ContentPart& part) {
  return part.as<TextPart>() || part.as<RefusalPart>() ||
         part.as<ImagePart>() || part.as<DocumentPart>() ||
         part.as<AudioPart>();
}

}  // namespace

ItemsWriter::ItemsWriter(const ChatRequest& request,
                         const EncodeOptions& options, json::Writer& writer,
                         Losses& losses)
    : request_(request),
      options_(options),
      w_(writer),
      losses_(losses),
      same_dialect_(request.dialect.empty() || request.dialect == kName) {
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.content) {
      const auto* call = part.as<ToolCallPart>();
      if (call != nullptr) custom_calls_.emplace(call->id, call->custom);
    }
  }
  for (const ToolDefinition& tool : request.tools) {
    if (!tool.name_space.empty()) {
      namespaced_.emplace(tool.name, &tool);
    }
  }
}

void ItemsWriter::lose(std::string path, std::string what, LossKind kind) {
  add_loss(losses_, {std::move(path), std::move(what), kind});
}

/// The system text on top; how many messages it was.
std::size_t ItemsWriter::write_instructions() {
  const auto& messages = request_.messages;
  // `input` must hold something, be it the system text.
  if (messages.size() < 2 || messages.front().role != Role::system) return 0;
  const Message& first = messages.front();
  const bool plain = std::all_of(
      first.content.begin(), first.content.end(), [&](const ContentPart& part) {
        return part.as<TextPart>() && (!same_dialect_ || !part.cache);
      });
  // What stood among the items stays there.
  const bool own_item =
      request_.dialect == kName && first.source.index != SourceIndex::kNone;
  if (!plain || own_item) return 0;
  w_.member("instructions", joined_text(first.content, "\n"));
  if (!same_dialect_) {
    lose_extensions(first.extensions, path_of(first), "OpenAI Responses",
                    losses_);
  }
  for (std::size_t i = 0; i < first.content.size(); ++i) {
    lose_part_fields(first.content[i], path_of(first, i));
  }
  return 1;
}

Result<void> ItemsWriter::write() {
  const std::size_t first = write_instructions();
  w_.key("input");
  w_.begin_array();
  for (std::size_t i = first; i < request_.messages.size(); ++i) {
    LLMPROXY_TRY(write_message(request_.messages[i]));
  }
  w_.end_array();
  if (!wrote_item_) {
    return unsupported(
        "nothing of these messages can be sent to OpenAI Responses",
        request_.messages.empty() ? std::string("/messages")
                                  : path_of(request_.messages.back()));
  }
  return {};
}

Result<void> ItemsWriter::write_message(const Message& message) {
  if (!message.name.empty()) {
    lose(path_of(message) + "/name", "OpenAI Responses has no speaker names");
  }
  if (!same_dialect_) {
    lose_extensions(message.extensions, path_of(message), "OpenAI Responses",
                    losses_);
  }
  std::size_t index = 0;
  while (index < message.content.size()) {
    const ContentPart& part = message.content[index];
    const std::string path = path_of(message, index);
    if (is_content(part)) {
      LLMPROXY_TRY(write_texts(message, index));
      continue;
    }
    ++index;
    if (const auto* thinking = part.as<ThinkingPart>()) {
      write_thinking(part, *thinking, path);
    } else if (const auto* call = part.as<ToolCallPart>()) {
      write_call(part, *call);
      lose_part_fields(part, path);
    } else if (const auto* result = part.as<ToolResultPart>()) {
      LLMPROXY_TRY(write_result(part, *result, path));
      lose_part_fields(part, path);
    } else if (const auto* opaque = part.as<OpaquePart>()) {
      if (opaque->dialect == kName) {
        wrote_item_ = true;
        w_.raw(opaque->json.text());
      } else {
        lose(path,
             fmt::format("OpenAI Responses has no {} parts", opaque->type));
      }
    }
  }
  return {};
}

/// One message item of the content parts from `index` on.
Result<void> ItemsWriter::write_texts(const Message& message,
                                      std::size_t& index) {
  const bool of_model = message.role == Role::assistant;
  const auto is_sendable = [&](const ContentPart& part) {
    return !of_model || part.as<TextPart>() || part.as<RefusalPart>();
  };
  // Only media of the model's own: lost, and no item without content.
  if (!is_sendable(message.content[index])) {
    lose(path_of(message, index), kTextOnly);
    lose_part_fields(message.content[index], path_of(message, index));
    ++index;
    return {};
  }
  wrote_item_ = true;
  w_.begin_object();
  w_.member("type", "message");
  w_.member("role", to_wire(kRoles, message.role));
  write_item_fields(message.content[index]);
  w_.key("content");
  w_.begin_array();
  const std::size_t first = index;
  for (; index < message.content.size(); ++index) {
    const ContentPart& part = message.content[index];
    if (!is_content(part) || (index > first && begins_item(part))) break;
    const std::string path = path_of(message, index);
    LLMPROXY_TRY(write_part(part, path, of_model));
    lose_part_fields(part, path);
  }
  w_.end_array();
  w_.end_object();
  return {};
}

Result<void> ItemsWriter::write_part(const ContentPart& part,
                                     const std::string& path, bool of_model) {
  const bool is_text = part.as<TextPart>() || part.as<RefusalPart>();
  if (of_model && !is_text) {
    lose(path, kTextOnly);
    return {};
  }
  w_.begin_object();
  if (const auto* text = part.as<TextPart>()) {
    w_.member("type", of_model ? "output_text" : "input_text");
    w_.member("text", text->text);
    if (same_dialect_ && !text->citations.empty()) {
      w_.key("annotations");
      w_.begin_array();
      for (const RawJson& citation : text->citations) w_.raw(citation.text());
      w_.end_array();
    }
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    w_.member("type", of_model ? "refusal" : "input_text");
    w_.member(of_model ? "refusal" : "text", refusal->text);
  } else if (const auto* image = part.as<ImagePart>()) {
    LLMPROXY_TRY(write_image(*image, path));
  } else if (const auto* document = part.as<DocumentPart>()) {
    LLMPROXY_TRY(write_document(*document, path));
  } else if (const auto* audio = part.as<AudioPart>()) {
    if (!same_dialect_) {
      return unsupported("OpenAI Responses takes no audio", path);
    }
    w_.member("type", "input_audio");
    w_.key("input_audio");
    w_.begin_object();
    w_.member("data", audio->source.data);
    w_.member("format", audio->format);
    w_.end_object();
  }
  if (same_dialect_) {
    if (part.cache) {
      w_.key("prompt_cache_breakpoint");
      w_.begin_object();
      w_.member("mode", "explicit");
      w_.member_if("ttl", part.cache->ttl);
      w_.end_object();
    }
    for (const Extension& extension : part.extensions) {
      if (!is_item_field(extension)) w_.member(extension.name, extension.value);
    }
  }
  w_.end_object();
  return {};
}

Result<void> ItemsWriter::write_image(const ImagePart& image,
                                      const std::string& path) {
  w_.member("type", "input_image");
  if (image.source.kind == MediaKind::file_id) {
    if (!same_dialect_) {
      return unsupported(
          "an image given by a file id of another provider cannot be sent on; "
          "send its bytes or a URL",
          path);
    }
    w_.member("file_id", image.source.data);
  } else {
    w_.member("image_url", data_url(image.source));
  }
  w_.member("detail", image.detail.empty() ? std::string_view("auto")
                                           : std::string_view(image.detail));
  return {};
}

Result<void> ItemsWriter::write_document(const DocumentPart& document,
                                         const std::string& path) {
  const MediaSource& source = document.source;
  if (source.kind == MediaKind::text) {
    w_.member("type", "input_text");
    w_.member("text",
              document.title.empty()
                  ? source.data
                  : fmt::format("{}\n\n{}", document.title, source.data));
    lose(path, "the text document became a text part", LossKind::approximated);
    return {};
  }
  if (is_sound_or_film(source.media_type) && !same_dialect_) {
    return unsupported(fmt::format("unsupported document type {}; OpenAI "
                                   "takes PDF, office documents and text",
                                   source.media_type),
                       path);
  }
  w_.member("type", "input_file");
  if (source.kind == MediaKind::file_id) {
    if (!same_dialect_) {
      return unsupported(
          "a document given by a file id of another provider cannot be sent "
          "on; send its bytes",
          path);
    }
    w_.member("file_id", source.data);
  } else if (source.kind == MediaKind::url) {
    w_.member("file_url", source.data);
  } else {
    w_.member("filename", document.title.empty()
                              ? std::string_view("document.pdf")
                              : std::string_view(document.title));
    w_.member("file_data", data_url(source));
    return {};
  }
  w_.member_if("filename", document.title);
  return {};
}

void ItemsWriter::write_thinking(const ContentPart& part,
                                 const ThinkingPart& thinking,
                                 const std::string& path) {
  const bool ours =
      thinking.issuer == ReasoningIssuer::openai ||
      (same_dialect_ && thinking.issuer == ReasoningIssuer::unknown);
  const bool readable = !thinking.signature.empty() ||
                        (same_dialect_ && thinking.redacted_data.empty());
  if (!ours || !readable) {
    return lose(path,
                "thinking without OpenAI's encrypted content cannot be sent "
                "to OpenAI");
  }
  wrote_item_ = true;
  w_.begin_object();
  w_.member("type", "reasoning");
  w_.member_if("id", thinking.id);
  w_.key("summary");
  w_.begin_array();
  if (!thinking.text.empty()) {
    w_.begin_object();
    w_.member("type", "summary_text");
    w_.member("text", thinking.text);
    w_.end_object();
  }
  w_.end_array();
  w_.member_if("encrypted_content", thinking.signature);
  write_item_fields(part);
  w_.end_object();
}

void ItemsWriter::write_call(const ContentPart& part,
                             const ToolCallPart& call) {
  wrote_item_ = true;
  w_.begin_object();
  w_.member("type", call.custom ? "custom_tool_call" : "function_call");
  w_.member("call_id", call.id);
  const auto tool =
      same_dialect_ ? namespaced_.find(call.name) : namespaced_.end();
  if (tool != namespaced_.end()) {
    w_.member("namespace", tool->second->name_space);
    w_.member("name", name_within(*tool->second));
  } else {
    w_.member("name", call.name);
  }
  w_.member(call.custom ? "input" : "arguments",
            call.arguments.empty() && !call.custom
                ? std::string_view("{}")
                : std::string_view(call.arguments));
  write_item_fields(part);
  w_.end_object();
}

bool ItemsWriter::is_custom_call(std::string_view call_id) const {
  const auto call = custom_calls_.find(call_id);
  return call != custom_calls_.end() && call->second;
}

Result<void> ItemsWriter::write_result(const ContentPart& part,
                                       const ToolResultPart& result,
                                       const std::string& path) {
  wrote_item_ = true;
  w_.begin_object();
  w_.member("type", is_custom_call(result.call_id) ? "custom_tool_call_output"
                                                   : "function_call_output");
  w_.member("call_id", result.call_id);
  const bool only_text = std::all_of(
      result.content.begin(), result.content.end(), [](const ContentPart& c) {
        return c.as<TextPart>() != nullptr && c.source.index < 0;
      });
  w_.key("output");
  const bool any =
      std::any_of(result.content.begin(), result.content.end(), is_content);
  if (!any || (result.content.size() < 2 && only_text)) {
    const std::string text = joined_text(result.content, "\n");
    w_.string(result.is_error ? marked_as_error(text) : text);
  } else {
    w_.begin_array();
    bool marked = !result.is_error;
    std::size_t index = 0;
    for (const ContentPart& child : result.content) {
      const std::string place = json::pointer(
          path + (same_dialect_ ? "/output" : "/content"), index++);
      const auto* text = child.as<TextPart>();
      if (text != nullptr && !marked) {
        ContentPart failed = child;
        failed.as<TextPart>()->text = marked_as_error(text->text);
        marked = true;
        LLMPROXY_TRY(write_part(failed, place, false));
      } else if (is_content(child)) {
        LLMPROXY_TRY(write_part(child, place, false));
        lose_part_fields(child, place);
      } else {
        lose(place,
             "OpenAI Responses takes text, images and files only in "
             "tool results");
      }
    }
    w_.end_array();
  }
  write_item_fields(part);
  w_.end_object();
  return {};
}

void ItemsWriter::write_item_fields(const ContentPart& part) {
  if (!same_dialect_) return;
  for (const Extension& extension : part.extensions) {
    if (!is_item_field(extension)) continue;
    w_.member(extension.name.substr(kItemPrefix.size()), extension.value);
  }
}

void ItemsWriter::lose_part_fields(const ContentPart& part,
                                   const std::string& path) {
  if (same_dialect_) return;
  if (part.cache) {
    lose(path_of(*part.cache, path),
         "OpenAI caches prompts by itself; the marker is not needed");
  }
  if (const auto* text = part.as<TextPart>();
      text != nullptr && !text->citations.empty()) {
    lose(path + "/citations", "citations of other APIs have no form here");
  }
  if (const auto* document = part.as<DocumentPart>();
      document != nullptr && !document->context.empty()) {
    lose(path + "/context", "OpenAI Responses has no document context");
  }
  lose_extensions(part.extensions, path, "OpenAI Responses", losses_);
}

}  // namespace llmproxy::openai_responses
