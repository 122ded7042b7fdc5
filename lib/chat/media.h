// Images and documents: data URLs, MIME types.
#pragma once

#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/chat.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// What an upstream could fetch. Case counts in no scheme.
bool is_web_url(std::string_view url);

/// A `data:` URL becomes base64 or text with its MIME type (lower case,
/// parameters dropped, image/jpg spelled image/jpeg); http(s) stays a URL.
/// Errors: invalid_request at `path`.
Result<MediaSource> media_from_url(std::string_view url, std::string_view path);

/// MIME type after the file name's ending; application/pdf when unknown,
/// which is what clients mean who send bytes without a name.
std::string media_type_of_file(std::string_view name);

/// No document, though some APIs take such files where documents stand.
bool is_sound_or_film(std::string_view media_type);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
