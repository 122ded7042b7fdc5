// What the fetcher of images checks. Pure functions: no network, no clock.
#pragma once

#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/image_fetcher.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// "the image cannot be fetched: <why>"
Error image_refused(std::string_view why);

/// Looks at a URL before anything is sent. Errors: as fetch_image.
Result<void> check_image_url(std::string_view url,
                             const ImageFetchRules& rules);

/// Whether `address` (no brackets) may be connected to at `port`.
bool may_reach(const ImageFetchRules& rules, std::string_view address,
               unsigned port);

/// By the first bytes: what a server says of its own files is not enough.
/// Empty = no JPEG, PNG, GIF or WebP.
std::string_view type_of_image(std::string_view bytes);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
