// Conversations made by hand: an answer as the next message, a tool's result,
// an image from bytes. Pure functions over the values of chat.h.
//
//   request.messages.push_back(to_message(*answer));
//   for (const ToolCallPart& call : answer->tool_calls())
//     request.messages.push_back(tool_result(call, look_up(call.arguments)));
//
//   request.messages.push_back({Role::user,
//                               {TextPart{"What is in this picture?"},
//                                image_from_bytes(bytes, "image/png")}});
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "llmproxy/chat.h"
#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// The answer as a message of the model's: text, thinking with its signatures
/// and calls, in their order. That is what belongs into the history.
/// @{
Message to_message(const ChatResponse& answer);
Message to_message(ChatResponse&& answer);
/// @}

/// What a tool said to `call`, as a message of the user's. `is_error`: the tool
/// failed, and `text` says how. Each call has a result of its own; results that
/// stand one behind the other become one turn where the dialect wants that.
Message tool_result(const ToolCallPart& call, std::string text,
                    bool is_error = false);

/// An image, a document or a clip of sound as base64 of its bytes. The media
/// type is not looked for in them: "image/png", "application/pdf".
/// @{
ImagePart image_from_bytes(std::string_view bytes, std::string media_type);
ImagePart image_from_bytes(std::span<const std::byte> bytes,
                           std::string media_type);
ImagePart image_from_bytes(std::span<const std::uint8_t> bytes,
                           std::string media_type);
DocumentPart document_from_bytes(std::string_view bytes, std::string media_type,
                                 std::string title = {});
DocumentPart document_from_bytes(std::span<const std::byte> bytes,
                                 std::string media_type,
                                 std::string title = {});
DocumentPart document_from_bytes(std::span<const std::uint8_t> bytes,
                                 std::string media_type,
                                 std::string title = {});
AudioPart audio_from_bytes(std::string_view bytes, std::string format);
AudioPart audio_from_bytes(std::span<const std::byte> bytes,
                           std::string format);
AudioPart audio_from_bytes(std::span<const std::uint8_t> bytes,
                           std::string format);
/// @}

/// An image by its http(s) URL. Models that fetch nothing need its bytes: see
/// fetch_image() and TranslateOptions::fetch_image.
ImagePart image_from_url(std::string url);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
