#include "client/easy_handle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "client/ca_roots.h"
#include "client/transfer_error.h"
#include "llmproxy/version.h"

namespace llmproxy {
namespace {

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  // Only options this libcurl was built with are set; the call cannot fail.
  curl_easy_setopt(easy, option, value);
}

/// The header's name, as libcurl takes it.
constexpr std::string_view kAgent = "User-Agent: ";

/// A part of a URL as libcurl gives it; empty where it has none.
std::string part_of(CURLU* address, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(address, part, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

}  // namespace

bool init_curl() {
  // Never undone: the host may use libcurl too.
  static std::once_flag once;
  static bool ready = false;
  std::call_once(
      once, [] { ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; });
  return ready;
}

std::unique_ptr<EasyHandle> EasyHandle::create(
    const CurlOptions& options, std::shared_ptr<SharedCache> cache) {
  CURL* easy = curl_easy_init();
  if (easy == nullptr) return nullptr;
  return std::unique_ptr<EasyHandle>(
      new EasyHandle(easy, options, std::move(cache)));
}

EasyHandle::EasyHandle(CURL* easy, const CurlOptions& options,
                       std::shared_ptr<SharedCache> cache)
    : cache_(std::move(cache)), easy_(easy), address_(curl_url()) {
  cache_->attach(easy);
  set(easy, CURLOPT_ERRORBUFFER, detail_.data());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_TCP_NODELAY, 1L);
  // A model may think for minutes; NAT tables and balancers forget silent
  // connections after about five.
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_HTTP_VERSION,
      options.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  const std::string& roots =
      options.ca_file.empty() ? system_ca_file() : options.ca_file;
  if (!roots.empty()) set(easy, CURLOPT_CAINFO, roots.c_str());
  // The answer of a proxy to CONNECT is not the upstream's head.
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  // libcurl writes an agent of its own option twice, a header once.
  agent_ = kAgent;
  agent_ += options.user_agent.empty() ? "llmproxy/" LLMPROXY_VERSION
                                       : options.user_agent;
  // No signals: alarm() belongs to the host. SIGPIPE is dealt with by those
  // who run the handle.
  set(easy, CURLOPT_NOSIGNAL, 1L);
  // Do not wait for a name server when a transfer is cancelled.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
}

EasyHandle::~EasyHandle() {
  curl_easy_cleanup(easy_);
  curl_url_cleanup(address_);
  curl_slist_free_all(headers_);
}

Result<void> EasyHandle::load(const UpstreamRequest& request,
                              CurlTransfer& transfer,
                              std::chrono::milliseconds max_idle) {
  detail_[0] = '\0';
  LLMPROXY_TRY(load_headers(request));
  load_body(request);
  if (request.large_body) load_large_body(*request.large_body, transfer);
  load_url(request.url);
  load_idle_time(max_idle);
  // Whoever has a value here gets compressed answers unpacked; what is asked
  // for stands among the request's own headers.
  set(easy_, CURLOPT_ACCEPT_ENCODING, request.unpack ? "identity" : nullptr);
  load_route(transfer.origin(), request.deadlines);
  transfer.attach(easy_, is_repeatable(request) ? CurlTransfer::repeatable
                                                : CurlTransfer::once);
  return {};
}

void EasyHandle::load_route(const Origin& origin, const Deadlines& deadlines) {
  // Proxies of the environment (https_proxy, no_proxy) are honoured for TLS
  // only: there they carry a tunnel. For plain http they would be handed the
  // key, which goes to the configured host alone.
  set(easy_, CURLOPT_PROXY, origin.tls ? nullptr : "");
  // libcurl takes 0 for its own default of five minutes.
  const auto connect = deadlines.connect.count();
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS,
      connect > 0 ? static_cast<long>(connect) : long{INT_MAX});
}

void EasyHandle::load_connection(const UpstreamRequest& request,
                                 const Origin& origin) {
  detail_[0] = '\0';
  load_url(request.url);
  load_route(origin, request.deadlines);
  set(easy_, CURLOPT_CONNECT_ONLY, 1L);
  set(easy_, CURLOPT_FRESH_CONNECT, 1L);
}

const Http1Target* EasyHandle::target_of(const std::string& url) {
  if (url == url_ && !target_.path.empty()) return &target_;
  if (!parse(url)) return nullptr;
  target_.path = part_of(address_, CURLUPART_PATH, CURLU_URLENCODE);
  const std::string query = part_of(address_, CURLUPART_QUERY, 0);
  if (!query.empty()) target_.path.append("?").append(query);
  target_.host = part_of(address_, CURLUPART_HOST, CURLU_PUNYCODE);
  const std::string port =
      part_of(address_, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  if (!port.empty()) target_.host.append(":").append(port);
  target_.credentials = part_of(address_, CURLUPART_USER, CURLU_URLDECODE);
  const std::string password =
      part_of(address_, CURLUPART_PASSWORD, CURLU_URLDECODE);
  if (!target_.credentials.empty() || !password.empty()) {
    target_.credentials.append(":").append(password);
  }
  return &target_;
}

std::string_view EasyHandle::agent() const {
  return std::string_view(agent_).substr(kAgent.size());
}

bool EasyHandle::parse(const std::string& url) {
  if (url == url_) return true;
  url_.clear();
  target_.path.clear();
  if (curl_url_set(address_, CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return false;
  }
  url_ = url;
  return true;
}

void EasyHandle::load_url(const std::string& url) {
  // What cannot be taken apart libcurl shall see, and say why.
  const bool parsed = parse(url);
  set(easy_, CURLOPT_URL, parsed ? nullptr : url.c_str());
  set(easy_, CURLOPT_CURLU, parsed ? address_ : nullptr);
}

// libcurl counts whole seconds, rounded down, and allows one more.
void EasyHandle::load_idle_time(std::chrono::milliseconds max_idle) {
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(max_idle).count();
  set(easy_, CURLOPT_MAXAGE_CONN,
      static_cast<long>(std::clamp<std::int64_t>(seconds - 1, 0, INT_MAX)));
  set(easy_, CURLOPT_FRESH_CONNECT, seconds > 0 ? 0L : 1L);
  set(easy_, CURLOPT_FORBID_REUSE, seconds > 0 ? 0L : 1L);
}

Result<void> EasyHandle::load_headers(const UpstreamRequest& request) {
  // libcurl would wait for a "100 Continue" before large bodies, and call
  // JSON a form, if these were not switched off.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  if (find_header(request.headers, "content-type").empty()) {
    list = curl_slist_append(list, "Content-Type:");
  }
  if (find_header(request.headers, "user-agent").empty()) {
    list = curl_slist_append(list, agent_.c_str());
  }
  headers_ = list;
  std::string line;
  for (const Header& header : request.headers) {
    LLMPROXY_TRY(check_header(header));
    line = header.name;
    // "name;" is how libcurl spells a header without a value.
    if (header.value.empty()) {
      line += ';';
    } else {
      line.append(": ").append(header.value);
    }
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  set(easy_, CURLOPT_HTTPHEADER, headers_);
  return {};
}

void EasyHandle::load_body(const UpstreamRequest& request) {
  set(easy_, CURLOPT_CUSTOMREQUEST, nullptr);
  if (request.method == "GET" && request.body.empty() && !request.large_body) {
    set(easy_, CURLOPT_HTTPGET, 1L);
    return;
  }
  if (request.method == "HEAD") {
    // Else libcurl would wait for the body whose length is announced.
    set(easy_, CURLOPT_NOBODY, 1L);
    return;
  }
  set(easy_, CURLOPT_POST, 1L);
  // Borrowed; small ones leave with the head, in one packet.
  set(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
      static_cast<curl_off_t>(request.body.size()));
  set(easy_, CURLOPT_POSTFIELDS, request.body.c_str());
  if (request.method != "POST") {
    set(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

void EasyHandle::load_large_body(const LargeBody& body,
                                 CurlTransfer& transfer) {
  large_body_ = &body;
  transfer_ = &transfer;
  read_ = 0;
  set(easy_, CURLOPT_POSTFIELDS, nullptr);
  set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  set(easy_, CURLOPT_READFUNCTION, &EasyHandle::on_read);
  set(easy_, CURLOPT_READDATA, this);
  set(easy_, CURLOPT_SEEKFUNCTION, &EasyHandle::on_seek);
  set(easy_, CURLOPT_SEEKDATA, this);
}

size_t EasyHandle::on_read(char* to, size_t size, size_t count,
                           void* self) noexcept {
  return static_cast<EasyHandle*>(self)->read_large_body(to, size * count);
}

size_t EasyHandle::read_large_body(char* to, size_t size) {
  if (large_body_ == nullptr) return CURL_READFUNC_ABORT;
  if (read_ >= large_body_->size()) return 0;
  const std::uint64_t left = large_body_->size() - read_;
  const std::size_t got = large_body_->read(
      read_, to, static_cast<std::size_t>(std::min<std::uint64_t>(size, left)));
  if (got == 0) {
    transfer_->stop(internal_error("the request's body could not be read"));
    return CURL_READFUNC_ABORT;
  }
  read_ += got;
  transfer_->sent_more();
  return got;
}

// Asked where libcurl begins anew.
int EasyHandle::on_seek(void* self, curl_off_t offset, int origin) noexcept {
  auto& handle = *static_cast<EasyHandle*>(self);
  if (origin != SEEK_SET || offset < 0 || handle.large_body_ == nullptr) {
    return CURL_SEEKFUNC_FAIL;
  }
  handle.read_ = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

void EasyHandle::unload() {
  set(easy_, CURLOPT_HTTPHEADER, nullptr);
  set(easy_, CURLOPT_POSTFIELDS, nullptr);
  large_body_ = nullptr;
  transfer_ = nullptr;
  curl_slist_free_all(headers_);
  headers_ = nullptr;
}

}  // namespace llmproxy
