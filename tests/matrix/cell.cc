#include "matrix/cell.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "json/json.h"

namespace llmproxy::testing {
namespace {

constexpr std::size_t kLongestWord = 24;
constexpr std::size_t kMostPlaces = 2;

struct Place {
  std::string path;
  std::string type;  ///< of an object that says it
  std::string word;  ///< its value, when that is a short text
};

/// Places where `after` differs: the outermost that `before` has not.
class Differences {
 public:
  std::vector<Place> find(const json::Value& before, const json::Value& after) {
    compare(before, after, "");
    return std::move(places_);
  }

 private:
  void compare(const json::Value& before, const json::Value& after,
               const std::string& path) {
    if (before.raw() == after.raw()) return;
    if (before.is_object() && after.is_object()) {
      for (const json::Value member : after.children()) {
        compare(before[member.key()], member,
                (path.empty() ? path : path + ".") + std::string(member.key()));
      }
      return;
    }
    if (before.is_array() && after.is_array())
      return arrays(before, after, path);
    add(path, after);
  }

  /// Elements are told apart by what they are, not by where.
  void arrays(const json::Value& before, const json::Value& after,
              const std::string& path) {
    std::vector<json::Value> old;
    for (const json::Value element : before.children()) old.push_back(element);
    std::size_t index = 0;
    for (const json::Value element : after.children()) {
      const auto same = std::find_if(
          old.begin(), old.end(),
          [&](const json::Value& one) { return one.raw() == element.raw(); });
      const std::size_t place = index++;
      if (same != old.end()) continue;
      const bool pairs = place < old.size() && before.size() == after.size();
      compare(pairs ? old[place] : json::Value(), element, path + "[]");
    }
  }

  void add(const std::string& path, const json::Value& value) {
    if (value.is_null()) return;  // it says nothing any more
    // An object of one member is named by that: unions of the API.
    if (value.is_object() && value.size() == 1) {
      const json::Value only = *value.children().begin();
      return add(path + "." + std::string(only.key()), only);
    }
    Place place{path, {}, {}};
    if (value.is_object()) place.type = value["type"].string();
    if (value.is_string() && value.string().size() <= kLongestWord) {
      place.word = value.string();
    }
    const bool known =
        std::any_of(places_.begin(), places_.end(), [&](const Place& one) {
          return one.path == place.path && one.type == place.type;
        });
    if (!known) places_.push_back(std::move(place));
  }

  std::vector<Place> places_;
};

bool any(const Losses& losses, LossKind kind) {
  return std::any_of(losses.begin(), losses.end(),
                     [kind](const Loss& loss) { return loss.kind == kind; });
}

std::string text_of(const std::vector<Place>& places, bool values) {
  std::string out;
  for (std::size_t i = 0; i < std::min(places.size(), kMostPlaces); ++i) {
    if (i > 0) out += ", ";
    out += "`" + places[i].path + "`";
    if (!places[i].type.empty()) out += " " + places[i].type;
    if (values && !places[i].word.empty()) out += " " + places[i].word;
  }
  if (places.size() > kMostPlaces) out += ", ...";
  return out;
}

}  // namespace

std::string cell(const Result<Encoded>& without, const Result<Encoded>& with,
                 bool values) {
  if (!with) return "refused";
  json::Document before;
  json::Document after;
  const auto old_root = before.parse(without->body);
  const auto new_root = after.parse(with->body);
  if (!old_root || !new_root) return "not JSON";
  const std::string places =
      text_of(Differences().find(*old_root, *new_root), values);
  const Losses& losses = with->losses;
  const bool near = any(losses, LossKind::approximated);
  const bool gone = any(losses, LossKind::dropped);
  if (places.empty()) return gone ? "dropped" : near ? "~" : "(nothing to say)";
  return (near ? "~ " : "") + places + (gone ? ", partly dropped" : "");
}

}  // namespace llmproxy::testing
