// Gemini generateContent: a client's contents to canonical messages.
#include <fmt/format.h>

#include <deque>
#include <utility>

#include "base/text.h"
#include "chat/media.h"
#include "chat/read_parts.h"
#include "chat/sealed_reasoning.h"
#include "chat/thought_pieces.h"
#include "dialects/gemini/messages.h"

namespace llmproxy::gemini {

using json::ObjectReader;
using json::Type;
using json::Value;

std::string_view snake_of(std::string_view camel) {
  for (const Spelling& row : kSpellings) {
    if (row.camel == camel) return row.snake;
  }
  return camel;
}

Value get(const Value& object, std::string_view camel) {
  const Value value = object[camel];
  return value.absent() ? object[snake_of(camel)] : value;
}

Value take(ObjectReader& reader, std::string_view camel) {
  const Value value = reader.take(camel);
  const std::string_view snake = snake_of(camel);
  if (snake == camel) return value;
  const Value other = reader.take(snake);
  return value.absent() ? other : value;
}

namespace {

using Parts = std::vector<ContentPart>;

/// Adds contents to the turns they belong to, and gives ids to calls and
/// results that have none: the n-th result of a name answers its n-th call.
class MessagesReader {
 public:
  explicit MessagesReader(ChatRequest& request) : request_(request) {}
  Result<void> read(const Value& contents);

 private:
  /// What one part of a content holds.
  struct Piece {
    std::vector<StepThought> step;
    Parts parts;
    SourcePlace source;
  };

  Result<void> read_message(const Value& value, const std::string& path);
  Result<void> read_pieces(const Value& parts, const std::string& path,
                           std::vector<Piece>& pieces);
  Result<void> read_piece(const Value& value, const std::string& path,
                          std::int32_t index, std::vector<Piece>& pieces);
  void name_call(ToolCallPart& call);
  void name_result(std::string_view name, ToolResultPart& result);
  void add(Message message, std::vector<Piece> pieces);
  void add(Piece piece, bool& may_go_on, Message& message);

  ChatRequest& request_;
  std::int32_t index_ = 0;
  std::size_t step_begin_ = 0;  // in the last message
  std::size_t calls_ = 0;
  std::map<std::string, std::deque<std::string>> open_;  // name -> ids
};

Result<ContentPart> read_value(ObjectReader& reader, bool thought);
ContentPart::Value read_text(std::string_view text, bool thought);
Result<ContentPart::Value> read_blob(const Value& blob,
                                     const std::string& path);
Result<ContentPart::Value> read_file(const Value& file,
                                     const std::string& path);
Result<ContentPart::Value> read_tool_call(const Value& value,
                                          const std::string& path);
Result<ContentPart::Value> read_tool_result(const Value& value,
                                            const std::string& path);
ThinkingPart read_thinking(std::string_view signature);

/// Members that say what a part is.
struct MemberRow {
  std::string_view member;
  Result<ContentPart::Value> (*read)(const Value& value,
                                     const std::string& path);
};
constexpr MemberRow kMembers[] = {
    {"inlineData", read_blob},
    {"fileData", read_file},
    {"functionCall", read_tool_call},
    {"functionResponse", read_tool_result},
};

/// Parts of tools that run at Google, and what may come.
constexpr std::string_view kOpaque[] = {
    "executableCode",       "codeExecutionResult", "toolCall",
    "toolResponse",         "audioTranscription",  "executable_code",
    "code_execution_result"};

ContentPart text_part(std::string text) {
  ContentPart part;
  part.value = TextPart{std::move(text), {}};
  return part;
}

}  // namespace

Result<void> read_messages(ObjectReader& reader, ChatRequest& request) {
  const Value contents = reader.take("contents");
  if (contents.absent() || (contents.is_array() && contents.size() == 0)) {
    return invalid_request("contents is required", "/contents");
  }
  if (contents.is_number() || contents.type() == Type::boolean) {
    return invalid_request(fmt::format("contents must be an array, not {}",
                                       to_string(contents.type())),
                           "/contents");
  }
  LLMPROXY_TRY(MessagesReader(request).read(contents));
  for (Message& message : request.messages) {
    join_thought_pieces(message.content);
  }
  return {};
}

Result<void> read_system(ObjectReader& reader, ChatRequest& request) {
  const Value value = take(reader, "systemInstruction");
  if (value.absent()) return {};
  // As the client spells it: either way is taken.
  const std::string place = json::pointer("", value.key());
  Message message;
  message.role = Role::system;
  if (value.is_string()) {
    message.content.push_back(text_part(std::string(value.string())));
  } else if (!value.is_object()) {
    return invalid_request("systemInstruction must be a content", place);
  }
  const Value parts = value["parts"];
  const std::string path = place + "/parts";
  const auto add = [&](Value part, const std::string& where) -> Result<void> {
    LLMPROXY_ASSIGN(Parts read, read_part(part, where));
    for (ContentPart& one : read) message.content.push_back(std::move(one));
    return {};
  };
  if (parts.is_object()) LLMPROXY_TRY(add(parts, path));
  if (parts.is_array()) LLMPROXY_TRY(json::read_each(parts, path, add));
  if (!message.content.empty()) request.messages.push_back(std::move(message));
  return {};
}

namespace {

Result<void> MessagesReader::read(const Value& contents) {
  if (contents.is_object()) return read_message(contents, "/contents");
  if (contents.is_string()) {
    request_.messages.push_back(user_message(std::string(contents.string())));
    request_.messages.back().source.index = 0;
    return {};
  }
  return json::read_each(
      contents, "/contents",
      [&](Value content, const std::string& path) -> Result<void> {
        LLMPROXY_TRY(read_message(content, path));
        ++index_;
        return {};
      });
}

Result<void> MessagesReader::read_message(const Value& value,
                                          const std::string& path) {
  if (!value.is_object()) {
    return json::not_an_object("a content", value, path);
  }
  ObjectReader reader(value, path);
  LLMPROXY_ASSIGN(const std::string word, reader.optional_string("role"));
  const auto role = word.empty() ? Role::user : from_wire(kRoles, word);
  if (!role) {
    return invalid_request(
        fmt::format("unknown role '{}'; expected user or model", word),
        reader.path_of("role"));
  }
  const Value parts = reader.take("parts");
  Message message;
  message.role = *role;
  message.source.index = index_;
  std::vector<Piece> pieces;
  LLMPROXY_TRY(read_pieces(parts, reader.path_of("parts"), pieces));
  message.extensions = reader.rest();
  add(std::move(message), std::move(pieces));
  return {};
}

Result<void> MessagesReader::read_pieces(const Value& parts,
                                         const std::string& path,
                                         std::vector<Piece>& pieces) {
  if (parts.is_object() || parts.is_string()) {
    return read_piece(parts, path, SourceIndex::kNone, pieces);
  }
  if (!parts.absent() && !parts.is_array()) {
    return invalid_request(
        fmt::format("parts must be an array, not {}", to_string(parts.type())),
        path);
  }
  std::int32_t index = 0;
  return json::read_each(parts, path,
                         [&](Value part, const std::string& place) {
                           return read_piece(part, place, index++, pieces);
                         });
}

Result<void> MessagesReader::read_piece(const Value& value,
                                        const std::string& path,
                                        std::int32_t index,
                                        std::vector<Piece>& pieces) {
  LLMPROXY_ASSIGN(Parts parts, read_part(value, path));
  const SourcePlace source = {index_, "parts", index};
  for (ContentPart& part : parts) {
    part.source = source;
    if (auto* call = part.as<ToolCallPart>()) name_call(*call);
    if (auto* result = part.as<ToolResultPart>()) {
      name_result(get(value, "functionResponse")["name"].string(), *result);
    }
  }
  pieces.push_back({read_step(value), std::move(parts), source});
  return {};
}

void MessagesReader::name_call(ToolCallPart& call) {
  if (call.id.empty()) call.id = fmt::format("call_{}", ++calls_);
  open_[call.name].push_back(call.id);
}

void MessagesReader::name_result(std::string_view name,
                                 ToolResultPart& result) {
  std::deque<std::string>& waiting = open_[std::string(name)];
  if (result.call_id.empty() && !waiting.empty()) {
    result.call_id = waiting.front();
  }
  if (result.call_id.empty()) result.call_id = fmt::format("call_{}", name);
  std::erase(waiting, result.call_id);
}

/// Texts with nothing else about them, one behind the other.
bool goes_on(const Parts& turn, const ContentPart& part) {
  const auto is_plain = [](const ContentPart& one) {
    const auto* text = one.as<TextPart>();
    return text != nullptr && text->citations.empty() && one.extensions.empty();
  };
  return !turn.empty() && is_plain(turn.back()) && is_plain(part);
}

/// Google's own chat helper replays one content per chunk.
void MessagesReader::add(Message message, std::vector<Piece> pieces) {
  auto& messages = request_.messages;
  const bool joins =
      !messages.empty() && messages.back().role == message.role &&
      message.role == Role::assistant && message.extensions.empty();
  if (!joins) {
    messages.push_back(std::move(message));
    step_begin_ = 0;
  }
  bool may_go_on = joins;
  for (Piece& piece : pieces) {
    add(std::move(piece), may_go_on, messages.back());
  }
}

void MessagesReader::add(Piece piece, bool& may_go_on, Message& message) {
  Parts& turn = message.content;
  bool ends_step = !piece.step.empty();
  if (message.role == Role::assistant) {
    place_step(std::move(piece.step), piece.source, step_begin_, turn);
  }
  for (ContentPart& part : piece.parts) {
    // The words of one answer, cut where its chunks ended.
    if (may_go_on && goes_on(turn, part)) {
      turn.back().as<TextPart>()->text += part.as<TextPart>()->text;
    } else {
      ends_step = ends_step || part.as<ToolCallPart>() != nullptr;
      turn.push_back(std::move(part));
    }
    may_go_on = false;
  }
  if (ends_step) step_begin_ = turn.size();
}

/// Not a part's own: it stands for a whole step, or for none.
bool signs_nothing_here(std::string_view signature) {
  return is_step_seal(signature) || listed(kNoSignatures, signature);
}

}  // namespace

Result<Parts> read_part(const Value& value, const std::string& path) {
  Parts out;
  if (value.is_string()) {
    out.push_back(text_part(std::string(value.string())));
    return out;
  }
  if (!value.is_object()) {
    return json::not_an_object("a part", value, path);
  }
  ObjectReader reader(value, path);
  const bool thought = reader.take("thought").is_true();
  std::string_view signature = take(reader, "thoughtSignature").string();
  if (signs_nothing_here(signature)) signature = {};
  // Clients replay the empty text that ends a stream.
  const Value text = value["text"];
  const bool empty = text.is_string() && text.string().empty();
  if (!empty || !signature.empty()) {
    ContentPart part;
    if (!empty) {
      LLMPROXY_ASSIGN(part, read_value(reader, thought));
    }
    auto* thinking = part.as<ThinkingPart>();
    if (!signature.empty()) {
      ThinkingPart sign = read_thinking(signature);
      if (thinking != nullptr) sign.text = thinking->text;
      ContentPart carrier;
      carrier.value = std::move(sign);
      if (thinking != nullptr) carrier.extensions = part.extensions;
      out.push_back(std::move(carrier));
      if (thinking != nullptr) return out;
    }
    if (!empty) out.push_back(std::move(part));
  }
  return out;
}

namespace {

/// What a part holds but for its signature.
Result<ContentPart> read_value(ObjectReader& reader, bool thought) {
  ContentPart out;
  LLMPROXY_ASSIGN(const Value text, reader.optional("text", Type::string));
  if (text.is_string()) {
    out.value = read_text(text.string(), thought);
    out.extensions = reader.rest();
    return out;
  }
  for (const MemberRow& row : kMembers) {
    const Value value = take(reader, row.member);
    if (!value.is_object()) continue;
    LLMPROXY_ASSIGN(out.value, row.read(value, reader.path_of(row.member)));
    out.extensions = reader.rest();
    return out;
  }
  for (const std::string_view type : kOpaque) {
    if (!reader.object()[type]) continue;
    out.value = opaque_part(kName, type, reader.object());
    return out;
  }
  return invalid_request(
      "a part needs one of text, inlineData, fileData, functionCall and "
      "functionResponse",
      reader.path());
}

ContentPart::Value read_text(std::string_view text, bool thought) {
  if (thought) return ThinkingPart{.text = std::string(text)};
  return TextPart{std::string(text), {}};
}

ContentPart::Value read_media(MediaSource source, std::string_view name) {
  if (source.media_type.starts_with("image/")) {
    return ImagePart{std::move(source), {}};
  }
  constexpr std::string_view kAudio = "audio/";
  if (source.media_type.starts_with(kAudio) &&
      source.kind == MediaKind::base64) {
    std::string format = source.media_type.substr(kAudio.size());
    if (format == "mpeg") format = "mp3";
    return AudioPart{std::move(source), std::move(format)};
  }
  return DocumentPart{std::move(source), std::string(name), {}};
}

Result<ContentPart::Value> read_blob(const Value& blob,
                                     const std::string& path) {
  MediaSource source;
  source.data = blob["data"].string();
  source.media_type = get(blob, "mimeType").string();
  if (source.data.empty() || source.media_type.empty()) {
    return invalid_request("inlineData needs mimeType and data", path);
  }
  return read_media(std::move(source), get(blob, "displayName").string());
}

Result<ContentPart::Value> read_file(const Value& file,
                                     const std::string& path) {
  MediaSource source;
  source.data = get(file, "fileUri").string();
  source.media_type = get(file, "mimeType").string();
  if (source.data.empty()) return invalid_request("fileUri is required", path);
  // Uploaded files have URLs too, but only Google can read those.
  const bool uploaded = source.data.find("generativelanguage.googleapis.com") !=
                            std::string::npos ||
                        !is_web_url(source.data);
  source.kind = uploaded ? MediaKind::file_id : MediaKind::url;
  return read_media(std::move(source), get(file, "displayName").string());
}

Result<ContentPart::Value> read_tool_call(const Value& value,
                                          const std::string& path) {
  ToolCallPart call;
  call.id = value["id"].string();
  call.name = value["name"].string();
  if (call.name.empty()) {
    return invalid_request("functionCall needs a name", path);
  }
  const Value args = value["args"];
  if (!args.absent() && !args.is_object()) {
    return invalid_request("functionCall.args must be an object", path);
  }
  call.arguments = args.is_object() ? std::string(args.raw()) : "{}";
  return ContentPart::Value(std::move(call));
}

/// The one text that says it all, or the object itself.
std::string response_text(const Value& response, std::string_view member) {
  const Value only = response[member];
  if (response.size() == 1 && only.is_string()) {
    return std::string(only.string());
  }
  if (response.size() == 1 && only) return std::string(only.raw());
  return std::string(response.raw());
}

Result<ContentPart::Value> read_tool_result(const Value& value,
                                            const std::string& path) {
  ToolResultPart result;
  result.call_id = value["id"].string();
  const Value response = value["response"];
  if (value["name"].string().empty()) {
    return invalid_request("functionResponse needs a name", path);
  }
  if (!response.absent() && !response.is_object()) {
    return invalid_request("functionResponse.response must be an object", path);
  }
  result.is_error = response.size() == 1 && !response["error"].absent();
  result.content.push_back(
      text_part(response_text(response, result.is_error ? "error" : "output")));
  LLMPROXY_TRY(json::read_each(
      value["parts"], path + "/parts",
      [&](Value part, const std::string& place) -> Result<void> {
        LLMPROXY_ASSIGN(Parts parts, read_part(part, place));
        for (ContentPart& read : parts) {
          read.source.member = "functionResponse";
          result.content.push_back(std::move(read));
        }
        return {};
      }));
  return ContentPart::Value(std::move(result));
}

/// The signature or what was sealed into it, as thinking without text.
ThinkingPart read_thinking(std::string_view signature) {
  if (auto sealed = unseal(signature)) return *std::move(sealed);
  ThinkingPart thinking;
  thinking.signature = signature;
  thinking.issuer = ReasoningIssuer::google;
  return thinking;
}

}  // namespace

std::vector<StepThought> read_step(const Value& part) {
  const std::string_view signature = get(part, "thoughtSignature").string();
  return unseal_step(signature).value_or(std::vector<StepThought>());
}

}  // namespace llmproxy::gemini
