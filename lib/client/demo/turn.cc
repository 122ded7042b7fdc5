// Walking a conversation from its end.
#include "client/demo/turn.h"

#include <map>
#include <variant>

#include "client/demo/words.h"

namespace llmproxy::demo {
namespace {

constexpr std::int64_t kTokensPerMedium = 100;

void append_line(std::string& out, std::string_view text) {
  if (text.empty()) return;
  if (!out.empty()) out += '\n';
  out += text;
}

/// What a part says as text, and the media it holds; one visitor for all who
/// walk parts.
struct Contents {
  std::string text;
  std::size_t images = 0;
  std::size_t documents = 0;
  std::size_t clips = 0;

  void add(const std::vector<ContentPart>& parts) {
    for (const ContentPart& part : parts) std::visit(*this, part.value);
  }
  void operator()(const TextPart& part) { append_line(text, part.text); }
  void operator()(const ImagePart&) { ++images; }
  void operator()(const AudioPart&) { ++clips; }
  void operator()(const ThinkingPart& part) { append_line(text, part.text); }
  void operator()(const RefusalPart& part) { append_line(text, part.text); }
  void operator()(const OpaquePart&) {}
  void operator()(const DocumentPart& part) {
    ++documents;
    if (part.source.kind == MediaKind::text) {
      append_line(text, part.source.data);
    }
  }
  void operator()(const ToolCallPart& part) {
    append_line(text, part.name);
    append_line(text, part.arguments);
  }
  void operator()(const ToolResultPart& part) { add(part.content); }
};

Contents contents_of(const std::vector<ContentPart>& parts) {
  Contents contents;
  contents.add(parts);
  return contents;
}

std::map<std::string, std::string> tool_names(const ChatRequest& request) {
  std::map<std::string, std::string> names;
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.content) {
      const auto* call = part.as<ToolCallPart>();
      if (call != nullptr) names[call->id] = call->name;
    }
  }
  return names;
}

// Index of the first message of the newest turn. A trailing assistant
// message is a prefill: the turn is the one before it.
std::size_t turn_begin(const std::vector<Message>& messages) {
  std::size_t at = messages.size();
  while (at > 0 && messages[at - 1].role == Role::assistant) --at;
  while (at > 0 && messages[at - 1].role != Role::assistant) --at;
  return at;
}

void read_user_message(const Message& message,
                       std::map<std::string, std::string>& names, Turn& turn) {
  std::string text;
  for (const ContentPart& part : message.content) {
    if (const auto* said = part.as<TextPart>()) {
      append_line(text, said->text);
    }
    if (const auto* result = part.as<ToolResultPart>()) {
      turn.tool_answers.push_back({names[result->call_id],
                                   contents_of(result->content).text,
                                   result->is_error});
    }
  }
  if (!text.empty()) turn.text = text;
  const Contents contents = contents_of(message.content);
  turn.images += contents.images;
  turn.documents += contents.documents;
  turn.clips += contents.clips;
}

}  // namespace

Turn newest_turn(const ChatRequest& request) {
  Turn turn;
  auto names = tool_names(request);
  const auto& messages = request.messages;
  for (std::size_t i = turn_begin(messages); i < messages.size(); ++i) {
    if (messages[i].role == Role::user) {
      read_user_message(messages[i], names, turn);
    }
  }
  return turn;
}

std::string all_text(const ChatRequest& request) {
  std::string text;
  for (const Message& message : request.messages) {
    append_line(text, contents_of(message.content).text);
  }
  return text;
}

std::int64_t input_tokens(const ChatRequest& request) {
  std::int64_t tokens = 0;
  for (const Message& message : request.messages) {
    const Contents contents = contents_of(message.content);
    const std::size_t media =
        contents.images + contents.documents + contents.clips;
    tokens += count_words(contents.text) +
              kTokensPerMedium * static_cast<std::int64_t>(media);
  }
  return tokens;
}

}  // namespace llmproxy::demo
