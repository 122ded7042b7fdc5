#include "client/origin.h"

#include <array>

#include "client/transfer_error.h"

namespace llmproxy {
namespace {

struct Scheme {
  std::string_view prefix;
  bool tls;
};
constexpr std::array kSchemes = {Scheme{"https://", true},
                                 Scheme{"http://", false}};

}  // namespace

Result<Origin> parse_origin(std::string_view url) {
  for (const Scheme& scheme : kSchemes) {
    if (!url.starts_with(scheme.prefix)) continue;
    std::string_view host = url.substr(scheme.prefix.size());
    host = host.substr(0, host.find_first_of("/?#"));
    // "user:password@host": the name before the @ is nobody's business.
    host = host.substr(host.rfind('@') + 1);
    if (host.empty()) break;
    return Origin{std::string(scheme.prefix).append(host), std::string(host),
                  scheme.tls};
  }
  // The URL itself stays out of the message: its query may hold a key.
  return internal_error(
      "the backend's base URL must start with http:// or https:// and name a "
      "host");
}

}  // namespace llmproxy
