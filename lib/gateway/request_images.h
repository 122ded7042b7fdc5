// RequestImages: the images of one request that its target cannot fetch by
// itself. A translation asks for them in the middle of its work, where nobody
// may wait; so it is run twice: first it is told of every image that there is
// one, then they are fetched, then it gets them.
//
//   RequestImages images(config.images);
//   options.fetch_image = images.source();
//   translate, with its mistakes found and nothing sent anywhere
//   if (images.wanted()) fetch, and translate again
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/image_batch.h"
#include "gateway/exchange.h"

namespace llmproxy::gateway {

class RequestImages {
 public:
  /// Both are borrowed. What the images add to the request is leased.
  RequestImages(const ImageFetchRules& rules, ByteLease& lease)
      : rules_(rules), lease_(lease) {}
  RequestImages(const RequestImages&) = delete;
  RequestImages& operator=(const RequestImages&) = delete;

  /// For TranslateOptions::fetch_image; as long as this object lives.
  std::function<Result<MediaSource>(const std::string& url)> source();

  /// The translation asked for some, and there are none yet.
  bool wanted() const { return !fetched_ && !urls_.empty(); }
  /// On handle()'s thread, which waits. An error of a single image is told to
  /// the translation that asks for it, which knows where it stands. Errors:
  /// cancelled, when the client left; overloaded.
  Result<void> fetch(Exchange& exchange);

 private:
  Result<MediaSource> note(const std::string& url);
  Result<MediaSource> give(const std::string& url);

  const ImageFetchRules& rules_;
  ByteLease& lease_;
  std::vector<std::string> urls_;  ///< each once
  std::size_t count_ = 0;          ///< with those that are there twice
  bool fetched_ = false;
  FetchedImages images_;
  std::size_t given_ = 0;  ///< bytes, as base64
};

}  // namespace llmproxy::gateway
