#include "client/image_rules.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

namespace llmproxy {
namespace {

constexpr std::array<std::string_view, 2> kSchemes = {"http://", "https://"};

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

bool begins_with(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
  };
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(),
                    [&](char b, char a) { return same(a, b); });
}

/// A name and password in a URL would be sent to whoever it leads to.
bool has_credentials(std::string_view authority) {
  return authority.substr(0, authority.find_first_of("/?#")).find('@') !=
         std::string_view::npos;
}

}  // namespace

Error image_refused(std::string_view why) {
  return invalid_request(fmt::format("the image cannot be fetched: {}", why));
}

Result<void> check_image_url(std::string_view url,
                             const ImageFetchRules& rules) {
  if (!rules.enabled) {
    return invalid_request("images are not fetched here; send the bytes", "");
  }
  // libcurl would not see what stands behind a NUL.
  if (url.find('\0') != std::string_view::npos) {
    return image_refused("its URL holds a NUL");
  }
  for (const std::string_view scheme : kSchemes) {
    if (!begins_with(url, scheme)) continue;
    if (has_credentials(url.substr(scheme.size()))) {
      return image_refused("its URL holds a user name");
    }
    return {};
  }
  return image_refused("its URL does not begin with http:// or https://");
}

bool may_reach(const ImageFetchRules& rules, std::string_view address,
               unsigned port) {
  const bool v6 = address.find(':') != std::string_view::npos;
  const std::string peer = v6 ? fmt::format("[{}]:{}", address, port)
                              : fmt::format("{}:{}", address, port);
  return is_public_address(address) ||
         std::find(rules.allowed.begin(), rules.allowed.end(), peer) !=
             rules.allowed.end();
}

std::string_view type_of_image(std::string_view bytes) {
  for (const Magic& magic : kMagics) {
    if (bytes.size() >= magic.offset + magic.bytes.size() &&
        bytes.substr(magic.offset, magic.bytes.size()) == magic.bytes) {
      return magic.type;
    }
  }
  return {};
}

}  // namespace llmproxy
