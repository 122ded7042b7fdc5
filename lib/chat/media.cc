#include "chat/media.h"

#include <array>

#include "base/text.h"
#include "json/text.h"

namespace llmproxy {
namespace {

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

}  // namespace llmproxy
