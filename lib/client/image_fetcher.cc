// fetch_image and fetch_images: one libcurl multi handle a call, driven by
// whatever the calling thread waits with.
#include "llmproxy/image_fetcher.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "client/curl_poll.h"
#include "client/easy_handle.h"
#include "client/image_batch.h"
#include "client/image_rules.h"
#include "client/sigpipe.h"
#include "llmproxy/waiting.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How often it is asked whether anybody still wants the images.
constexpr milliseconds kAskInterval{200};

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  curl_easy_setopt(easy, option, value);
}

/// What the fetches of one batch share.
struct Budget {
  const ImageFetchRules& rules;
  std::size_t bytes = 0;  ///< of all bodies so far
};

/// One URL on its way.
class Fetch {
 public:
  /// Null when libcurl has no memory left.
  static std::unique_ptr<Fetch> start(CURLM* multi, std::string url,
                                      Budget& budget, milliseconds left);
  ~Fetch();
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  CURL* easy() const { return easy_; }
  const std::string& url() const { return url_; }
  /// libcurl is done with it.
  Result<MediaSource> result(CURLcode code) const;

 private:
  Fetch(CURLM* multi, CURL* easy, std::string url, Budget& budget)
      : multi_(multi), easy_(easy), url_(std::move(url)), budget_(budget) {}
  void set_options(milliseconds left);

  // libcurl's callbacks.
  static curl_socket_t open_socket(void* self, curlsocktype purpose,
                                   curl_sockaddr* target);
  static std::size_t take_body(char* bytes, std::size_t size, std::size_t count,
                               void* self);

  CURLM* const multi_;
  CURL* const easy_;
  const std::string url_;
  Budget& budget_;
  std::string body_;
  bool forbidden_ = false;
  bool too_large_ = false;
  bool too_large_together_ = false;
};

std::unique_ptr<Fetch> Fetch::start(CURLM* multi, std::string url,
                                    Budget& budget, milliseconds left) {
  CURL* easy = curl_easy_init();
  if (easy == nullptr) return nullptr;
  std::unique_ptr<Fetch> fetch(new Fetch(multi, easy, std::move(url), budget));
  fetch->set_options(left);
  curl_multi_add_handle(multi, easy);
  return fetch;
}

Fetch::~Fetch() {
  curl_multi_remove_handle(multi_, easy_);
  curl_easy_cleanup(easy_);
}

void Fetch::set_options(milliseconds left) {
  const ImageFetchRules& rules = budget_.rules;
  set(easy_, CURLOPT_URL, url_.c_str());
  set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy_, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(easy_, CURLOPT_FOLLOWLOCATION, 1L);
  set(easy_, CURLOPT_MAXREDIRS, static_cast<long>(rules.max_redirects));
  // 0 would be no limit at all.
  set(easy_, CURLOPT_TIMEOUT_MS,
      static_cast<long>(std::max(left, milliseconds(1)).count()));
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  // Do not wait for a name server when it is given up.
  set(easy_, CURLOPT_QUICK_EXIT, 1L);
  // A proxy would resolve the name itself, behind our back.
  set(easy_, CURLOPT_PROXY, "");
  set(easy_, CURLOPT_OPENSOCKETFUNCTION, &Fetch::open_socket);
  set(easy_, CURLOPT_OPENSOCKETDATA, this);
  set(easy_, CURLOPT_WRITEFUNCTION, &Fetch::take_body);
  set(easy_, CURLOPT_WRITEDATA, this);
  set(easy_, CURLOPT_MAXFILESIZE_LARGE,
      static_cast<curl_off_t>(rules.max_bytes));
}

/// Called by libcurl with the resolved address of every connection, those of
/// redirects included: nothing is connected to that was not looked at.
curl_socket_t Fetch::open_socket(void* self, curlsocktype purpose,
                                 curl_sockaddr* target) {
  auto& fetch = *static_cast<Fetch*>(self);
  std::array<char, INET6_ADDRSTRLEN> text{};
  unsigned port = 0;
  if (target->family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&target->addr);
    inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size());
    port = ntohs(in->sin_port);
  } else if (target->family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&target->addr);
    inet_ntop(AF_INET6, &in->sin6_addr, text.data(), text.size());
    port = ntohs(in->sin6_port);
  }
  if (purpose != CURLSOCKTYPE_IPCXN ||
      !may_reach(fetch.budget_.rules, text.data(), port)) {
    fetch.forbidden_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(target->family, target->socktype | SOCK_CLOEXEC,
                  target->protocol);
}

std::size_t Fetch::take_body(char* bytes, std::size_t size, std::size_t count,
                             void* self) {
  auto& fetch = *static_cast<Fetch*>(self);
  const ImageFetchRules& rules = fetch.budget_.rules;
  const std::size_t length = size * count;
  fetch.too_large_ = fetch.body_.size() + length > rules.max_bytes;
  fetch.too_large_together_ =
      fetch.budget_.bytes + length > rules.max_total_bytes;
  if (fetch.too_large_ || fetch.too_large_together_) return 0;
  fetch.budget_.bytes += length;
  fetch.body_.append(bytes, length);
  return length;
}

Result<MediaSource> Fetch::result(CURLcode code) const {
  const ImageFetchRules& rules = budget_.rules;
  if (forbidden_) return image_refused("its address is not a public one");
  if (too_large_ || code == CURLE_FILESIZE_EXCEEDED) {
    return image_refused(
        fmt::format("it is larger than {} bytes", rules.max_bytes));
  }
  if (too_large_together_) {
    return image_refused(fmt::format("the images are larger than {} bytes",
                                     rules.max_total_bytes));
  }
  if (code != CURLE_OK) return image_refused(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    return image_refused(
        fmt::format("its server answered with status {}", status));
  }
  const std::string_view type = type_of_image(body_);
  if (type.empty())
    return image_refused("it is not a JPEG, PNG, GIF or WebP image");
  return MediaSource{MediaKind::base64, encode_base64(body_),
                     std::string(type)};
}

/// All fetches of a request, and the loop that runs them.
class Batch {
 public:
  Batch(const std::vector<std::string>& urls, const ImageFetchRules& rules)
      : urls_(urls),
        budget_{rules},
        end_(Clock::now() + rules.timeout),
        multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Batch::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Batch::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  }
  ~Batch() {
    running_.clear();  // before the handle they belong to
    curl_multi_cleanup(multi_);
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  std::optional<FetchedImages> run(std::size_t parallel,
                                   const Cancelled& cancelled);

 private:
  static int on_socket(CURL*, curl_socket_t socket, int what, void* self,
                       void*);
  static int on_timer(CURLM*, long delay, void* self);

  bool over() const {
    return failed_ || (running_.empty() && next_ == urls_.size());
  }
  void start_more(std::size_t parallel);
  void turn(Clock::time_point until);
  void collect();
  void note(const std::string& url, Result<MediaSource> image);

  const std::vector<std::string>& urls_;
  Budget budget_;
  const Clock::time_point end_;
  CURLM* const multi_;
  std::size_t next_ = 0;  ///< of urls_, to be started
  std::vector<std::unique_ptr<Fetch>> running_;
  std::vector<pollfd> sockets_;  ///< what libcurl waits for
  std::vector<pollfd> ready_;    ///< the same, while it is told of them
  Clock::time_point curl_due_ = Clock::time_point::max();
  FetchedImages images_;
  bool failed_ = false;
};

int Batch::on_timer(CURLM*, long delay, void* self) {
  static_cast<Batch*>(self)->curl_due_ =
      delay < 0 ? Clock::time_point::max() : Clock::now() + milliseconds(delay);
  return 0;
}

int Batch::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  auto& sockets = static_cast<Batch*>(self)->sockets_;
  std::erase_if(sockets,
                [&](const pollfd& known) { return known.fd == socket; });
  if (what != CURL_POLL_REMOVE) {
    sockets.push_back({socket, poll_events(what), 0});
  }
  return 0;
}

void Batch::note(const std::string& url, Result<MediaSource> image) {
  failed_ = failed_ || !image;
  images_.emplace(url, std::move(image));
}

void Batch::start_more(std::size_t parallel) {
  while (!failed_ && running_.size() < parallel && next_ < urls_.size()) {
    const std::string& url = urls_[next_++];
    if (auto allowed = check_image_url(url, budget_.rules); !allowed) {
      return note(url, std::move(allowed).error());
    }
    const auto left = std::chrono::ceil<milliseconds>(end_ - Clock::now());
    auto fetch = Fetch::start(multi_, url, budget_, left);
    if (fetch == nullptr) return note(url, image_refused("out of memory"));
    running_.push_back(std::move(fetch));
  }
}

void Batch::turn(Clock::time_point until) {
  int running = 0;
  if (curl_due_ > Clock::now()) {
    wait_for(sockets_, std::min(until, curl_due_));
    ready_ = sockets_;  // which libcurl changes while it hears of them
    for (const pollfd& socket : ready_) {
      if (socket.revents == 0) continue;
      curl_multi_socket_action(
          multi_, socket.fd,
          curl_events(static_cast<unsigned short>(socket.revents)), &running);
    }
  }
  if (curl_due_ <= Clock::now()) {
    curl_due_ = Clock::time_point::max();  // set anew during the call
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

void Batch::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    const auto found =
        std::find_if(running_.begin(), running_.end(), [&](const auto& fetch) {
          return fetch->easy() == message->easy_handle;
        });
    if (found == running_.end()) continue;
    note((*found)->url(), (*found)->result(code));
    running_.erase(found);
  }
}

std::optional<FetchedImages> Batch::run(std::size_t parallel,
                                        const Cancelled& cancelled) {
  if (multi_ == nullptr) return FetchedImages();
  // A TLS connection that breaks would raise it.
  const SigpipeGuard guard;
  for (start_more(parallel); !over(); start_more(parallel)) {
    turn(Clock::now() + kAskInterval);
    collect();
    if (cancelled && cancelled()) return std::nullopt;
  }
  return std::move(images_);
}

}  // namespace

std::optional<FetchedImages> fetch_images(const std::vector<std::string>& urls,
                                          const ImageFetchRules& rules,
                                          std::size_t parallel,
                                          const Cancelled& cancelled) {
  init_curl();
  return Batch(urls, rules).run(std::max<std::size_t>(parallel, 1), cancelled);
}

Result<MediaSource> fetch_image(const std::string& url,
                                const ImageFetchRules& rules) {
  const auto images = fetch_images({url}, rules, 1, {});
  const auto found = images->find(url);
  if (found == images->end()) return image_refused("out of memory");
  return found->second;
}

}  // namespace llmproxy
