// The images of one request, fetched a few at a time on the calling thread,
// which waits as waiting.h has it: a fiber lets the others run meanwhile.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/internal_api.h"
#include "llmproxy/image_fetcher.h"
#include "llmproxy/transport.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// By URL. After the first failure nothing more is fetched, so that there may
/// be one error and some URLs missing.
using FetchedImages = std::map<std::string, Result<MediaSource>>;

/// Fetches each of `urls`, which differ, `parallel` at once. `rules.timeout`
/// and `rules.max_total_bytes` are for all together. nullopt = `cancelled`
/// said so; it is asked a few times a second.
std::optional<FetchedImages> fetch_images(const std::vector<std::string>& urls,
                                          const ImageFetchRules& rules,
                                          std::size_t parallel,
                                          const Cancelled& cancelled);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
