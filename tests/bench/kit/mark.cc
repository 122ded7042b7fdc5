#include "kit/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace llmproxy::bench {
void append_mark(std::string& out, std::int64_t ns) {
  fmt::format_to(std::back_inserter(out), "t{:018};", ns);
}

void Needle::feed(std::string_view bytes) {
  if (found_) return;
  const std::size_t keep = text_.size() - 1;
  tail_.append(bytes.substr(0, keep));
  found_ = tail_.find(text_) != std::string::npos ||
           bytes.find(text_) != std::string_view::npos;
  if (bytes.size() > keep) tail_ = bytes.substr(bytes.size() - keep);
  if (tail_.size() > keep) tail_.erase(0, tail_.size() - keep);
}

void Base64Field::feed(std::string_view bytes, std::string& out) {
  constexpr std::string_view kBegin = "\"bytes\":\"";
  pending_ += bytes;
  std::size_t read = 0;
  for (;;) {
    const std::size_t begin = pending_.find(kBegin, read);
    if (begin == std::string::npos) {
      // The beginning of the next one may be here in part.
      const std::size_t kept = std::min(pending_.size() - read, kBegin.size());
      read = pending_.size() - kept;
      break;
    }
    const std::size_t end = pending_.find('"', begin + kBegin.size());
    if (end == std::string::npos) {
      read = begin;
      break;
    }
    const std::size_t first = begin + kBegin.size();
    out += decode_base64(std::string_view(pending_).substr(first, end - first))
               .value_or("");
    read = end + 1;
  }
  pending_.erase(0, read);
}

}  // namespace llmproxy::bench
