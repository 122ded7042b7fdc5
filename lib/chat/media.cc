#include "chat/media.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "json/text.h"

namespace llmproxy {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

struct Ending {
  std::string_view ending;
  std::string_view media_type;
};
constexpr std::array kEndings = {
    Ending{".pdf", "application/pdf"}, Ending{".txt", "text/plain"},
    Ending{".md", "text/markdown"},    Ending{".csv", "text/csv"},
    Ending{".html", "text/html"},      Ending{".json", "application/json"},
    Ending{".png", "image/png"},       Ending{".jpg", "image/jpeg"},
    Ending{".jpeg", "image/jpeg"},     Ending{".gif", "image/gif"},
    Ending{".webp", "image/webp"},
};

/// What each character of base64 stands for, -1 = it is none. URL-safe base64
/// is read too.
constexpr std::array<int, 256> kSextets = [] {
  std::array<int, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int>(i);
  }
  table['-'] = table['+'];
  table['_'] = table['/'];
  return table;
}();

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto hex = [&](char c) -> int {
      if (c >= '0' && c <= '9') return c - '0';
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      if (c >= 'A' && c <= 'F') return c - 'A' + 10;
      return -1;
    };
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 &&
        hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

bool is_web_url(std::string_view url) {
  const std::string scheme = lower(url.substr(0, 8));
  return scheme.starts_with("http://") || scheme == "https://";
}

Result<MediaSource> media_from_url(std::string_view url,
                                   std::string_view path) {
  MediaSource source;
  if (is_web_url(url)) {
    source.kind = MediaKind::url;
    source.data = std::string(url);
    return source;
  }
  const auto comma = url.find(',');
  if (lower(url.substr(0, 5)) != "data:" || comma == std::string_view::npos) {
    return invalid_request("expected an http(s) URL or a data: URL",
                           std::string(path));
  }
  const std::string head = lower(url.substr(5, comma - 5));
  source.media_type = head.substr(0, head.find(';'));
  if (source.media_type == "image/jpg") source.media_type = "image/jpeg";
  const bool base64 =
      head.size() >= 7 && head.compare(head.size() - 7, 7, ";base64") == 0;
  if (base64) {
    source.data = std::string(url.substr(comma + 1));
  } else {
    source.kind = MediaKind::text;
    source.data = percent_decoded(url.substr(comma + 1));
    if (!json::is_utf8(source.data)) {
      return invalid_request("the text of the data: URL is not UTF-8",
                             std::string(path));
    }
    if (source.media_type.empty()) source.media_type = "text/plain";
  }
  return source;
}

std::string media_type_of_file(std::string_view name) {
  const std::string lowered = lower(name);
  for (const Ending& row : kEndings) {
    if (lowered.size() > row.ending.size() &&
        lowered.compare(lowered.size() - row.ending.size(), row.ending.size(),
                        row.ending) == 0) {
      return std::string(row.media_type);
    }
  }
  return "application/pdf";
}

bool is_sound_or_film(std::string_view media_type) {
  return media_type.starts_with("audio/") || media_type.starts_with("video/");
}

bool append_decoded_base64(std::string_view text, std::string& out) {
  out.reserve(out.size() + text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == ' ' || c == '\t') continue;
    if (c == '=') break;
    const int value = kSextets[static_cast<unsigned char>(c)];
    if (value < 0) return false;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xFF);
    }
  }
  return true;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  if (!append_decoded_base64(text, out)) return std::nullopt;
  return out;
}

void append_base64(std::string_view bytes, std::string& out) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t length = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      bits <<= 8;
      if (k < length) bits |= static_cast<unsigned char>(bytes[i + k]);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= length ? kAlphabet[(bits >> (18 - 6 * k)) & 63] : '=';
    }
  }
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  append_base64(bytes, out);
  return out;
}

}  // namespace llmproxy
