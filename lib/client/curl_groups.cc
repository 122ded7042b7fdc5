#include "client/curl_groups.h"

namespace llmproxy {

CurlGroup* CurlGroups::with_room() {
  std::size_t place = groups_.size();
  for (std::size_t i = groups_.size(); i-- > 0;) {
    if (groups_[i] == nullptr) place = i;
  }
  for (const auto& group : groups_) {
    if (group != nullptr && group->has_room()) return group.get();
  }
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) return nullptr;
  if (place == groups_.size()) groups_.emplace_back();
  groups_[place] = std::make_unique<CurlGroup>(
      owner_, static_cast<std::uint32_t>(place), multi);
  ++count_;
  CurlGroup* group = groups_[place].get();
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
