// What OpenAI's two APIs have alike in their requests, for writing: content and
// tools of Chat Completions and of Responses differ by a nesting or two only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "json/writer.h"
#include "llmproxy/chat.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"

namespace llmproxy::openai_family {

// --- content ----------------------------------------------------------------

/// The member `name`: a URL as it is, bytes as a data: URL, without a copy.
void write_source(std::string_view name, const MediaSource& source,
                  json::Writer& writer);
/// The members `type` and `input_audio`.
void write_audio(const AudioPart& audio, json::Writer& writer);
/// The member `prompt_cache_breakpoint`.
void write_breakpoint(const CacheMarker& marker, json::Writer& writer);

/// Writes a document that needs no file as a text of that type, which the model
/// reads in place: a loss. The members only; false = it needs a file. Error:
/// unsupported for sound and film.
Result<bool> write_as_text(const DocumentPart& document, std::string_view type,
                           const std::string& path, std::string_view target,
                           json::Writer& writer, Losses& losses);
/// What losses call such parts: "images", "tool calls".
std::string kind_of(const ContentPart& part);
/// The same with the place where they cannot stand.
std::string parts_in(const ContentPart& part, std::string_view place);

// --- tools ------------------------------------------------------------------

/// "custom" or "function".
std::string_view type_of(bool custom);
/// The member `input` or `arguments` of a call: nothing must be said as {}, for
/// an empty text is no JSON.
void write_arguments(const ToolCallPart& call, json::Writer& writer);
/// name, description, schema and strict of a JSON schema; `no_schema` stands
/// for none, which is no member where it is empty.
void write_schema(const ResponseFormat& format, std::string_view no_schema,
                  json::Writer& writer);
/// A name is required here; other dialects have none.
std::string_view name_of(const DocumentPart& document);

/// The value of `tool_choice`. `mode`: the word for its mode. `write_named`
/// writes a tool that it names; Chat Completions has the list of those that are
/// allowed in an object of its own (`nested`).
template <class WriteNamed>
void write_tool_choice(const ToolChoice& choice, std::string_view mode,
                       bool nested, json::Writer& w, WriteNamed write_named) {
  if (choice.allowed.empty()) {
    return choice.mode == ToolChoiceMode::named ? write_named(choice.name)
                                                : w.string(mode);
  }
  constexpr std::string_view kType = "allowed_tools";
  w.begin_typed(kType);
  if (nested) w.begin_object(kType);
  w.member("mode", mode);
  w.begin_array("tools");
  for (const std::string& name : choice.allowed) write_named(name);
  w.end_array();
  if (nested) w.end_object();
  w.end_object();
}

/// The tools of a request by their names. Made when it is first asked, for
/// lists of allowed tools, which ask for each. The request must outlive it.
class ToolIndex {
 public:
  explicit ToolIndex(const std::vector<ToolDefinition>& tools)
      : tools_(tools) {}

  /// The first of that name; nullptr = there is none.
  const ToolDefinition* find(std::string_view name);
  /// type_of() the tool of that name.
  std::string_view type(std::string_view name);

 private:
  const std::vector<ToolDefinition>& tools_;
  std::map<std::string_view, const ToolDefinition*> by_name_;
};

}  // namespace llmproxy::openai_family
