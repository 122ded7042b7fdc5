// Which headers cross: what all APIs have in common. The rest is in the rows of
// the dialects.
#include "gateway/headers.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <unordered_set>

#include <fmt/format.h>

#include "base/text.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy::gateway {
namespace {

constexpr std::size_t kMaxLossHeader = 2000;
constexpr std::size_t kMaxRequestId = 128;

// RFC 9110, section 7.6.1; RFC 9113, section 8.2.2 for http2-settings. All
// that begins with "proxy-" is between two hops as well.
constexpr std::string_view kConnection = "connection";
constexpr std::string_view kProxy = "proxy-";
constexpr std::array<std::string_view, 7> kHopHeaders = {
    kConnection,         "keep-alive",    "te", "trailer", "upgrade",
    "transfer-encoding", "http2-settings"};

/// Of answers that are passed on. A browser applies these to the origin that
/// it asked, which is ours and not the upstream's: cookies, where the origin
/// is also served, what is to be forgotten or reported, how it may be reached
/// at all. Servers in front of us would obey the x- names: send a file of
/// theirs. `location` stays: it says where what was made is, or belongs to a
/// status that says nothing without it, and clients leave their keys at home
/// where it leads to another host.
constexpr std::array kNotPassed =
    std::to_array<std::string_view>({"set-cookie",
                                     "set-cookie2",
                                     "alt-svc",
                                     "alt-used",
                                     "clear-site-data",
                                     "strict-transport-security",
                                     "public-key-pins",
                                     "expect-ct",
                                     "service-worker-allowed",
                                     "refresh",
                                     "nel",
                                     "report-to",
                                     "reporting-endpoints",
                                     "origin-agent-cluster",
                                     "accept-ch",
                                     "critical-ch",
                                     "origin-trial",
                                     "x-sendfile",
                                     "x-lighttpd-send-file",
                                     "x-reproxy-url",
                                     kRequestIdHeader});
/// Which pages may read an answer is for our own settings to say.
constexpr std::array<std::string_view, 2> kNotPassedPrefixes = {
    "access-control-", "x-accel-"};

/// Retry hints: every SDK reads them, whatever API they came from.
constexpr std::array<std::string_view, 3> kRetryHints = {
    kRetryAfter, "retry-after-ms", "x-should-retry"};

const DialectHeaders& headers_of(const Dialect& dialect) {
  static constexpr DialectHeaders kUsual;
  return dialect.headers != nullptr ? *dialect.headers : kUsual;
}

// Every value of that name, joined as RFC 9110, section 5.3, allows.
std::string joined(const Headers& headers, std::string_view name) {
  std::string out;
  for (const Header& header : headers) {
    if (!same_header_name(header.name, name)) continue;
    if (!is_header_value(header.value)) continue;
    if (!out.empty()) out += ',';
    out += header.value;
  }
  return out;
}

void set_header(Headers& headers, std::string_view name, std::string value) {
  std::erase_if(headers, [name](const Header& header) {
    return same_header_name(header.name, name);
  });
  headers.push_back({std::string(name), std::move(value)});
}

bool has_prefix(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() &&
         same_header_name(name.substr(0, prefix.size()), prefix);
}

bool is_one_of(std::string_view name, std::span<const std::string_view> set) {
  return std::any_of(set.begin(), set.end(), [name](std::string_view row) {
    return same_header_name(row, name);
  });
}

bool has_header(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const Header& header) {
    return same_header_name(header.name, name);
  });
}

/// A list of what a client may use, in whatever dialect.
bool is_list(std::string_view name) {
  const auto all = dialects();
  return std::any_of(all.begin(), all.end(), [name](const Dialect* dialect) {
    return is_one_of(name, headers_of(*dialect).lists);
  });
}

/// Calls `use` with each word of a comma-separated list.
template <class Use>
void each_word(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view word = trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (!word.empty()) use(word);
  }
}

bool has_word(std::string_view list, std::string_view word) {
  bool found = false;
  each_word(list, [&](std::string_view each) {
    found = found || same_header_name(each, word);
  });
  return found;
}

/// Adds to the list `name` the words of `more` that it lacks. A client may send
/// tens of thousands, so the list is not read again for each.
void add_words(std::string_view name, std::string_view more, Headers& headers) {
  std::string list = joined(headers, name);
  std::unordered_set<std::string> known;
  each_word(list, [&](std::string_view word) { known.insert(lower(word)); });
  each_word(more, [&](std::string_view word) {
    if (!is_header_value(word) || !known.insert(lower(word)).second) return;
    list.append(list.empty() ? "" : ",").append(word);
  });
  if (!list.empty()) set_header(headers, name, std::move(list));
}

std::string_view upstream_request_id(const Headers& headers) {
  for (const Dialect* dialect : dialects()) {
    const std::string_view id =
        find_header(headers, headers_of(*dialect).request_id);
    if (is_header_value(id) && id.size() <= kMaxRequestId) return id;
  }
  return {};
}

void add_printable(std::string_view text, std::string& out) {
  for (const char c : text) {
    out += c >= ' ' && c < '\x7f' ? c : '?';
  }
}

}  // namespace

bool is_header_value(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c < '\x7f';
  });
}

bool is_header_name(std::string_view text) {
  static constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || kSigns.find(c) != std::string_view::npos;
  });
}

bool is_hop_header(const Headers& headers, std::string_view name) {
  if (is_one_of(name, kHopHeaders) || has_prefix(name, kProxy)) return true;
  return std::any_of(headers.begin(), headers.end(), [&](const Header& header) {
    return same_header_name(header.name, kConnection) &&
           has_word(header.value, name);
  });
}

void forward_request_headers(const Dialect& dialect, const Headers& client,
                             const Headers& configured, Headers& upstream) {
  for (const std::string_view name : headers_of(dialect).request) {
    std::string value = joined(client, name);
    if (value.empty()) continue;
    if (is_list(name)) {
      add_words(name, value, upstream);
    } else if (!has_header(configured, name)) {
      set_header(upstream, name, std::move(value));
    }
  }
}

void add_client_header(const Header& header, Headers& upstream) {
  if (is_list(header.name)) {
    add_words(header.name, header.value, upstream);
  } else if (!has_header(upstream, header.name)) {
    upstream.push_back(header);
  }
}

void put_configured_headers(const Headers& configured, Headers& headers) {
  for (const Header& header : configured) {
    if (is_list(header.name)) {
      const std::string client = joined(headers, header.name);
      set_header(headers, header.name, header.value);
      add_words(header.name, client, headers);
    } else {
      set_header(headers, header.name, header.value);
    }
  }
}

void add_request_id(const Dialect& dialect, std::string_view id,
                    Headers& headers) {
  const std::string_view name = headers_of(dialect).request_id;
  if (!find_header(headers, name).empty()) return;
  headers.push_back({std::string(name), std::string(id)});
}

Headers relay_response_headers(const Dialect& client, const Dialect& upstream,
                               const Headers& headers,
                               std::string_view own_id) {
  Headers out;
  for (const std::string_view name : kRetryHints) {
    const std::string_view value = find_header(headers, name);
    if (!is_header_value(value)) continue;
    out.push_back({std::string(name), std::string(value)});
  }
  const DialectHeaders& row = headers_of(client);
  const std::string_view id = upstream_request_id(headers);
  out.push_back(
      {std::string(row.request_id), std::string(id.empty() ? own_id : id)});
  if (&client != &upstream) return out;
  for (const Header& header : headers) {
    for (const std::string_view prefix : row.answer) {
      if (has_prefix(header.name, prefix) && is_header_value(header.value)) {
        out.push_back(header);
      }
    }
  }
  return out;
}

bool breaks_failed_streams(const Dialect& client) {
  return headers_of(client).breaks_failed_streams;
}

void add_retry_after(const Dialect& client, const Error& error,
                     Headers& headers) {
  if (!find_header(headers, kRetryAfter).empty()) return;
  const bool busy = error.kind == ErrorKind::rate_limited ||
                    error.kind == ErrorKind::overloaded;
  const std::string_view seconds = is_header_value(error.retry_after)
                                       ? std::string_view(error.retry_after)
                                   : busy ? headers_of(client).retry_after
                                          : std::string_view();
  if (seconds.empty()) return;
  headers.push_back({std::string(kRetryAfter), std::string(seconds)});
}

Headers passable_answer_headers(const Headers& upstream) {
  // An upstream may send tens of thousands: not all are looked at for each.
  Headers connection;
  for (const Header& header : upstream) {
    if (same_header_name(header.name, kConnection)) {
      connection.push_back(header);
    }
  }
  const auto is_dropped = [&](std::string_view name) {
    return !is_header_name(name) || is_hop_header(connection, name) ||
           is_one_of(name, kNotPassed) ||
           std::any_of(kNotPassedPrefixes.begin(), kNotPassedPrefixes.end(),
                       [&](std::string_view prefix) {
                         return has_prefix(name, prefix);
                       });
  };
  Headers out;
  for (const Header& header : upstream) {
    if (!is_dropped(header.name)) out.push_back(header);
  }
  return out;
}

void add_loss_header(const Losses& losses, Headers& headers) {
  if (losses.empty()) return;
  std::string value;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    std::string entry;
    if (i > 0) entry += "; ";
    add_printable(losses[i].path, entry);
    entry += ": ";
    add_printable(losses[i].what, entry);
    if (value.size() + entry.size() > kMaxLossHeader) {
      value +=
          fmt::format("{}and {} more", i > 0 ? "; " : "", losses.size() - i);
      break;
    }
    value += entry;
  }
  headers.push_back({std::string(kLossHeader), std::move(value)});
}

}  // namespace llmproxy::gateway
