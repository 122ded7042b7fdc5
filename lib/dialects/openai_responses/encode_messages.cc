// OpenAI Responses: fitted messages to the items an upstream gets.
#include <algorithm>
#include <map>
#include <utility>

#include "chat/extensions.h"
#include "chat/losses.h"
#include "chat/turns.h"
#include "dialects/openai_family/body.h"
#include "dialects/openai_responses/messages.h"

namespace llmproxy::openai_responses {
namespace {

using openai_family::parts_in;

/// Text that says nothing else.
bool is_plain(const ContentPart& part) {
  return part.as<TextPart>() && !part.cache && part.extensions.empty();
}

/// Content that the model itself writes.
bool is_output(const ContentPart& part) {
  return part.as<TextPart>() || part.as<RefusalPart>();
}

/// Parts that stand in the content of a message item.
bool is_content(const ContentPart& part) {
  return is_output(part) || part.as<ImagePart>() || part.as<DocumentPart>() ||
         part.as<AudioPart>();
}

/// What was a string, or may be one.
bool is_one_text(const std::vector<ContentPart>& content) {
  return content.size() == 1 && is_plain(content[0]) &&
         content[0].source.index == SourceIndex::kNone;
}

/// The provider keeps the conversation, of which `instructions` are no part.
bool is_kept_there(const ChatRequest& request) {
  return std::any_of(
      request.extensions.begin(), request.extensions.end(),
      [](const Extension& extension) { return extension.essential; });
}

class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, openai_family::ToolIndex& tools,
                 json::Writer& writer, Losses& losses)
      : request_(request), tools_(tools), w_(writer), losses_(losses) {}

  Result<void> write() {
    const std::size_t first = write_system();
    w_.begin_array("input");
    for (std::size_t i = first; i < request_.messages.size(); ++i) {
      LLMPROXY_TRY(write_message(request_.messages[i]));
    }
    w_.end_array();
    if (wrote_item_) return {};
    return nothing_to_send(request_, kTarget);
  }

 private:
  /// Where a content part stands, which its type depends on.
  enum class Place {
    input,    ///< what the model reads
    output,   ///< what it wrote
    failure,  ///< input that begins the result of a tool that failed
  };

  // --- messages -------------------------------------------------------------

  /// The system text on top; how many messages it was.
  std::size_t write_system() {
    const auto& messages = request_.messages;
    // `input` must hold something, be it the system text.
    if (messages.size() < 2 || messages.front().role != Role::system) return 0;
    const auto& content = messages.front().content;
    if (!std::all_of(content.begin(), content.end(), is_plain)) return 0;
    if (is_kept_there(request_)) return 0;
    w_.member("instructions", joined_text(content, "\n"));
    return 1;
  }

  Result<void> write_message(const Message& message) {
    const bool of_model = message.role == Role::assistant;
    bool open = false;
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const ContentPart& part = message.content[i];
      const std::string path = path_of(message, i);
      const bool content = is_content(part);
      if (!content || has_nested(part.extensions, kItemPrefix)) {
        close_content(std::exchange(open, false));
      }
      if (!content) {
        LLMPROXY_TRY(write_item(part, path));
      } else if (of_model && !is_output(part)) {
        lose(path, parts_in(part, "the model's own turns"));
      } else {
        if (!std::exchange(open, true)) open_content(message.role, part);
        LLMPROXY_TRY(
            write_part(part, path, of_model ? Place::output : Place::input));
      }
    }
    close_content(open);
    return {};
  }

  void open_content(Role role, const ContentPart& first) {
    open_item("message");
    w_.member("role", to_wire(kRoles, role));
    write_nested(first.extensions, kItemPrefix, w_);
    w_.begin_array("content");
  }

  void close_content(bool open) {
    if (!open) return;
    w_.end_array();
    w_.end_object();
  }

  /// A part that is an item of its own.
  Result<void> write_item(const ContentPart& part, const std::string& path) {
    if (const auto* call = part.as<ToolCallPart>()) {
      write_tool_call(part, *call, path);
    } else if (const auto* result = part.as<ToolResultPart>()) {
      return write_tool_result(part, *result, path);
    } else if (const auto* thinking = part.as<ThinkingPart>()) {
      write_thinking(part, *thinking, path);
    } else if (const auto* opaque = part.as<OpaquePart>()) {
      wrote_item_ = true;
      w_.raw(opaque->json);
    }
    return {};
  }

  // --- parts ----------------------------------------------------------------

  /// One that is_content().
  Result<void> write_part(const ContentPart& part, const std::string& path,
                          Place place) {
    w_.begin_object();
    if (const auto* text = part.as<TextPart>()) {
      write_text(*text, place);
    } else if (const auto* image = part.as<ImagePart>()) {
      write_image(*image);
    } else if (const auto* audio = part.as<AudioPart>()) {
      openai_family::write_audio(*audio, w_);
    } else if (const auto* document = part.as<DocumentPart>()) {
      LLMPROXY_TRY(write_document(*document, path));
    } else if (const auto* refusal = part.as<RefusalPart>()) {
      write_refusal(*refusal, place);
    }
    if (part.cache) openai_family::write_breakpoint(*part.cache, w_);
    write_others(part.extensions, kItemPrefix, w_);
    w_.end_object();
    return {};
  }

  void write_text(const TextPart& text, Place place) {
    w_.member("type", place == Place::output ? "output_text" : "input_text");
    if (place == Place::failure) {
      w_.member("text", marked_as_error(text.text));
    } else {
      w_.member("text", text.text);
    }
    w_.member_if("annotations", text.citations);
  }

  void write_image(const ImagePart& image) {
    w_.member("type", "input_image");
    if (image.source.kind == MediaKind::file_id) {
      w_.member("file_id", image.source.data);
    } else {
      openai_family::write_source("image_url", image.source, w_);
    }
    w_.member("detail",
              image.detail.empty() ? std::string_view("auto") : image.detail);
  }

  Result<void> write_document(const DocumentPart& document,
                              const std::string& path) {
    const MediaSource& source = document.source;
    LLMPROXY_ASSIGN(const bool is_text,
                    openai_family::write_as_text(document, "input_text", path,
                                                 kTarget, w_, losses_));
    if (is_text) return {};
    w_.member("type", "input_file");
    if (source.kind == MediaKind::base64) {
      w_.member("filename", openai_family::name_of(document));
      openai_family::write_source("file_data", source, w_);
      return {};
    }
    w_.member(source.kind == MediaKind::url ? "file_url" : "file_id",
              source.data);
    w_.member_if("filename", document.title);
    return {};
  }

  // --- items ----------------------------------------------------------------

  void write_tool_call(const ContentPart& part, const ToolCallPart& call,
                       const std::string& path) {
    custom_calls_.emplace(call.id, call.custom);
    open_item(call.custom ? "custom_tool_call" : "function_call");
    w_.member("call_id", call.id);
    write_tool_name(call.name, tools_, w_);
    openai_family::write_arguments(call, w_);
    close_item(part, path);
  }

  Result<void> write_tool_result(const ContentPart& part,
                                 const ToolResultPart& result,
                                 const std::string& path) {
    open_item(custom_calls_[result.call_id] ? "custom_tool_call_output"
                                            : "function_call_output");
    w_.member("call_id", result.call_id);
    w_.key("output");
    const auto& content = result.content;
    if (std::none_of(content.begin(), content.end(), is_content) ||
        is_one_text(content)) {
      const std::string text = joined_text(content, "\n");
      w_.string(result.is_error ? marked_as_error(text) : text);
    } else {
      LLMPROXY_TRY(write_result_parts(result, path));
    }
    close_item(part, path);
    return {};
  }

  Result<void> write_result_parts(const ToolResultPart& result,
                                  const std::string& path) {
    Place place = result.is_error ? Place::failure : Place::input;
    std::size_t index = 0;
    w_.begin_array();
    for (const ContentPart& child : result.content) {
      const std::string child_path = path_of(path, child, index++);
      if (is_content(child)) {
        LLMPROXY_TRY(write_part(child, child_path, place));
        if (child.as<TextPart>()) place = Place::input;
      } else {
        lose(child_path, parts_in(child, "tool results"));
      }
    }
    w_.end_array();
    return {};
  }

  void write_thinking(const ContentPart& part, const ThinkingPart& thinking,
                      const std::string& path) {
    const bool ours = thinking.issuer == ReasoningIssuer::openai ||
                      thinking.issuer == ReasoningIssuer::unknown;
    if (!ours ||
        (thinking.signature.empty() && !thinking.redacted_data.empty())) {
      return lose(path, "thinking of other providers' models");
    }
    open_item("reasoning");
    w_.member_if("id", thinking.id);
    write_summary(thinking.text, w_);
    w_.member_if("encrypted_content", thinking.signature);
    close_item(part, path);
  }

  void write_refusal(const RefusalPart& refusal, Place place) {
    const bool of_model = place == Place::output;
    w_.member("type", of_model ? "refusal" : "input_text");
    w_.member(of_model ? "refusal" : "text", refusal.text);
  }

  void open_item(std::string_view type) {
    wrote_item_ = true;
    w_.begin_typed(type);
  }

  /// An item of one part.
  void close_item(const ContentPart& part, const std::string& path) {
    write_nested(part.extensions, kItemPrefix, w_);
    w_.end_object();
    if (!part.cache) return;
    lose(path_of(*part.cache, path),
         std::string("cache markers on ").append(openai_family::kind_of(part)));
  }

  void lose(const std::string& path, std::string_view thing) {
    llmproxy::lose(losses_, path, kTarget, thing);
  }

  const ChatRequest& request_;
  openai_family::ToolIndex& tools_;
  json::Writer& w_;
  Losses& losses_;
  bool wrote_item_ = false;  ///< `input` must not be empty
  /// Whether the arguments of a call are free text, by its id: its result
  /// stands behind it.
  std::map<std::string_view, bool> custom_calls_;
};

}  // namespace

Result<void> write_messages(const ChatRequest& request,
                            openai_family::ToolIndex& tools,
                            json::Writer& writer, Losses& losses) {
  return MessagesWriter(request, tools, writer, losses).write();
}

void write_tool_name(std::string_view name, openai_family::ToolIndex& tools,
                     json::Writer& w) {
  if (const ToolDefinition* tool = tools.find(name)) {
    w.member_if("namespace", tool->name_space);
    name = name_within(*tool);
  }
  w.member("name", name);
}

}  // namespace llmproxy::openai_responses
