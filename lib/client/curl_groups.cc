#include "client/curl_groups.h"

#include <algorithm>

namespace llmproxy {

CurlGroup* CurlGroups::with_room() {
  for (const auto& group : groups_) {
    if (group != nullptr && group->has_room()) return group.get();
  }
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) return nullptr;
  auto place = std::find(groups_.begin(), groups_.end(), nullptr);
  if (place == groups_.end()) place = groups_.insert(place, nullptr);
  const auto number = static_cast<std::uint32_t>(place - groups_.begin());
  *place = std::make_unique<CurlGroup>(owner_, number, multi);
  ++count_;
  CurlGroup* group = place->get();
  // Of HTTP/2 too a stream has a connection of its own: where they share one,
  // libcurl 7.88 lets a paused stream hold up all the others.
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, group);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, group);
  return group;
}

CurlGroup* CurlGroups::at(std::uint32_t number) const {
  return number < groups_.size() ? groups_[number].get() : nullptr;
}

void CurlGroups::add(CurlGroup& group, CURL* easy) {
  ++group.transfers;
  limit_connections(group);
  curl_multi_add_handle(group.multi, easy);
}

void CurlGroups::remove(CurlGroup& group, CURL* easy, Time now) {
  curl_multi_remove_handle(group.multi, easy);
  --group.transfers;
  group.last_used = now;
  limit_connections(group);
}

void CurlGroups::free(CurlGroup& group) {
  --count_;
  groups_[group.number].reset();
}

void CurlGroups::limit_connections(const CurlGroup& group) const {
  const std::size_t idle = max_idle_ / count_ + 1;
  curl_multi_setopt(group.multi, CURLMOPT_MAXCONNECTS,
                    static_cast<long>(group.transfers + idle));
}

}  // namespace llmproxy
