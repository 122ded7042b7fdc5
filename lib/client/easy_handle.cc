#include "client/easy_handle.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <mutex>
#include <string>
#include <utility>

#include "client/transfer_error.h"
#include "llmproxy/version.h"

namespace llmproxy {
namespace {

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  // Only options this libcurl was built with are set; the call cannot fail.
  curl_easy_setopt(easy, option, value);
}

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// RFC 9110 5.1, 5.5. A line break would end the header and start another,
/// a NUL would cut it off. The message never shows a value: it may be a key.
Result<void> check(const Header& header) {
  if (header.name.empty() ||
      !std::all_of(header.name.begin(), header.name.end(), is_token_char)) {
    return internal_error("a header has a name that HTTP does not allow");
  }
  constexpr std::string_view kForbidden("\r\n\0", 3);
  if (header.value.find_first_of(kForbidden) != std::string::npos) {
    return internal_error(fmt::format(
        "the value of header \"{}\" holds a line break or a NUL", header.name));
  }
  return {};
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
  if (!options.ca_file.empty()) {
    set(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  }
  // The answer of a proxy to CONNECT is not the upstream's head.
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  const std::string agent = options.user_agent.empty()
                                ? "llmproxy/" LLMPROXY_VERSION
                                : options.user_agent;
  set(easy, CURLOPT_USERAGENT, agent.c_str());
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
                              Exchange& exchange) {
  detail_[0] = '\0';
  LLMPROXY_TRY(load_headers(request));
  load_body(request);
  load_url(request.url);
  // Proxies of the environment (https_proxy, no_proxy) are honoured for TLS
  // only: there they carry a tunnel. For plain http they would be handed the
  // key, which goes to the configured host alone.
  set(easy_, CURLOPT_PROXY, exchange.origin().tls ? nullptr : "");
  // libcurl takes 0 for its own default of five minutes.
  const auto connect = request.deadlines.connect.count();
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS,
      connect > 0 ? static_cast<long>(connect) : long{INT_MAX});
  const bool repeatable = request.method == "GET" || request.method == "HEAD";
  exchange.attach(easy_, repeatable ? Exchange::repeatable : Exchange::once);
  return {};
}

void EasyHandle::load_url(const std::string& url) {
  if (url == url_) return;
  // What cannot be taken apart libcurl shall see, and say why.
  const bool parsed =
      curl_url_set(address_, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  set(easy_, CURLOPT_URL, parsed ? nullptr : url.c_str());
  set(easy_, CURLOPT_CURLU, parsed ? address_ : nullptr);
  url_ = url;
}

Result<void> EasyHandle::load_headers(const UpstreamRequest& request) {
  // libcurl would wait for a "100 Continue" before large bodies, and call
  // JSON a form, if these were not switched off.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  if (find_header(request.headers, "content-type").empty()) {
    list = curl_slist_append(list, "Content-Type:");
  }
  headers_ = list;
  for (const Header& header : request.headers) {
    LLMPROXY_TRY(check(header));
    // "name;" is how libcurl spells a header without a value.
    const std::string line = header.value.empty()
                                 ? header.name + ";"
                                 : header.name + ": " + header.value;
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  set(easy_, CURLOPT_HTTPHEADER, headers_);
  return {};
}

void EasyHandle::load_body(const UpstreamRequest& request) {
  set(easy_, CURLOPT_CUSTOMREQUEST, nullptr);
  if (request.method == "GET" && request.body.empty()) {
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

void EasyHandle::unload() {
  set(easy_, CURLOPT_HTTPHEADER, nullptr);
  set(easy_, CURLOPT_POSTFIELDS, nullptr);
  curl_slist_free_all(headers_);
  headers_ = nullptr;
}

}  // namespace llmproxy
