#include "support/odd_values.h"

#include "json/json.h"

namespace llmproxy::testing {
namespace {

void add_children(std::string_view text, const json::Value& value,
                  const std::string& path, std::vector<Spot>& out) {
  std::size_t index = 0;
  for (const json::Value child : value.children()) {
    const std::string place = value.is_array()
                                  ? json::pointer(path, index++)
                                  : json::pointer(path, child.key());
    out.push_back({static_cast<std::size_t>(child.raw().data() - text.data()),
                   child.raw().size(), place});
    add_children(text, child, place, out);
  }
}

}  // namespace

std::vector<Spot> spots_of(std::string_view json) {
  json::Document document;
  const auto root = document.parse(json);
  std::vector<Spot> out;
  if (root) add_children(document.text(), *root, "", out);
  return out;
}

std::string with_value(std::string_view json, const Spot& spot,
                       std::string_view value) {
  std::string out(json.substr(0, spot.offset));
  return out.append(value).append(json.substr(spot.offset + spot.size));
}

std::string without_value(std::string_view json, const Spot& spot) {
  // A member's name ends in a quote and a colon.
  std::size_t begin = spot.offset;
  if (json[begin - 1] == ':') {
    begin = json.rfind('"', json.rfind('"', begin - 1) - 1);
  }
  std::size_t end = spot.offset + spot.size;
  while (end < json.size() && static_cast<unsigned char>(json[end]) <= ' ') {
    ++end;
  }
  if (json[end] == ',') {
    ++end;
  } else {
    const std::size_t before = json.find_last_not_of(" \r\n\t", begin - 1);
    if (json[before] == ',') begin = before;
  }
  return std::string(json.substr(0, begin)).append(json.substr(end));
}

}  // namespace llmproxy::testing
