#include "dialects/openai_family/body.h"

#include <fmt/format.h>

#include <array>
#include <variant>

#include "base/text.h"
#include "chat/losses.h"
#include "chat/media.h"

namespace llmproxy::openai_family {

void write_source(std::string_view name, const MediaSource& source,
                  json::Writer& w) {
  if (source.kind == MediaKind::url) return w.member(name, source.data);
  const bool is_text = source.kind == MediaKind::text;
  const std::string encoded = is_text ? encode_base64(source.data) : "";
  const std::array<std::string_view, 4> pieces = {
      "data:", source.media_type, ";base64,", is_text ? encoded : source.data};
  w.key(name);
  w.joined(pieces);
}

void write_audio(const AudioPart& audio, json::Writer& w) {
  w.member("type", "input_audio");
  w.begin_object("input_audio");
  w.member("data", audio.source.data);
  w.member("format", audio.format);
  w.end_object();
}

void write_breakpoint(const CacheMarker& marker, json::Writer& w) {
  w.begin_object("prompt_cache_breakpoint");
  w.member("mode", "explicit");
  w.member_if("ttl", marker.ttl);
  w.end_object();
}

Result<bool> write_as_text(const DocumentPart& document, std::string_view type,
                           const std::string& path, std::string_view target,
                           json::Writer& w, Losses& losses) {
  if (document.source.kind == MediaKind::text) {
    lose(losses, path, target, "text documents as files",
         "the document became a text part");
    const std::array<std::string_view, 3> pieces = {
        document.title, document.title.empty() ? "" : "\n\n",
        document.source.data};
    w.member("type", type);
    w.key("text");
    w.joined(pieces);
    return true;
  }
  if (!is_sound_or_film(document.source.media_type)) return false;
  return unsupported(
      fmt::format("unsupported document type {}; OpenAI takes PDF, office "
                  "documents and text",
                  document.source.media_type),
      path);
}

std::string kind_of(const ContentPart& part) {
  // In the order of ContentPart::Value.
  constexpr std::array<std::string_view,
                       std::variant_size_v<ContentPart::Value>>
      kKinds = {"texts",      "images",       "documents", "audio", "thinking",
                "tool calls", "tool results", "refusals",  "parts"};
  const auto* opaque = part.as<OpaquePart>();
  if (opaque != nullptr) return opaque->type + " parts";
  return std::string(kKinds[part.value.index()]);
}

std::string parts_in(const ContentPart& part, std::string_view place) {
  return fmt::format("{} in {}", kind_of(part), place);
}

std::string_view type_of(bool custom) { return custom ? "custom" : "function"; }

void write_arguments(const ToolCallPart& call, json::Writer& w) {
  if (call.custom) return w.member("input", call.arguments);
  w.member("arguments",
           call.arguments.empty() ? std::string_view("{}") : call.arguments);
}

void write_schema(const ResponseFormat& format, std::string_view no_schema,
                  json::Writer& w) {
  const std::string_view schema =
      format.schema.empty() ? no_schema : format.schema.text();
  // Other dialects need no name.
  w.member("name",
           format.name.empty() ? std::string_view("response") : format.name);
  w.member_if("description", format.description);
  if (!schema.empty()) w.member_raw("schema", schema);
  w.member("strict", format.strict);
}

std::string_view name_of(const DocumentPart& document) {
  return document.title.empty() ? std::string_view("document.pdf")
                                : document.title;
}

const ToolDefinition* ToolIndex::find(std::string_view name) {
  if (by_name_.empty()) {
    for (const ToolDefinition& tool : tools_)
      by_name_.emplace(tool.name, &tool);
  }
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::string_view ToolIndex::type(std::string_view name) {
  const ToolDefinition* tool = find(name);
  return type_of(tool != nullptr && tool->kind == ToolKind::custom);
}

}  // namespace llmproxy::openai_family
