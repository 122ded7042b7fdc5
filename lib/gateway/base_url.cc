// Checks on base URLs. A key belongs to the host that is written here, so
// anything that makes the host hard to see is refused.
#include "gateway/base_url.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace llmproxy::gateway {
namespace {

constexpr std::array<std::string_view, 2> kSchemes = {"https://", "http://"};

std::string_view behind_scheme(std::string_view url) {
  for (const std::string_view scheme : kSchemes) {
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  }
  return {};
}

/// Of "h:8080" and "[::1]:8080": a port that is none, or an address of IPv6
/// that has no brackets.
std::string_view host_fault(std::string_view host) {
  constexpr std::string_view kBrackets =
      "an IPv6 address stands in brackets: http://[::1]:8080/v1";
  std::size_t end = host.find(':');
  if (host.starts_with('[')) {
    end = host.find(']');
    if (end == std::string_view::npos) return kBrackets;
    ++end;
  } else if (end != host.rfind(':')) {
    return kBrackets;
  }
  if (end >= host.size()) return {};
  const std::string_view port = host.substr(end + 1);
  int number = 0;
  const char* const last = port.data() + port.size();
  const auto [stop, code] = std::from_chars(port.data(), last, number);
  const bool well = host[end] == ':' && code == std::errc() && stop == last &&
                    number > 0 && number <= 65535;
  return well ? std::string_view()
              : "expected a port from 1 to 65535 behind the host's colon";
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_url_char(char c) { return c > ' ' && c < '\x7f' && c != '\\'; }

/// What people write instead, and what to say about it.
struct MistakeRow {
  std::string_view begins;
  std::string_view fault;
};
constexpr std::string_view kVariable =
    "expected a URL; a variable is written ${NAME}";
constexpr std::array kMistakes = {
    MistakeRow{"$", kVariable},
    MistakeRow{"os.environ/", kVariable},
    MistakeRow{"env.", kVariable},
    MistakeRow{"{{", kVariable},
    MistakeRow{"%", kVariable},
    MistakeRow{"HTTP://", "http:// and https:// are written in small letters"},
    MistakeRow{"HTTPS://", "http:// and https:// are written in small letters"},
    MistakeRow{"Http://", "http:// and https:// are written in small letters"},
    MistakeRow{"Https://", "http:// and https:// are written in small letters"},
    MistakeRow{"ws://", "expected a URL with http:// or https://"},
    MistakeRow{"wss://", "expected a URL with http:// or https://"},
    MistakeRow{"grpc://", "expected a URL with http:// or https://"},
    MistakeRow{"unix:", "expected a URL with http:// or https://"},
};

/// "localhost:11434/v1", "api.example.com".
bool lacks_scheme(std::string_view url) {
  const std::string_view host = url.substr(0, url.find_first_of("/:"));
  const auto is_host_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '-';
  };
  return !host.empty() && url.find("://") == std::string_view::npos &&
         std::all_of(host.begin(), host.end(), is_host_char) &&
         (host.find('.') != std::string_view::npos || host == "localhost");
}

}  // namespace

std::string base_url_fault(std::string_view url) {
  if (url == kDemoScheme) return {};
  for (const MistakeRow& row : kMistakes) {
    if (url.starts_with(row.begins)) return std::string(row.fault);
  }
  if (lacks_scheme(url)) {
    return "expected a URL such as https://api.example.com/v1; is http:// or "
           "https:// missing?";
  }
  if (std::any_of(url.begin(), url.end(), is_blank)) {
    return "expected a URL without spaces and line breaks, such as "
           "https://api.example.com/v1";
  }
  const std::string_view rest = behind_scheme(url);
  const std::string_view host = rest.substr(0, rest.find('/'));
  if (host.empty() || !std::all_of(url.begin(), url.end(), is_url_char)) {
    return "expected a URL such as https://api.example.com/v1";
  }
  if (host.find('@') != std::string_view::npos) {
    return "expected a URL without user or password; a key goes to api_key";
  }
  if (const std::string_view fault = host_fault(host); !fault.empty()) {
    return std::string(fault);
  }
  if (url.find_first_of("?#") != std::string_view::npos) {
    return "expected a URL without ? or #";
  }
  return {};
}

}  // namespace llmproxy::gateway
