#include "gateway/usage_reader.h"

#include <utility>

namespace llmproxy::gateway {
namespace {

// Answers beyond it (images, files) are not looked at.
constexpr std::size_t kMaxText = std::size_t{8} << 20;

}  // namespace

void UsageReader::begin(const Dialect& dialect, RequestContext context,
                        bool stream) {
  dialect_ = &dialect;
  context_ = std::move(context);
  if (stream) events_.emplace(dialect, dialect, context_);
}

void UsageReader::feed(std::string_view bytes) {
  if (dialect_ == nullptr) return;
  if (events_) {
    if (events_->error() != nullptr) return;
    events_->feed(bytes, text_);
    text_.clear();
  } else if (text_.size() + bytes.size() <= kMaxText) {
    text_ += bytes;
  } else {
    dialect_ = nullptr;
    text_ = {};
  }
}

Usage UsageReader::usage() {
  if (dialect_ == nullptr) return {};
  if (events_) return events_->usage();
  const auto answer = translate_response(*dialect_, *dialect_, text_, context_);
  return answer ? answer->usage : Usage{};
}

}  // namespace llmproxy::gateway
