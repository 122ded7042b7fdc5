// Escapes are read as they are compared, so that no text need be decoded.
#include "gateway/redact.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "gateway/auth.h"
#include "gateway/credentials.h"

namespace llmproxy::gateway {
namespace {

// Local servers are given words such as "none" or "ollama".
constexpr std::size_t kShortest = 8;
// Of a longer key this many characters in a row are too many.
constexpr std::size_t kLongPart = 16;
// The same in base64.
constexpr std::size_t kLongDigits = 22;
constexpr std::string_view kInstead = "[key]";
constexpr char kFiller = '*';

// Signatures are of one request only; still nobody's business.
constexpr std::string_view kSignature = "Signature=";
constexpr std::size_t kSignatureDigits = 64;

/// How much of a text stands for one character: 0 = it is another.
struct Step {
  std::size_t size = 0;
  bool cut = false;  ///< the text ends too early to say
};

/// A number of `digits` hexadecimal digits at the beginning of `text`.
Step hex_step(std::string_view text, std::size_t digits, char c) {
  const std::string_view number = text.substr(0, digits);
  unsigned value = 0;
  const char* end = number.data() + number.size();
  const auto [stop, code] = std::from_chars(number.data(), end, value, 16);
  if (number.size() < digits) return {0, stop == end};
  const bool same = code == std::errc() && stop == end &&
                    value == static_cast<unsigned char>(c);
  return {same ? digits : 0, false};
}

Step behind(std::size_t taken, const Step& step) {
  return {step.size == 0 ? 0 : taken + step.size, step.cut};
}

/// "\/" and "\u002f", with more backslashes where JSON stands in JSON.
Step json_step(std::string_view text, char c) {
  constexpr std::size_t kDeepest = 8;
  constexpr std::size_t kDigits = 4;
  const std::string_view run = text.substr(0, kDeepest + 1);
  const std::size_t marks = std::min(run.find_first_not_of('\\'), run.size());
  if (marks > kDeepest) return {};
  if (marks == text.size()) return {0, true};
  if (text[marks] == c) return {marks + 1, false};
  if (text[marks] != 'u') return {};
  return behind(marks + 1, hex_step(text.substr(marks + 1), kDigits, c));
}

/// "%2F", also "%252F".
Step url_step(std::string_view text, char c) {
  constexpr std::string_view kTwice = "25";
  constexpr std::size_t kDigits = 2;
  const std::string_view digits = text.substr(1);
  const Step once = hex_step(digits, kDigits, c);
  if (once.size != 0 || once.cut || !digits.starts_with(kTwice)) {
    return behind(1, once);
  }
  return behind(1 + kTwice.size(),
                hex_step(digits.substr(kTwice.size()), kDigits, c));
}

Step step_over(std::string_view text, char c) {
  if (text.empty()) return {0, true};
  if (text.front() == c) return {1, false};
  if (text.front() == '\\') return json_step(text, c);
  if (text.front() == '%') return url_step(text, c);
  return {};
}

/// What base64 makes of `secret` behind `before` other bytes, without the
/// characters at both ends that depend on its neighbours.
std::string base64_of(std::string_view secret, std::size_t before) {
  const std::string bytes = std::string(before, '\0').append(secret);
  const std::size_t first = (before * 8 + 5) / 6;
  const std::size_t end = bytes.size() * 8 / 6;
  return encode_base64(bytes).substr(first, end - first);
}

/// The alphabet of URLs.
std::string url_safe(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string_view without_any_scheme(std::string_view value) {
  const std::size_t blank = value.find(' ');
  return blank == std::string_view::npos ? value : value.substr(blank + 1);
}

void redact_signatures(std::string& text) {
  for (std::size_t at = text.find(kSignature); at != std::string::npos;
       at = text.find(kSignature, at)) {
    at += kSignature.size();
    const std::size_t end = std::min(
        text.find_first_not_of("0123456789abcdefABCDEF", at), text.size());
    if (end - at == kSignatureDigits) text.replace(at, end - at, kInstead);
  }
}

}  // namespace

Redactor::Redactor(const Backend& backend, const HttpRequest& client) {
  add_secret(backend.api_key.reveal());
  add_secret(backend.aws.secret_access_key.reveal());
  add_secret(backend.aws.session_token.reveal());
  // Headers and parameters may be anything: only the whole value is one.
  for (const Header& header : backend.headers) {
    add(header.value, 0);
    if (is_credential_header(header.name)) {
      add_secret(without_any_scheme(header.value));
    }
  }
  each_query_value(backend.query,
                   [&](std::string_view value) { add(std::string(value), 0); });
  for (const std::string_view sent : credentials_of(client)) {
    add_secret(sent);
    add_secret(without_any_scheme(sent));
    add_secret(access_key_id(sent));
    const std::string decoded = percent_decoded(sent);
    if (decoded != sent) add_secret(decoded);
  }
}

void Redactor::add_secret(std::string_view secret) {
  if (secret.size() < kShortest) return;
  const std::size_t enough =
      std::max(kShortest, std::min(secret.size() / 2, kLongPart));
  add(std::string(secret), enough);
  add(std::string(secret.substr(secret.size() - enough)), 0);
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string text = base64_of(secret, before);
    const std::string other = url_safe(text);
    if (other != text) add(other, kLongDigits);
    add(text, kLongDigits);
  }
}

// 0 = all of it.
void Redactor::add(std::string text, std::size_t enough) {
  if (text.size() < kShortest) return;
  if (enough == 0 || enough > text.size()) enough = text.size();
  patterns_.push_back({std::move(text), enough});
}

Redactor::Found Redactor::match(const Pattern& pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t same = 0;
  while (same < pattern.text.size()) {
    const Step step = step_over(text.substr(at), pattern.text[same]);
    if (step.cut) return {same >= pattern.enough ? at : 0, true};
    if (step.size == 0) break;
    at += step.size;
    ++same;
  }
  return {same >= pattern.enough ? at : 0, false};
}

Redactor::Found Redactor::find_at(std::string_view text) const {
  Found longest;
  for (const Pattern& pattern : patterns_) {
    const char first = text.front();
    if (first != pattern.text.front() && first != '\\' && first != '%') {
      continue;
    }
    const Found found = match(pattern, text);
    longest.cut = longest.cut || found.cut;
    longest.size = std::max(longest.size, found.size);
  }
  return longest;
}

void Redactor::replace_in(std::string& text) const {
  std::string out;
  const std::string_view all = text;
  for (std::size_t at = 0; at < all.size();) {
    const Found found = find_at(all.substr(at));
    if (found.size == 0) {
      out += all[at++];
    } else {
      out += kInstead;
      at += found.size;
    }
  }
  text = std::move(out);
  redact_signatures(text);
}

void Redactor::feed(std::string_view bytes, std::string& out) {
  held_.append(bytes);
  const std::string_view all = held_;
  std::size_t at = 0;
  while (at < all.size()) {
    const Found found = find_at(all.substr(at));
    if (found.cut) break;
    if (found.size == 0) {
      out += all[at++];
      continue;
    }
    out += kInstead;
    out.append(found.size - kInstead.size(), kFiller);
    at += found.size;
  }
  held_.erase(0, at);
}

void Redactor::finish(std::string& out) {
  const std::string_view all = held_;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t size = find_at(all.substr(at)).size;
    if (size == 0) {
      out += all[at++];
      continue;
    }
    out += kInstead;
    out.append(size - kInstead.size(), kFiller);
    at += size;
  }
  held_.clear();
}

void redact(const Backend& backend, const HttpRequest& client,
            std::string& text) {
  Redactor(backend, client).replace_in(text);
}

void redact(const Backend& backend, const HttpRequest& client,
            Headers& headers) {
  const Redactor redactor(backend, client);
  for (Header& header : headers) redactor.replace_in(header.value);
}

}  // namespace llmproxy::gateway
