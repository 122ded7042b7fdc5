// Gemini generateContent: a client's contents to canonical messages.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <span>
#include <utility>
#include <vector>

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

bool is_named(std::string_view name, std::string_view camel) {
  if (name == camel) return true;
  for (const char c : camel) {
    if (lower(c) != c) {
      if (!name.starts_with('_')) return false;
      name.remove_prefix(1);
    }
    if (!name.starts_with(lower(c))) return false;
    name.remove_prefix(1);
  }
  return name.empty();
}

/// camelCase counts more; of duplicates the last.
Value get(const Value& object, std::string_view camel) {
  Value found = object[camel];
  if (!found.absent()) return found;
  for (const Value member : object.children()) {
    if (member.key() != camel && is_named(member.key(), camel)) found = member;
  }
  return found;
}

Value take(ObjectReader& reader, std::string_view camel) {
  for (const Value member : reader.object().children()) {
    if (is_named(member.key(), camel)) reader.take(member.key());
  }
  return get(reader.object(), camel);
}

namespace {

using Parts = std::vector<ContentPart>;
using Part = Result<ContentPart::Value>;

constexpr std::string_view kSignature = "thoughtSignature";
constexpr std::string_view kResponse = "functionResponse";
/// Of a result's media, from the part around it.
constexpr std::string_view kResponseParts = "functionResponse/parts";

/// The part stands at `source`, or is a member of what does.
void set_place(ContentPart& part, SourcePlace source) {
  source.inner = part.source.inner;
  part.source = source;
}

/// Adds what one part holds, which stands at `source`.
Result<void> append(const Value& value, const std::string& path,
                    const SourcePlace& source, Parts& out) {
  LLMPROXY_ASSIGN(TurnPiece piece, read_part(value, path));
  for (ContentPart& part : piece.parts) set_place(part, source);
  std::move(piece.parts.begin(), piece.parts.end(), std::back_inserter(out));
  return {};
}

/// What a part can be, by the member that says so.
class PartReader {
 public:
  static Part read_value(ObjectReader& reader, bool thought) {
    LLMPROXY_ASSIGN(const Value text, reader.optional("text", Type::string));
    if (text.is_string()) return read_text(text.string(), thought);
    for (const MemberRow& row : kMembers) {
      const Value value = take(reader, row.member);
      if (value.is_object()) return row.read(value, reader.path_of(row.member));
    }
    for (const std::string_view type : kOpaque) {
      const Value whole = reader.object();
      if (whole[type]) return opaque_part(kName, type, whole);
    }
    return invalid_request(
        "a part needs one of text, inlineData, fileData, functionCall and "
        "functionResponse",
        reader.path());
  }

  static ContentPart::Value read_text(std::string_view text, bool thought) {
    if (thought) return ThinkingPart{.text = std::string(text)};
    return TextPart{std::string(text), {}};
  }

  static ContentPart::Value read_media(MediaSource source, const Value& data) {
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
    return DocumentPart{
        std::move(source), std::string(get(data, "displayName").string()), {}};
  }

  static Part read_blob(const Value& blob, const std::string& path) {
    MediaSource source = source_of(blob, "data");
    if (source.data.empty() || source.media_type.empty()) {
      return invalid_request("inlineData needs mimeType and data", path);
    }
    return read_media(std::move(source), blob);
  }

  static Part read_file(const Value& file, const std::string& path) {
    MediaSource source = source_of(file, "fileUri");
    if (source.data.empty()) {
      return invalid_request("fileUri is required", path);
    }
    // Uploaded files have URLs too, but only Google can read those.
    constexpr std::string_view kUploads = "generativelanguage.googleapis.com";
    const bool fetchable = is_web_url(source.data) &&
                           source.data.find(kUploads) == std::string::npos;
    source.kind = fetchable ? MediaKind::url : MediaKind::file_id;
    return read_media(std::move(source), file);
  }

  static Part read_tool_call(const Value& value, const std::string& path) {
    LLMPROXY_ASSIGN(const Value args,
                    read_body(value, "functionCall", "args", path));
    ToolCallPart call;
    call.id = value["id"].string();
    call.name = value["name"].string();
    call.arguments = args ? args.raw() : "{}";
    return ContentPart::Value(std::move(call));
  }

  static Part read_tool_result(const Value& value, const std::string& path) {
    LLMPROXY_ASSIGN(const Value response,
                    read_body(value, kResponse, "response", path));
    ToolResultPart result;
    result.call_id = value["id"].string();
    result.is_error = response.size() == 1 && !response["error"].absent();
    result.content.push_back(TextPart{
        response_text(response, result.is_error ? "error" : "output"), {}});
    std::int32_t index = 0;
    LLMPROXY_TRY(
        json::read_each(value["parts"], path + "/parts",
                        [&](Value part, const std::string& place) {
                          const SourcePlace source = {SourcePlace::kUnknown,
                                                      kResponseParts, index++};
                          return append(part, place, source, result.content);
                        }));
    return ContentPart::Value(std::move(result));
  }

  /// The signature or what was sealed into it, as thinking without text.
  static ThinkingPart read_thinking(std::string_view signature) {
    if (auto sealed = unseal(signature)) return *std::move(sealed);
    return {.signature = std::string(signature),
            .issuer = ReasoningIssuer::google};
  }

  /// What of the part's object nobody read; what is false says nothing (proto3
  /// JSON mapping).
  static void keep_rest(const ObjectReader& reader, ContentPart& part) {
    for (const MemberRow& row : kMembers) {
      const Value object = get(reader.object(), row.member);
      for (const Value member : object.children()) {
        const bool titled = part.as<DocumentPart>() != nullptr &&
                            is_named(member.key(), "displayName");
        const bool known = std::any_of(row.known.begin(), row.known.end(),
                                       [&](std::string_view name) {
                                         return is_named(member.key(), name);
                                       });
        if (known || titled || member.raw() == "false") continue;
        part.extensions.push_back(
            {fmt::format("{}/{}", object.key(), member.key()),
             member.raw_json()});
      }
    }
  }

 private:
  static MediaSource source_of(const Value& value, std::string_view data) {
    return {MediaKind::base64, std::string(get(value, data).string()),
            std::string(get(value, "mimeType").string())};
  }

  /// The object in a call or a result, missing where there is none.
  static Result<Value> read_body(const Value& value, std::string_view kind,
                                 std::string_view member,
                                 const std::string& path) {
    if (value["name"].string().empty()) {
      return invalid_request(fmt::format("{} needs a name", kind), path);
    }
    const Value body = value[member];
    if (body.absent()) return Value();
    if (body.is_object()) return body;
    return invalid_request(fmt::format("{}.{} must be an object", kind, member),
                           path);
  }

  /// The one text that says it all, or the object itself.
  static std::string response_text(const Value& response,
                                   std::string_view member) {
    const Value only = response[member];
    if (response.size() != 1 || !only) return std::string(response.raw());
    return std::string(only.is_string() ? only.string() : only.raw());
  }

  struct MemberRow {
    std::string_view member;
    Part (*read)(const Value& value, const std::string& path);
    std::array<std::string_view, 4> known;  ///< members that it reads
  };
  static constexpr MemberRow kMembers[] = {
      {"inlineData", read_blob, {"mimeType", "data"}},
      {"fileData", read_file, {"mimeType", "fileUri"}},
      {"functionCall", read_tool_call, {"id", "name", "args"}},
      {kResponse, read_tool_result, {"id", "name", "response", "parts"}},
  };
  /// Parts of tools that run at Google, and what may come.
  static constexpr std::string_view kOpaque[] = {
      "executableCode",       "codeExecutionResult", "toolCall",
      "toolResponse",         "audioTranscription",  "executable_code",
      "code_execution_result"};
};

/// Texts with nothing else about them, one behind the other.
bool goes_on(const Parts& turn, const ContentPart& part) {
  const auto is_plain = [](const ContentPart& one) {
    const auto* text = one.as<TextPart>();
    return text != nullptr && text->citations.empty() && one.extensions.empty();
  };
  return !turn.empty() && is_plain(turn.back()) && is_plain(part);
}

/// Adds contents to the turns they belong to, and gives ids to calls and
/// results that have none: the n-th result of a name answers its n-th call.
class MessagesReader {
 public:
  explicit MessagesReader(ChatRequest& request) : request_(request) {}

  Result<void> read(const Value& contents) {
    if (contents.is_string()) {
      request_.messages.push_back(user_message(std::string(contents.string())));
      request_.messages.back().source.index = 0;
      return {};
    }
    return read_list(contents, "contents", "/contents",
                     std::bind_front(&MessagesReader::read_message, this));
  }

 private:
  Result<void> read_message(const Value& value, const std::string& path) {
    if (!value.is_object()) {
      return json::not_an_object("a content", value, path);
    }
    ObjectReader reader(value, path);
    Role role = Role::user;
    if (!value["role"].absent()) {
      LLMPROXY_ASSIGN(role, read_role(reader, kRoles, "user or model"));
    }
    const Value parts = reader.take("parts");
    begin_turn(role, reader.rest());
    LLMPROXY_TRY(read_pieces(parts, reader.path_of("parts")));
    ++index_;
    return {};
  }

  Result<void> read_pieces(const Value& parts, const std::string& path) {
    std::int32_t index = parts.is_array() ? 0 : SourceIndex::kNone;
    const auto read = [&](Value part, const std::string& place) {
      return read_piece(part, place, index++);
    };
    if (parts.is_string()) return read(parts, path);
    return read_list(parts, "parts", path, read);
  }

  /// One part, and the step's thinking that was sealed into it.
  Result<void> read_piece(const Value& value, const std::string& path,
                          std::int32_t index) {
    LLMPROXY_ASSIGN(TurnPiece piece, read_part(value, path));
    const SourcePlace source = {index_, "parts", index};
    Message& message = request_.messages.back();
    bool ends_step = !piece.step.empty();
    if (message.role == Role::assistant) {
      place_step(std::move(piece.step), source, step_begin_, message.content);
    }
    for (ContentPart& part : piece.parts) {
      set_place(part, source);
      if (auto* call = part.as<ToolCallPart>()) {
        name_call(*call);
        ends_step = true;
      } else if (auto* result = part.as<ToolResultPart>()) {
        name_result(get(value, kResponse)["name"].string(), *result);
      }
      add(std::move(part), message.content);
    }
    if (ends_step) step_begin_ = message.content.size();
    return {};
  }

  /// Google's own chat helper replays one content per chunk.
  void begin_turn(Role role, Extensions extensions) {
    auto& messages = request_.messages;
    may_go_on_ = role == Role::assistant && extensions.empty() &&
                 !messages.empty() && messages.back().role == role;
    if (may_go_on_) return;
    Message& message = messages.emplace_back();
    message.role = role;
    message.source.index = index_;
    message.extensions = std::move(extensions);
    step_begin_ = 0;
  }

  /// The words of one answer may be cut where its chunks ended.
  void add(ContentPart part, Parts& turn) {
    if (std::exchange(may_go_on_, false) && goes_on(turn, part)) {
      turn.back().as<TextPart>()->text += part.as<TextPart>()->text;
    } else {
      turn.push_back(std::move(part));
    }
  }

  void name_call(ToolCallPart& call) {
    if (call.id.empty()) call.id = fmt::format("call_{}", ++calls_);
    open_[call.name].push_back(call.id);
  }

  void name_result(std::string_view name, ToolResultPart& result) {
    std::deque<std::string>& waiting = open_[std::string(name)];
    if (result.call_id.empty()) {
      result.call_id =
          waiting.empty() ? fmt::format("call_{}", name) : waiting.front();
    }
    std::erase(waiting, result.call_id);
  }

  ChatRequest& request_;
  std::int32_t index_ = 0;
  bool may_go_on_ = false;      // the last message, with the next part
  std::size_t step_begin_ = 0;  // in the last message
  std::size_t calls_ = 0;
  std::map<std::string, std::deque<std::string>> open_;  // name -> ids
};

}  // namespace

Result<void> read_messages(ObjectReader& reader, ChatRequest& request) {
  const Value contents = reader.take("contents");
  if (contents.absent() || (contents.is_array() && contents.size() == 0)) {
    return invalid_request("contents is required", "/contents");
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
    message.content.push_back(TextPart{std::string(value.string()), {}});
  } else if (!value.is_object()) {
    return invalid_request("systemInstruction must be a content", place);
  }
  const Value parts = value["parts"];
  if (parts.is_object() || parts.is_array()) {
    std::int32_t index = parts.is_array() ? 0 : SourceIndex::kNone;
    LLMPROXY_TRY(read_list(
        parts, "parts", place + "/parts",
        [&](Value part, const std::string& path) {
          const SourcePlace source = {SourceIndex::kNone, "parts", index++};
          return append(part, path, source, message.content);
        }));
  }
  if (!message.content.empty()) request.messages.push_back(std::move(message));
  return {};
}

Result<TurnPiece> read_part(const Value& value, const std::string& path) {
  TurnPiece out;
  Parts& parts = out.parts;
  if (value.is_string()) {
    parts.push_back(TextPart{std::string(value.string()), {}});
    return out;
  }
  if (!value.is_object()) {
    return json::not_an_object("a part", value, path);
  }
  ObjectReader reader(value, path);
  const bool thought = reader.take("thought").is_true();
  const std::string_view signature = take(reader, kSignature).string();
  // Some are not the part's own: they stand for a whole step, or for none.
  if (auto step = unseal_step(signature)) {
    out.step = *std::move(step);
  } else if (!signature.empty() && !listed(kNoSignatures, signature)) {
    parts.push_back(PartReader::read_thinking(signature));
    parts.back().source.inner =
        value[kSignature] ? kSignature : "thought_signature";
  }
  // Clients replay the empty text that ends a stream.
  const Value text = value["text"];
  if (text.is_string() && text.string().empty()) return out;
  ContentPart part;
  LLMPROXY_ASSIGN(part.value, PartReader::read_value(reader, thought));
  if (part.as<OpaquePart>() == nullptr) {
    part.extensions = reader.rest();
    PartReader::keep_rest(reader, part);
  }
  auto* thinking = part.as<ThinkingPart>();
  if (thinking == nullptr || parts.empty()) {
    parts.push_back(std::move(part));
  } else {
    parts.front().as<ThinkingPart>()->text = std::move(thinking->text);
    parts.front().extensions = std::move(part.extensions);
    parts.front().source.inner = {};
  }
  return out;
}

}  // namespace llmproxy::gemini
