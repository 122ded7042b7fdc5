// Fetching an image on behalf of a client, for models that take bytes only.
//
// A URL in a request is chosen by whoever sent it, so the fetch is guarded:
// http and https only; every address is checked after it was resolved and
// before a connection is made, on each redirect too, so that neither a name
// nor an odd spelling of an address leads into the own network; no proxy of
// the environment, no cookies, no credentials; size and time are bounded; the
// bytes themselves must be an image.
//
// Thread-safe; blocks the calling thread.
//
//   auto image = fetch_image("https://example.com/cat.png");
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/chat.h"
#include "llmproxy/export.h"
#include "llmproxy/result.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// What may be fetched, and how long that may take.
struct ImageFetchRules {
  /// False: nothing is fetched, every URL is refused.
  bool enabled = true;
  /// Bytes of the decoded body. The APIs take between 3.75 and 20 MB.
  std::size_t max_bytes = std::size_t{20} << 20;
  /// Everything together, redirects included; of a request that has several,
  /// all of them.
  std::chrono::milliseconds timeout{20'000};
  /// Images by URL that one request may have.
  std::size_t max_count = 100;
  /// Bytes of all images of one request.
  std::size_t max_total_bytes = std::size_t{32} << 20;
  /// Fetches that a Gateway runs at once, for all requests; more wait.
  std::size_t max_concurrent = 32;
  /// More of them are an error.
  int max_redirects = 3;
  /// "address:port" pairs ("10.1.2.3:8080", "[fd00::1]:80") that may be
  /// reached though they are not public.
  std::vector<std::string> allowed = {};
};

/// The image as base64 with its real type (JPEG, PNG, GIF or WebP, told by
/// its first bytes). Errors: invalid_request that says what is wrong with the
/// URL, never what stands behind a forbidden address.
Result<MediaSource> fetch_image(const std::string& url,
                                const ImageFetchRules& rules = {});

/// True for an IP address (no brackets) that anybody on the internet may
/// reach: not loopback, private, link-local, shared, multicast, reserved, nor
/// an IPv6 form of such an IPv4 address.
bool is_public_address(std::string_view address);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
