#include "gateway/details.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "gateway/headers.h"
#include "gateway/log_text.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kHidden = "***";

// Everything else may hold a key, whatever it is called.
constexpr std::array<std::string_view, 12> kShownHeaders = {
    "content-type",    "content-length",    "accept",
    "accept-encoding", "anthropic-version", "anthropic-beta",
    "openai-beta",     "user-agent",        "x-llmproxy-hops",
    "x-amz-date",      "x-stainless-lang",  "x-stainless-package-version"};
constexpr std::array<std::string_view, 4> kShownParameters = {
    "alt", "api-version", "beta", "pageSize"};

bool is_shown_header(std::string_view name) {
  return std::any_of(
      kShownHeaders.begin(), kShownHeaders.end(),
      [name](std::string_view row) { return same_header_name(row, name); });
}

std::string masked_pair(std::string_view pair) {
  const std::size_t equals = pair.find('=');
  const std::string_view name = pair.substr(0, equals);
  const bool shown = std::find(kShownParameters.begin(), kShownParameters.end(),
                               name) != kShownParameters.end();
  if (shown || equals == std::string_view::npos) return std::string(pair);
  return fmt::format("{}={}", name, kHidden);
}

std::string masked_url(std::string_view url) {
  const std::size_t mark = url.find('?');
  std::string out(url.substr(0, mark));
  if (mark == std::string_view::npos) return out;
  char before = '?';
  for (std::string_view left = url.substr(mark + 1); !left.empty();) {
    const std::string_view pair = left.substr(0, left.find('&'));
    out += before + masked_pair(pair);
    before = '&';
    left.remove_prefix(std::min(pair.size() + 1, left.size()));
  }
  return out;
}

std::string masked_headers(const Headers& headers) {
  std::string out;
  for (const Header& header : headers) {
    if (!out.empty()) out += ", ";
    const bool shown = is_shown_header(header.name);
    out += fmt::format("{}: {}", header.name,
                       shown ? header.value : std::string(kHidden));
  }
  return out;
}

/// "/tools/0/strict": what is deeper may be a name that the client made up.
std::string_view beginning_of(std::string_view path) {
  constexpr int kMostSegments = 3;
  std::size_t end = 0;
  for (int i = 0; i < kMostSegments && end != path.npos; ++i) {
    end = path.find('/', end + 1);
  }
  return path.substr(0, end);
}

std::string names_of(const Losses& losses) {
  std::string out;
  for (const Loss& loss : losses) {
    if (!out.empty()) out += ", ";
    out += fmt::format("{} {}", short_name(beginning_of(loss.path)),
                       to_string(loss.kind));
  }
  return out;
}

std::string way_of(const UpstreamCall& call) {
  if (call.route == nullptr) return "the client named the backend";
  const Route& route = *call.route;
  const bool pattern = route.name.find('*') != std::string::npos;
  return fmt::format("{} \"{}\"{}{}{}", pattern ? "pattern" : "name",
                     short_name(route.name),
                     route.prefix.empty() ? "" : " below " + route.prefix,
                     route.origin.empty() ? "" : ", " + route.origin,
                     call.lends_key ? ", with the client's own key" : "");
}

Observer* listener(const Exchange& exchange) {
  Observer* const observer = exchange.core.hooks().observer;
  return observer != nullptr && observer->wants_details() ? observer : nullptr;
}

std::string target_of(const UpstreamRequest& request) {
  return request.method + " " + masked_url(request.url);
}

}  // namespace

void tell_call(Exchange& exchange, const UpstreamCall& call) {
  Observer* const observer = listener(exchange);
  if (observer == nullptr) return;
  std::vector<RequestDetail> details = {
      {"route", way_of(call)},
      {"dialects",
       fmt::format("{} to {}", call.client->name, call.upstream->name)},
      {"upstream", target_of(call.request)},
      {"headers", masked_headers(call.request.headers)}};
  if (!call.losses.empty()) {
    details.push_back({"losses", names_of(call.losses)});
  }
  observer->on_details(exchange.answer.record(), details);
}

void tell_forwarded(Exchange& exchange, const Backend& backend,
                    const UpstreamRequest& request) {
  Observer* const observer = listener(exchange);
  if (observer == nullptr) return;
  observer->on_details(
      exchange.answer.record(),
      {{"route", exchange.mount.prefix.empty()
                     ? fmt::format("the whole API of {}", backend.name)
                     : fmt::format("below {}", exchange.mount.prefix)},
       {"upstream", target_of(request)},
       {"headers", masked_headers(request.headers)}});
}

void tell_losses(Exchange& exchange, const Losses& losses) {
  Observer* const observer = losses.empty() ? nullptr : listener(exchange);
  if (observer == nullptr) return;
  observer->on_details(exchange.answer.record(),
                       {{"losses", names_of(losses)}});
}

}  // namespace llmproxy::gateway
