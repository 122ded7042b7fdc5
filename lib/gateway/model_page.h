// One page of an upstream's list of models: how it is asked for, and what it
// says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/provider.h"
#include "llmproxy/result.h"

namespace llmproxy::gateway {

struct ModelPage {
  /// As the upstream wants to be asked for them, in its order.
  std::vector<std::string> names;
  /// Asks for the next page; empty = this was the last.
  std::string next;

  bool operator==(const ModelPage&) const = default;
};

/// Longer names are no names. Bytes.
inline constexpr std::size_t kMaxModelName = 256;

/// Whether `backend` can be asked what it has: it has a list, and a key of ours
/// for it or needs none. Lists of what a client's own key may use are not ours
/// to keep, and its key is for nobody but the backend that it chose.
bool can_list_models(const Backend& backend);

/// Whether its list may have more than one page.
bool has_model_pages(const Backend& backend);

/// The request for a page; `next` is what the one before said, "" = the first.
/// Only where can_list_models().
UpstreamRequest model_page_request(const Backend& backend,
                                   std::string_view next);

/// An upstream's answer of any of the dialects: an array, or an object with
/// one in `data` or `models`. Names that nobody could ask for are left out.
/// Errors: upstream_malformed.
Result<ModelPage> read_model_page(std::string_view body);

}  // namespace llmproxy::gateway
