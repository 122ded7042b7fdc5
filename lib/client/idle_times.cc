#include "client/idle_times.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace llmproxy {
namespace {

using std::chrono::seconds;

/// More origins than this are not remembered: those made from hosts that
/// clients name must not fill the memory.
constexpr std::size_t kMaxOrigins = 4096;

/// The upstream counts from when it sent, we from when we received; and a
/// request is on its way for a while.
constexpr seconds kMargin{1};

constexpr std::string_view kTimeout = "timeout=";

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         same_header_name(text.substr(0, word.size()), word);
}

}  // namespace

// "timeout=5, max=100" [RFC 2068, 19.7.1.1]
std::optional<seconds> announced_idle_time(const Headers& headers) {
  std::string_view rest = find_header(headers, "keep-alive");
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    std::string_view item = rest.substr(0, comma);
    item.remove_prefix(std::min(item.find_first_not_of(" \t"), item.size()));
    if (begins_with(item, kTimeout)) {
      item.remove_prefix(kTimeout.size());
      std::uint32_t count = 0;
      const auto parsed =
          std::from_chars(item.data(), item.data() + item.size(), count);
      if (parsed.ec == std::errc()) return seconds(count);
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

void IdleTimes::note(const std::string& origin, const Headers& headers) {
  const auto announced = announced_idle_time(headers);
  if (!announced) return;
  const Duration usable = std::max(*announced - kMargin, seconds(0));
  const std::lock_guard lock(mutex_);
  if (usable >= limit_) {
    shorter_.erase(origin);
  } else if (shorter_.size() < kMaxOrigins || shorter_.contains(origin)) {
    shorter_[origin] = usable;
  }
}

IdleTimes::Duration IdleTimes::of(const std::string& origin) const {
  const std::lock_guard lock(mutex_);
  const auto found = shorter_.find(origin);
  return found == shorter_.end() ? limit_ : found->second;
}

}  // namespace llmproxy
