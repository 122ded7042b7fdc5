#include "llmproxy/image_fetcher.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "chat/media.h"
#include "client/easy_handle.h"

namespace llmproxy {
namespace {

struct Fetch {
  const ImageFetchRules& rules;
  std::string body;
  bool forbidden = false;
  bool too_large = false;
};

/// "10.1.2.3:8080", "[::1]:80"
struct Peer {
  std::string address;
  std::string with_port;
};

Peer peer_of(const curl_sockaddr& target) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  Peer peer;
  if (target.family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&target.addr);
    inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size());
    peer.address = text.data();
    peer.with_port = fmt::format("{}:{}", peer.address, ntohs(in->sin_port));
  } else if (target.family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&target.addr);
    inet_ntop(AF_INET6, &in->sin6_addr, text.data(), text.size());
    peer.address = text.data();
    peer.with_port = fmt::format("[{}]:{}", peer.address, ntohs(in->sin6_port));
  }
  return peer;
}

/// Called by libcurl with the resolved address of every connection, those of
/// redirects included: nothing is connected to that was not looked at.
curl_socket_t open_socket(void* user, curlsocktype purpose,
                          curl_sockaddr* target) {
  auto& fetch = *static_cast<Fetch*>(user);
  const Peer peer = peer_of(*target);
  const auto& allowed = fetch.rules.allowed;
  const bool listed = std::find(allowed.begin(), allowed.end(),
                                peer.with_port) != allowed.end();
  if (purpose != CURLSOCKTYPE_IPCXN ||
      (!listed && !is_public_address(peer.address))) {
    fetch.forbidden = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(target->family, target->socktype | SOCK_CLOEXEC,
                  target->protocol);
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count,
                      void* user) {
  auto& fetch = *static_cast<Fetch*>(user);
  if (fetch.body.size() + size * count > fetch.rules.max_bytes) {
    fetch.too_large = true;
    return 0;
  }
  fetch.body.append(bytes, size * count);
  return size * count;
}

struct Magic {
  std::string_view bytes;
  std::size_t offset;
  std::string_view type;
};
constexpr Magic kMagics[] = {
    {std::string_view("\x89PNG\r\n\x1a\n", 8), 0, "image/png"},
    {"\xff\xd8\xff", 0, "image/jpeg"},
    {"GIF87a", 0, "image/gif"},
    {"GIF89a", 0, "image/gif"},
    {"WEBP", 8, "image/webp"},
};

/// By the first bytes: what a server says of its own files is not enough.
std::string_view type_of_image(std::string_view bytes) {
  for (const Magic& magic : kMagics) {
    if (bytes.size() >= magic.offset + magic.bytes.size() &&
        bytes.substr(magic.offset, magic.bytes.size()) == magic.bytes) {
      return magic.type;
    }
  }
  return {};
}

Error refused(std::string_view why) {
  return invalid_request(fmt::format("the image cannot be fetched: {}", why));
}

/// A name and password in a URL would be sent to whoever it leads to.
bool has_credentials(std::string_view url) {
  const std::size_t start = url.find("://");
  if (start == std::string_view::npos) return false;
  url.remove_prefix(start + 3);
  return url.substr(0, url.find_first_of("/?#")).find('@') !=
         std::string_view::npos;
}

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  curl_easy_setopt(easy, option, value);
}

void set_options(CURL* easy, const std::string& url, Fetch& fetch) {
  set(easy, CURLOPT_URL, url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 1L);
  set(easy, CURLOPT_MAXREDIRS, static_cast<long>(fetch.rules.max_redirects));
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(fetch.rules.timeout.count()));
  set(easy, CURLOPT_NOSIGNAL, 1L);
  // A proxy would resolve the name itself, behind our back.
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  set(easy, CURLOPT_OPENSOCKETDATA, &fetch);
  set(easy, CURLOPT_WRITEFUNCTION, take_body);
  set(easy, CURLOPT_WRITEDATA, &fetch);
  set(easy, CURLOPT_MAXFILESIZE_LARGE,
      static_cast<curl_off_t>(fetch.rules.max_bytes));
}

}  // namespace

Result<MediaSource> fetch_image(const std::string& url,
                                const ImageFetchRules& rules) {
  if (!rules.enabled) {
    return invalid_request("images are not fetched here; send the bytes", "");
  }
  if (has_credentials(url)) return refused("its URL holds a user name");
  init_curl();
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(
      curl_easy_init(), curl_easy_cleanup);
  if (!easy) return refused("out of memory");
  Fetch fetch{rules, {}};
  set_options(easy.get(), url, fetch);
  const CURLcode code = curl_easy_perform(easy.get());
  if (fetch.forbidden) return refused("its address is not a public one");
  if (fetch.too_large || code == CURLE_FILESIZE_EXCEEDED) {
    return refused(fmt::format("it is larger than {} bytes", rules.max_bytes));
  }
  if (code != CURLE_OK) return refused(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    return refused(fmt::format("its server answered with status {}", status));
  }
  const std::string_view type = type_of_image(fetch.body);
  if (type.empty()) return refused("it is no JPEG, PNG, GIF or WebP image");
  return MediaSource{MediaKind::base64, encode_base64(fetch.body),
                     std::string(type)};
}

}  // namespace llmproxy
