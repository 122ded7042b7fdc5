#include "llmproxy/conversation.h"

#include <utility>

#include "base/text.h"

namespace llmproxy {
namespace {

template <class Byte>
std::string_view as_text(std::span<const Byte> bytes) {
  static_assert(sizeof(Byte) == 1);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

MediaSource base64_of(std::string_view bytes, std::string media_type) {
  return {MediaKind::base64, encode_base64(bytes), std::move(media_type)};
}

}  // namespace

Message to_message(const ChatResponse& answer) {
  return {Role::assistant, answer.content};
}

Message to_message(ChatResponse&& answer) {
  return {Role::assistant, std::move(answer.content)};
}

Message tool_result(const ToolCallPart& call, std::string text, bool is_error) {
  return {Role::user,
          {ToolResultPart{call.id, {TextPart{std::move(text)}}, is_error}}};
}

ImagePart image_from_bytes(std::string_view bytes, std::string media_type) {
  return {base64_of(bytes, std::move(media_type))};
}

ImagePart image_from_bytes(std::span<const std::byte> bytes,
                           std::string media_type) {
  return image_from_bytes(as_text(bytes), std::move(media_type));
}

ImagePart image_from_bytes(std::span<const std::uint8_t> bytes,
                           std::string media_type) {
  return image_from_bytes(as_text(bytes), std::move(media_type));
}

DocumentPart document_from_bytes(std::string_view bytes, std::string media_type,
                                 std::string title) {
  return {base64_of(bytes, std::move(media_type)), std::move(title)};
}

DocumentPart document_from_bytes(std::span<const std::byte> bytes,
                                 std::string media_type, std::string title) {
  return document_from_bytes(as_text(bytes), std::move(media_type),
                             std::move(title));
}

DocumentPart document_from_bytes(std::span<const std::uint8_t> bytes,
                                 std::string media_type, std::string title) {
  return document_from_bytes(as_text(bytes), std::move(media_type),
                             std::move(title));
}

AudioPart audio_from_bytes(std::string_view bytes, std::string format) {
  return {base64_of(bytes, {}), std::move(format)};
}

AudioPart audio_from_bytes(std::span<const std::byte> bytes,
                           std::string format) {
  return audio_from_bytes(as_text(bytes), std::move(format));
}

AudioPart audio_from_bytes(std::span<const std::uint8_t> bytes,
                           std::string format) {
  return audio_from_bytes(as_text(bytes), std::move(format));
}

ImagePart image_from_url(std::string url) {
  return {{MediaKind::url, std::move(url)}};
}

}  // namespace llmproxy
