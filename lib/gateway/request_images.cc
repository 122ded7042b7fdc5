#include "gateway/request_images.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "client/image_rules.h"
#include "client/transfer_error.h"
#include "gateway/upstream_answer.h"

namespace llmproxy::gateway {
namespace {

/// Fetches of one request at once.
constexpr std::size_t kParallel = 4;

/// Stands for an image until it is there: the first bytes of a PNG.
MediaSource placeholder() {
  return {MediaKind::base64, "iVBORw0KGgo=", "image/png"};
}

Error too_busy() {
  Error error;
  error.kind = ErrorKind::overloaded;
  error.message = "too many images are being fetched; try again";
  error.retry_after = "1";
  return error;
}

/// As many slots as there are now, one at least.
class Slice {
 public:
  Slice(Slots& slots, std::size_t wanted) : slots_(slots) {
    while (taken_ < wanted && slots_.try_take()) ++taken_;
  }
  ~Slice() {
    for (; taken_ > 0; --taken_) slots_.give_back();
  }
  Slice(const Slice&) = delete;
  Slice& operator=(const Slice&) = delete;

  std::size_t count() const { return taken_; }

 private:
  Slots& slots_;
  std::size_t taken_ = 0;
};

}  // namespace

std::function<Result<MediaSource>(const std::string& url)>
RequestImages::source() {
  count_ = 0;
  return [this](const std::string& url) {
    return fetched_ ? give(url) : note(url);
  };
}

Result<MediaSource> RequestImages::note(const std::string& url) {
  if (++count_ > rules_.max_count) {
    return invalid_request(
        fmt::format("more than {} images by URL in one request; send the bytes",
                    rules_.max_count));
  }
  LLMPROXY_TRY(check_image_url(url, rules_));
  if (std::find(urls_.begin(), urls_.end(), url) == urls_.end()) {
    urls_.push_back(url);
  }
  return placeholder();
}

Result<MediaSource> RequestImages::give(const std::string& url) {
  const auto found = images_.find(url);
  // It was not fetched because another one failed, which is yet to come.
  if (found == images_.end()) return placeholder();
  if (!found->second) return found->second.error();
  // One image may be there a hundred times. Base64 has four bytes for three.
  given_ += found->second->data.size();
  if (given_ / 4 * 3 > rules_.max_total_bytes) {
    return image_refused(fmt::format("the images are larger than {} bytes",
                                     rules_.max_total_bytes));
  }
  if (!lease_.grow(found->second->data.size())) return no_room();
  return found->second;
}

Result<void> RequestImages::fetch(Exchange& exchange) {
  ClientAnswer& answer = exchange.answer;
  Slots& slots = exchange.core.image_slots();
  const auto gone = [&answer] { return answer.client_gone(); };
  if (!slots.take(rules_.timeout, gone)) {
    return gone() ? cancelled_error() : too_busy();
  }
  const SlotGuard guard(slots);
  const Slice more(slots, std::min(kParallel, urls_.size()) - 1);
  auto images = fetch_images(urls_, rules_, 1 + more.count(), gone);
  if (!images) return cancelled_error();
  images_ = *std::move(images);
  fetched_ = true;
  return {};
}

}  // namespace llmproxy::gateway
