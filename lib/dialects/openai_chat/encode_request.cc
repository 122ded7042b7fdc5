// OpenAI Chat Completions: the canonical request to what an upstream gets.
#include <fmt/format.h>

#include <algorithm>

#include "chat/media.h"
#include "chat/turns.h"
#include "dialects/openai_chat/tables.h"

namespace llmproxy::openai_chat {
namespace {

using json::Writer;

/// Writes one request. Members of a class only to share what every step
/// needs: the request, the options, the writer and the losses.
class RequestWriter {
 public:
  RequestWriter(const ChatRequest& request, const EncodeOptions& options,
                RequestContext& context, std::string& out, Losses& losses)
      : request_(request),
        options_(options),
        traits_(options.traits),
        context_(context),
        w_(out),
        losses_(losses),
        same_dialect_(request.dialect.empty() || request.dialect == kName) {}

  Result<void> write() {
    w_.begin_object();
    w_.member("model", request_.model);
    w_.key("messages");
    w_.begin_array();
    LLMPROXY_TRY(write_messages());
    w_.end_array();
    write_limits();
    LLMPROXY_TRY(write_sampling());
    write_stop();
    LLMPROXY_TRY(write_tools());
    write_format();
    write_reasoning();
    write_identity();
    write_stream();
    if (same_dialect_) {
      w_.extensions(request_.extensions);
    } else {
      lose_extensions(request_.extensions, "", "OpenAI Chat", losses_);
    }
    w_.end_object();
    return {};
  }

 private:
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    losses_.push_back({std::move(path), std::move(what), kind});
  }

  Result<void> write_messages() {
    for (std::size_t i = 0; i < request_.messages.size(); ++i) {
      const Message& message = request_.messages[i];
      if (message.role != Role::user) write_moved_images();
      switch (message.role) {
        case Role::system:
        case Role::developer:
          write_system(message);
          break;
        case Role::user:
          LLMPROXY_TRY(write_user(message));
          break;
        case Role::assistant:
          write_assistant(message);
          break;
      }
    }
    write_moved_images();
    return {};
  }

  void open_message(const Message& message, std::string_view role) {
    w_.begin_object();
    w_.member("role", role);
    w_.member_if("name", message.name);
  }

  void close_message(const Message& message) {
    if (same_dialect_) {
      w_.extensions(message.extensions);
    } else {
      lose_extensions(message.extensions, path_of(message), "OpenAI Chat",
                      losses_);
    }
    w_.end_object();
  }

  void write_system(const Message& message) {
    std::vector<const ContentPart*> texts;
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const ContentPart& part = message.content[i];
      if (const auto* text = part.as<TextPart>()) {
        if (!text->text.empty()) texts.push_back(&part);
        lose_part_fields(message, i);
      } else {
        lose(path_of(message, i), "system messages take text only");
      }
    }
    if (texts.empty()) return;
    open_message(message, to_wire(kRoles, message.role));
    write_text_content(texts);
    close_message(message);
  }

  /// One plain text is a string, several or marked ones stay parts.
  void write_text_content(const std::vector<const ContentPart*>& texts) {
    w_.key("content");
    if (texts.size() == 1 && !keeps_fields(*texts[0])) {
      w_.string(texts[0]->as<TextPart>()->text);
      return;
    }
    w_.begin_array();
    for (const ContentPart* part : texts) write_text_part(*part);
    w_.end_array();
  }

  void write_text_part(const ContentPart& part) {
    w_.begin_object();
    w_.member("type", "text");
    w_.member("text", part.as<TextPart>()->text);
    write_part_fields(part);
    w_.end_object();
  }

  bool keeps_fields(const ContentPart& part) const {
    return (part.cache && (same_dialect_ || traits_.cache_markers)) ||
           (same_dialect_ && !part.extensions.empty());
  }

  void write_part_fields(const ContentPart& part) {
    if (part.cache && traits_.cache_markers) {
      w_.key("cache_control");
      w_.begin_object();
      w_.member("type", "ephemeral");
      w_.member_if("ttl", part.cache->ttl);
      w_.end_object();
    } else if (part.cache && same_dialect_) {
      w_.key("prompt_cache_breakpoint");
      w_.begin_object();
      w_.member("mode", "explicit");
      w_.member_if("ttl", part.cache->ttl);
      w_.end_object();
    }
    if (same_dialect_) w_.extensions(part.extensions);
  }

  /// What a part carried beside its content and cannot keep here.
  void lose_part_fields(const Message& message, std::size_t index) {
    const ContentPart& part = message.content[index];
    const std::string path = path_of(message, index);
    if (part.cache && !same_dialect_ && !traits_.cache_markers) {
      lose(path + "/cache_control",
           "OpenAI caches by itself and takes no cache markers");
    }
    if (const auto* text = part.as<TextPart>();
        text != nullptr && !text->citations.empty()) {
      lose(path + "/citations", "OpenAI Chat has no citations in requests");
    }
    if (const auto* document = part.as<DocumentPart>();
        document != nullptr && !document->context.empty()) {
      lose(path + "/context", "OpenAI Chat has no document context");
    }
    if (!same_dialect_) {
      lose_extensions(part.extensions, path, "OpenAI Chat", losses_);
    }
  }

  Result<void> write_user(const Message& message) {
    std::vector<const ContentPart*> rest;
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const ContentPart& part = message.content[i];
      if (part.as<ToolResultPart>() != nullptr) {
        LLMPROXY_TRY(write_tool_result(message, i));
      } else {
        rest.push_back(&part);
      }
    }
    // Tool messages directly follow their call; images they brought and the
    // rest of the turn come behind all of them.
    if (rest.empty()) return {};
    write_moved_images();
    return write_user_parts(message, rest);
  }

  Result<void> write_user_parts(const Message& message,
                                const std::vector<const ContentPart*>& parts) {
    bool only_text = true;
    for (const ContentPart* part : parts) {
      only_text = only_text && part->as<TextPart>() != nullptr;
      lose_part_fields(message,
                       static_cast<std::size_t>(part - message.content.data()));
    }
    open_message(message, "user");
    if (only_text && parts.size() == 1) {
      write_text_content(parts);
    } else {
      w_.key("content");
      w_.begin_array();
      for (const ContentPart* part : parts) {
        LLMPROXY_TRY(write_user_part(
            *part, path_of(message, static_cast<std::size_t>(
                                        part - message.content.data()))));
      }
      w_.end_array();
    }
    close_message(message);
    return {};
  }

  Result<void> write_user_part(const ContentPart& part,
                               const std::string& path) {
    if (part.as<TextPart>()) {
      write_text_part(part);
    } else if (const auto* image = part.as<ImagePart>()) {
      return write_image(*image, part, path);
    } else if (const auto* audio = part.as<AudioPart>()) {
      w_.begin_object();
      w_.member("type", "input_audio");
      w_.key("input_audio");
      w_.begin_object();
      w_.member("data", audio->source.data);
      w_.member("format", audio->format);
      w_.end_object();
      write_part_fields(part);
      w_.end_object();
    } else if (const auto* document = part.as<DocumentPart>()) {
      return write_document(*document, part, path);
    } else {
      lose(path, "OpenAI Chat user messages have no such part");
    }
    return {};
  }

  Result<void> write_image(const ImagePart& image, const ContentPart& part,
                           const std::string& path) {
    if (image.source.kind == MediaKind::file_id) {
      return unsupported(
          "an image given by a file id of another provider cannot be sent on; "
          "send its bytes or a URL",
          path);
    }
    w_.begin_object();
    w_.member("type", "image_url");
    w_.key("image_url");
    w_.begin_object();
    w_.member("url", data_url(image.source));
    w_.member_if("detail", image.detail);
    w_.end_object();
    write_part_fields(part);
    w_.end_object();
    return {};
  }

  Result<void> write_document(const DocumentPart& document,
                              const ContentPart& part,
                              const std::string& path) {
    const MediaSource& source = document.source;
    if (source.kind == MediaKind::text && !same_dialect_) {
      // Plain text needs no file: the model reads it in place.
      w_.begin_object();
      w_.member("type", "text");
      w_.member("text",
                document.title.empty()
                    ? source.data
                    : fmt::format("{}\n\n{}", document.title, source.data));
      w_.end_object();
      lose(path, "the text document became a text part",
           LossKind::approximated);
      return {};
    }
    if (source.kind == MediaKind::url) {
      return unsupported(
          "OpenAI Chat takes documents as bytes, not by URL; send base64 data",
          path);
    }
    if (source.kind == MediaKind::file_id && !same_dialect_) {
      return unsupported(
          "a document given by a file id of another provider cannot be sent "
          "on; send its bytes",
          path);
    }
    w_.begin_object();
    w_.member("type", "file");
    w_.key("file");
    w_.begin_object();
    if (source.kind == MediaKind::file_id) {
      w_.member("file_id", source.data);
    } else {
      w_.member("filename",
                document.title.empty() ? "document.pdf" : document.title);
      w_.member("file_data", data_url(source));
    }
    w_.end_object();
    write_part_fields(part);
    w_.end_object();
    return {};
  }

  Result<void> write_tool_result(const Message& message, std::size_t index) {
    const ContentPart& part = message.content[index];
    const auto& result = *part.as<ToolResultPart>();
    const std::string path = path_of(message, index);
    const bool media_inside = traits_.tool_result_images;
    std::string text;
    bool has_media = false;
    std::size_t child_index = 0;
    for (const ContentPart& child : result.content) {
      const std::string child_path =
          json::pointer(path + "/content", child_index++);
      std::string piece;
      if (const auto* child_text = child.as<TextPart>()) {
        piece = child_text->text;
      } else if (child.as<ImagePart>() || child.as<DocumentPart>()) {
        has_media = true;
        if (media_inside) continue;
        moved_.push_back({&child, child_path});
        piece = fmt::format("[{} {} attached in the next user message]",
                            child.as<ImagePart>() ? "image" : "document",
                            moved_.size());
        lose(child_path,
             "OpenAI Chat takes text only in tool results; the part moved to "
             "a user message behind them",
             LossKind::approximated);
      } else {
        lose(child_path, "OpenAI Chat tool results take text only");
        continue;
      }
      if (!text.empty() && !piece.empty()) text += '\n';
      text += piece;
    }
    if (result.is_error) text = marked_as_error(std::move(text));
    if (part.cache && !same_dialect_ && !traits_.cache_markers) {
      lose(path + "/cache_control",
           "OpenAI caches by itself and takes no cache markers");
    }
    if (!same_dialect_) {
      lose_extensions(part.extensions, path, "OpenAI Chat", losses_);
    }
    w_.begin_object();
    w_.member("role", "tool");
    w_.member("tool_call_id", result.call_id);
    w_.key("content");
    if (media_inside && has_media) {
      w_.begin_array();
      for (const ContentPart& child : result.content) {
        LLMPROXY_TRY(write_user_part(child, path));
      }
      w_.end_array();
    } else {
      w_.string(text);
    }
    if (same_dialect_) w_.extensions(message.extensions);
    w_.end_object();
    return {};
  }

  /// There is no error flag here; the model is told in words, once.
  static std::string marked_as_error(std::string text) {
    std::string head = text.substr(0, 5);
    std::transform(head.begin(), head.end(), head.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return head == "error" ? text : "Error: " + text;
  }

  /// Images and documents of tool results, behind the tool messages.
  void write_moved_images() {
    if (moved_.empty()) return;
    w_.begin_object();
    w_.member("role", "user");
    w_.key("content");
    w_.begin_array();
    for (const auto& [part, path] : moved_) {
      if (auto written = write_user_part(*part, path); !written) {
        lose(path, written.error().message);
      }
    }
    w_.end_array();
    w_.end_object();
    moved_.clear();
  }

  void write_assistant(const Message& message) {
    std::vector<const ContentPart*> texts;
    std::vector<const ContentPart*> calls;
    std::string reasoning;
    std::string refusal;
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const ContentPart& part = message.content[i];
      const std::string path = path_of(message, i);
      if (const auto* text = part.as<TextPart>()) {
        lose_part_fields(message, i);
        if (!text->text.empty()) texts.push_back(&part);
      } else if (part.as<ToolCallPart>()) {
        lose_part_fields(message, i);
        calls.push_back(&part);
      } else if (const auto* thinking = part.as<ThinkingPart>()) {
        keep_reasoning(*thinking, path, reasoning);
      } else if (const auto* refused = part.as<RefusalPart>()) {
        refusal += refused->text;
      } else if (const auto* opaque = part.as<OpaquePart>()) {
        lose(path, fmt::format("OpenAI Chat has no {} parts", opaque->type));
      } else {
        lose(path, "OpenAI Chat assistant messages take text only");
      }
    }
    if (texts.empty() && calls.empty() && refusal.empty()) {
      if (!same_dialect_) return;
    }
    open_message(message, "assistant");
    if (texts.empty()) {
      w_.key("content");
      if (calls.empty() && refusal.empty()) {
        w_.string("");
      } else {
        w_.null();
      }
    } else {
      write_text_content(texts);
    }
    w_.member_if("reasoning_content", reasoning);
    w_.member_if("refusal", refusal);
    write_calls(calls);
    close_message(message);
  }

  void keep_reasoning(const ThinkingPart& thinking, const std::string& path,
                      std::string& reasoning) {
    if (same_dialect_ || traits_.reasoning_content) {
      reasoning += thinking.text;
      if (thinking.signature.empty() && thinking.redacted_data.empty()) return;
      lose(path, "the signature of the thinking has no field in OpenAI Chat");
      return;
    }
    lose(path, "OpenAI Chat has no field for earlier thinking");
  }

  void write_calls(const std::vector<const ContentPart*>& calls) {
    if (calls.empty()) return;
    if (request_.legacy_functions && calls.size() == 1) {
      const auto& call = *calls[0]->as<ToolCallPart>();
      w_.key("function_call");
      w_.begin_object();
      w_.member("name", call.name);
      w_.member("arguments", call.arguments);
      w_.end_object();
      return;
    }
    w_.key("tool_calls");
    w_.begin_array();
    for (const ContentPart* part : calls) {
      const auto& call = *part->as<ToolCallPart>();
      w_.begin_object();
      w_.member("id", call.id);
      w_.member("type", call.custom ? "custom" : "function");
      w_.key(call.custom ? "custom" : "function");
      w_.begin_object();
      w_.member("name", call.name);
      // A call without arguments must say {}: an empty text is no JSON.
      if (call.custom) {
        w_.member("input", call.arguments);
      } else {
        w_.member("arguments", call.arguments.empty() && !same_dialect_
                                   ? "{}"
                                   : std::string_view(call.arguments));
      }
      w_.end_object();
      if (same_dialect_) w_.extensions(part->extensions);
      w_.end_object();
    }
    w_.end_array();
  }

  void write_limits() {
    if (!request_.max_output_tokens) return;
    w_.member(
        traits_.max_completion_tokens ? "max_completion_tokens" : "max_tokens",
        *request_.max_output_tokens);
  }

  Result<void> write_sampling() {
    ChatRequest sampling;  // only its scalars are written
    sampling.temperature = request_.temperature;
    sampling.top_p = request_.top_p;
    sampling.frequency_penalty = request_.frequency_penalty;
    sampling.presence_penalty = request_.presence_penalty;
    sampling.seed = request_.seed;
    if (!traits_.sampling) {
      lose_sampling("temperature", sampling.temperature);
      lose_sampling("top_p", sampling.top_p);
    }
    json::write_fields<ChatRequest>(kScalars, w_, sampling);
    if (request_.top_k) lose("/top_k", "OpenAI Chat has no top_k");
    return {};
  }

  void lose_sampling(std::string_view name, std::optional<double>& value) {
    if (!value) return;
    value.reset();
    lose("/" + std::string(name), "this model does not take it");
  }

  void write_stop() {
    const auto& all = request_.stop_sequences;
    if (all.empty()) return;
    const std::size_t count =
        same_dialect_ ? all.size() : std::min(all.size(), kMaxStopSequences);
    if (count < all.size()) {
      lose("/stop_sequences",
           fmt::format("OpenAI takes {} stop sequences; the first {} are used",
                       kMaxStopSequences, kMaxStopSequences),
           LossKind::approximated);
    }
    w_.key("stop");
    w_.begin_array();
    for (std::size_t i = 0; i < count; ++i) w_.string(all[i]);
    w_.end_array();
  }

  Result<void> write_tools() {
    std::vector<const ToolDefinition*> kept;
    for (std::size_t i = 0; i < request_.tools.size(); ++i) {
      const ToolDefinition& tool = request_.tools[i];
      const std::string path = json::pointer("/tools", i);
      if (tool.kind == ToolKind::hosted && !same_dialect_) {
        if (!options_.drop_hosted_tools) {
          return unsupported(
              fmt::format("the tool {} runs at its own provider and is not "
                          "available on this one",
                          tool.hosted_type),
              path + "/type");
        }
        lose(path, fmt::format("the hosted tool {} is not available on this "
                               "provider",
                               tool.hosted_type));
        continue;
      }
      kept.push_back(&tool);
      lose_tool_fields(tool, path);
    }
    const bool web_search = write_web_search(kept);
    if (kept.empty()) return forced_choice_of_nothing(web_search);
    w_.key(request_.legacy_functions ? "functions" : "tools");
    w_.begin_array();
    for (const ToolDefinition* tool : kept) write_tool(*tool);
    w_.end_array();
    write_tool_choice();
    if (request_.parallel_tool_calls && !request_.legacy_functions) {
      w_.member("parallel_tool_calls", *request_.parallel_tool_calls);
    }
    return {};
  }

  void lose_tool_fields(const ToolDefinition& tool, const std::string& path) {
    if (same_dialect_) return;
    if (tool.cache) {
      lose(path + "/cache_control",
           "OpenAI caches by itself and takes no cache markers");
    }
    lose_extensions(tool.extensions, path, "OpenAI Chat", losses_);
  }

  /// Takes this dialect's own web search out of the tools again.
  bool write_web_search(std::vector<const ToolDefinition*>& tools) {
    const auto search = std::find_if(
        tools.begin(), tools.end(), [](const ToolDefinition* tool) {
          return tool->hosted_type == "web_search_options";
        });
    if (search == tools.end()) return false;
    w_.member("web_search_options", (*search)->schema);
    tools.erase(search);
    return true;
  }

  /// tool_choice without tools is a 400; a forced one cannot be kept.
  Result<void> forced_choice_of_nothing(bool web_search) {
    if (!request_.tool_choice || request_.tools.empty() || web_search) {
      return {};
    }
    if (request_.tool_choice->mode == ToolChoiceMode::named) {
      return unsupported("the tool that must be called is not available",
                         "/tool_choice");
    }
    return {};
  }

  void write_tool(const ToolDefinition& tool) {
    if (tool.kind == ToolKind::hosted) {
      w_.raw(tool.schema.text);
      return;
    }
    if (!request_.legacy_functions) {
      w_.begin_object();
      const std::string_view type =
          tool.kind == ToolKind::custom ? "custom" : "function";
      w_.member("type", type);
      w_.key(type);
    }
    w_.begin_object();
    w_.member("name", tool.name);
    w_.member_if("description", tool.description);
    if (tool.kind == ToolKind::custom) {
      if (!tool.schema.empty()) w_.member("format", tool.schema);
    } else if (!tool.schema.empty()) {
      w_.member("parameters", tool.schema);
    }
    w_.member("strict", tool.strict);
    if (same_dialect_) w_.extensions(tool.extensions);
    w_.end_object();
    if (!request_.legacy_functions) w_.end_object();
  }

  void write_tool_choice() {
    if (!request_.tool_choice) return;
    const ToolChoice& choice = *request_.tool_choice;
    w_.key(request_.legacy_functions ? "function_call" : "tool_choice");
    if (!choice.allowed.empty()) {
      w_.begin_object();
      w_.member("type", "allowed_tools");
      w_.key("allowed_tools");
      w_.begin_object();
      w_.member("mode", to_wire(kToolChoices, choice.mode));
      w_.key("tools");
      w_.begin_array();
      for (const std::string& name : choice.allowed) write_named(name);
      w_.end_array();
      w_.end_object();
      w_.end_object();
    } else if (choice.mode != ToolChoiceMode::named) {
      w_.string(to_wire(kToolChoices, choice.mode));
    } else if (request_.legacy_functions) {
      w_.begin_object();
      w_.member("name", choice.name);
      w_.end_object();
    } else {
      write_named(choice.name);
    }
  }

  void write_named(std::string_view name) {
    const auto tool =
        std::find_if(request_.tools.begin(), request_.tools.end(),
                     [&](const ToolDefinition& t) { return t.name == name; });
    const bool custom =
        tool != request_.tools.end() && tool->kind == ToolKind::custom;
    const std::string_view type = custom ? "custom" : "function";
    w_.begin_object();
    w_.member("type", type);
    w_.key(type);
    w_.begin_object();
    w_.member("name", name);
    w_.end_object();
    w_.end_object();
  }

  void write_format() {
    if (!request_.response_format) return;
    const ResponseFormat& format = *request_.response_format;
    w_.key("response_format");
    w_.begin_object();
    w_.member("type", to_wire(kFormats, format.kind));
    if (format.kind == FormatKind::json_schema) {
      w_.key("json_schema");
      w_.begin_object();
      // Required here; other dialects have no name for it.
      w_.member("name", format.name.empty() ? "response" : format.name);
      w_.member_if("description", format.description);
      if (!format.schema.empty()) w_.member("schema", format.schema);
      w_.member("strict", format.strict);
      w_.end_object();
    }
    w_.end_object();
  }

  void write_reasoning() {
    const Reasoning& reasoning = request_.reasoning;
    if (!reasoning.display.empty() && !same_dialect_) {
      lose("/thinking/display", "OpenAI Chat does not show thinking");
    }
    std::optional<Effort> effort = reasoning.effort;
    if (reasoning.mode == ReasoningMode::off && !effort) {
      lose("/thinking",
           "OpenAI Chat cannot switch thinking off; the model decides");
      return;
    }
    if (!effort && reasoning.budget_tokens) {
      effort = effort_of_budget(*reasoning.budget_tokens);
      if (traits_.thinking != ThinkingStyle::none) {
        lose("/thinking/budget_tokens",
             fmt::format("the budget became reasoning_effort {}",
                         to_wire(kEfforts, *effort)),
             LossKind::approximated);
      }
    }
    if (!effort) return;
    if (traits_.thinking == ThinkingStyle::none) {
      lose("/thinking", "this model does not think");
      return;
    }
    w_.member("reasoning_effort", to_wire(kEfforts, *effort));
  }

  /// docs/dialects.md, "Effort and budgets".
  static Effort effort_of_budget(std::int64_t tokens) {
    if (tokens < 4096) return Effort::low;
    if (tokens < 16384) return Effort::medium;
    return Effort::high;
  }

  void write_identity() {
    if (!request_.user_id.empty()) {
      if (request_.user_id.size() > kMaxUserId && !same_dialect_) {
        lose("/metadata/user_id",
             fmt::format("OpenAI takes at most {} characters", kMaxUserId));
      } else {
        w_.member(traits_.max_completion_tokens ? "safety_identifier" : "user",
                  request_.user_id);
      }
    }
    if (request_.service_tier.empty()) return;
    const bool known = std::find(kServiceTiers.begin(), kServiceTiers.end(),
                                 request_.service_tier) != kServiceTiers.end();
    if (known || same_dialect_) {
      w_.member("service_tier", request_.service_tier);
    } else {
      lose("/service_tier", "OpenAI has no such tier");
    }
  }

  void write_stream() {
    if (!request_.stream) return;
    w_.member("stream", true);
    // Asked for even when the client did not: the proxy's own accounting
    // and clients of other dialects need it.
    if (!traits_.stream_usage) return;
    w_.key("stream_options");
    w_.begin_object();
    w_.member("include_usage", true);
    w_.end_object();
  }

  struct Moved {
    const ContentPart* part;
    std::string path;
  };

  const ChatRequest& request_;
  const EncodeOptions& options_;
  const TargetTraits& traits_;
  RequestContext& context_;
  Writer w_;
  Losses& losses_;
  const bool same_dialect_;
  std::vector<Moved> moved_;
};

}  // namespace

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options,
                            RequestContext& context, std::string& out,
                            Losses& losses) {
  return RequestWriter(request, options, context, out, losses).write();
}

}  // namespace llmproxy::openai_chat
