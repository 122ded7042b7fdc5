// Reference: RFC 9112, section 3.2; RFC 9110, sections 4.2 and 7; RFC 3986,
// section 3.2.
#include "server/request_target.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include "server/request_head.h"

namespace llmproxy {
namespace {

constexpr std::array<std::string_view, 2> kSchemes = {"http://", "https://"};
constexpr std::array<std::string_view, 3> kOwnMachine = {"localhost",
                                                         "127.0.0.1", "[::1]"};
constexpr std::array<std::string_view, 2> kRefusedMethods = {"CONNECT",
                                                             "TRACE"};
// A name's characters beside letters and digits: unreserved, percent signs,
// sub-delims.
constexpr std::string_view kNameSigns = "-._~%!$&'()*+,;=";
constexpr std::string_view kAddressSigns = "-._~:!$&'()*+,;=";
constexpr int kHighestPort = 65535;
// Stay even where `connection` names them: what another protocol is offered
// with, which is looked at and goes no further, and what says whose request
// this is.
constexpr std::array<std::string_view, 2> kKept = {"upgrade", "host"};

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

bool consists_of(std::string_view text, std::string_view signs) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || signs.find(c) != std::string_view::npos;
  });
}

/// The host of host [":" port], brackets included.
std::string_view host_of(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t from = bracket == std::string_view::npos ? 0 : bracket;
  return authority.substr(0, authority.find(':', from));
}

bool is_port(std::string_view text) {
  int port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0'; });
  return text.empty() || (digits && parsed.ec == std::errc() &&
                          parsed.ptr == end && port <= kHighestPort);
}

bool is_host(std::string_view text) {
  if (!text.starts_with('[')) return consists_of(text, kNameSigns);
  return text.ends_with(']') && text.size() > 2 &&
         consists_of(text.substr(1, text.size() - 2), kAddressSigns);
}

/// Cuts "http://" off; false = `text` begins otherwise.
bool cut_scheme(std::string_view& text) {
  for (const std::string_view scheme : kSchemes) {
    if (!same_header_name(text.substr(0, scheme.size()), scheme)) continue;
    text.remove_prefix(scheme.size());
    return true;
  }
  return false;
}

bool is_own_machine(std::string_view host) {
  return std::any_of(
      kOwnMachine.begin(), kOwnMachine.end(),
      [&](std::string_view own) { return same_header_name(own, host); });
}

bool is_kept(std::string_view name) {
  return std::any_of(kKept.begin(), kKept.end(), [&](std::string_view kept) {
    return same_header_name(kept, name);
  });
}

bool is_one_of(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& row) {
    return same_header_name(row, name);
  });
}

}  // namespace

std::optional<RequestTarget> parse_target(std::string_view method,
                                          std::string_view text) {
  RequestTarget target;
  if (text.find('#') != std::string_view::npos) return {};
  if (text == "*" && method == "OPTIONS") {
    target.path = text;
    return target;
  }
  if (!text.starts_with('/')) {
    if (!cut_scheme(text)) return {};
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    target.authority = text.substr(0, end);
    if (!is_authority(target.authority)) return {};
    text.remove_prefix(end);
  }
  const std::size_t question = std::min(text.find('?'), text.size());
  target.path = text.substr(0, question);
  target.query = text.substr(std::min(question + 1, text.size()));
  if (!target.path.empty()) return target;
  // RFC 9112, section 3.2.4: no path at all asks about the whole server.
  const bool whole_server = method == "OPTIONS" && text.empty();
  target.path = whole_server ? "*" : "/";
  return target;
}

bool is_authority(std::string_view text) {
  const std::string_view host = host_of(text);
  if (!is_host(host)) return false;
  const std::string_view port = text.substr(host.size());
  return port.empty() || (port.front() == ':' && is_port(port.substr(1)));
}

Result<void> settle_host(const RequestTarget& target, bool http10,
                         std::string_view own_host, Headers& headers) {
  const auto is_host_header = [](const Header& header) {
    return same_header_name(header.name, "host");
  };
  const auto count =
      std::count_if(headers.begin(), headers.end(), is_host_header);
  if (count > 1) return invalid_request("more than one host header");
  if (count == 0 && !http10)
    return invalid_request("the host header is missing");
  const auto found =
      std::find_if(headers.begin(), headers.end(), is_host_header);
  if (found != headers.end() && !is_authority(found->value))
    return invalid_request("the host header names no host");
  if (target.authority.empty()) return {};
  const std::string_view host = host_of(target.authority);
  const bool ours = is_own_machine(host) || same_header_name(host, own_host) ||
                    (found != headers.end() &&
                     same_header_name(found->value, target.authority));
  if (!ours) return invalid_request("the request target names another host");
  if (found == headers.end()) {
    headers.push_back({"host", target.authority});
  } else {
    found->value = target.authority;
  }
  return {};
}

bool is_refused_method(std::string_view method) {
  return std::find(kRefusedMethods.begin(), kRefusedMethods.end(), method) !=
         kRefusedMethods.end();
}

void drop_connection_headers(Headers& headers) {
  std::vector<std::string> named;
  for (const Header& header : headers) {
    if (!same_header_name(header.name, "connection")) continue;
    each_list_item(header.value, [&](std::string_view item) {
      if (!is_kept(item)) named.emplace_back(item);
    });
  }
  if (named.empty()) return;
  std::erase_if(headers, [&](const Header& header) {
    return is_one_of(named, header.name);
  });
}

}  // namespace llmproxy
