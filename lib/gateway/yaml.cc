// YamlNode over yaml-cpp 0.7. Its exceptions are caught in parse_yaml; the
// calls used elsewhere do not throw on nodes that came from a parse.
#include "gateway/yaml.h"

#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "gateway/environment.h"

namespace llmproxy::gateway {
namespace {

// Ten years: far beyond sense, well inside milliseconds of 64 bits.
constexpr double kMaxSeconds = 10.0 * 365 * 86400;

struct BooleanRow {
  std::string_view word;
  bool value;
};
constexpr std::array kBooleans = {
    BooleanRow{"true", true}, BooleanRow{"false", false},
    BooleanRow{"yes", true},  BooleanRow{"no", false},
    BooleanRow{"on", true},   BooleanRow{"off", false},
};

Error located(const YamlSource& source, const YAML::Mark& mark,
              std::string_view what) {
  // yaml-cpp counts lines from 0; a null mark has line -1.
  return invalid_request(
      fmt::format("{}:{}: {}", source.name, mark.line + 1, what));
}

}  // namespace

Error YamlNode::error(std::string_view what) const {
  if (path_.empty()) return located(*source_, mark_, what);
  return located(*source_, mark_, fmt::format("{}: {}", path_, what));
}

Result<std::string> YamlNode::text() const {
  if (!node_.IsScalar()) return error("expected a string");
  Result<std::string> value = substitute(node_.Scalar(), source_->environment);
  if (value) return value;
  Error fault = error(value.error().message);
  fault.code = value.error().code;
  return fault;
}

std::string YamlNode::origin() const {
  std::string origin = fmt::format("{}:{}", source_->name, mark_.line + 1);
  if (node_.IsScalar()) {
    for (const std::string& name : variables_of(node_.Scalar())) {
      origin += ", environment " + name;
    }
  }
  return origin;
}

void YamlNode::note_origin() const {
  source_->origins->push_back({path_, origin()});
}

Result<std::string> YamlNode::some_text() const {
  LLMPROXY_ASSIGN(std::string value, text());
  if (value.empty()) return error("expected a string that is not empty");
  return value;
}

Result<bool> YamlNode::boolean() const {
  constexpr std::string_view kExpected = "expected true or false";
  if (!node_.IsScalar()) return error(kExpected);
  LLMPROXY_ASSIGN(const std::string word, text());
  for (const BooleanRow& row : kBooleans) {
    if (row.word == word) return row.value;
  }
  return error(kExpected);
}

Result<std::int64_t> YamlNode::integer(std::int64_t min,
                                       std::int64_t max) const {
  const std::string expected =
      fmt::format("expected a whole number from {} to {}", min, max);
  if (!node_.IsScalar()) return error(expected);
  LLMPROXY_ASSIGN(const std::string word, text());
  std::int64_t value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, code] = std::from_chars(word.data(), end, value);
  if (code != std::errc() || stop != end || value < min || value > max) {
    return error(expected);
  }
  return value;
}

Result<std::chrono::milliseconds> YamlNode::seconds() const {
  constexpr std::string_view kExpected =
      "expected a number of seconds, 0 or more";
  if (!node_.IsScalar()) return error(kExpected);
  LLMPROXY_ASSIGN(const std::string word, text());
  double value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, code] = std::from_chars(word.data(), end, value);
  // The comparison is written so that NaN fails it.
  if (code != std::errc() || stop != end ||
      !(value >= 0 && value <= kMaxSeconds)) {
    return error(kExpected);
  }
  return std::chrono::milliseconds(std::llround(value * 1000));
}

Result<std::string> YamlNode::one_of(
    std::span<const std::string_view> words) const {
  LLMPROXY_ASSIGN(std::string value, text());
  for (const std::string_view word : words) {
    if (word == value) return value;
  }
  return error("expected " + list_of(words) + did_you_mean(value, words));
}

Result<std::vector<std::pair<std::string, YamlNode>>> YamlNode::members()
    const {
  std::vector<std::pair<std::string, YamlNode>> out;
  if (node_.IsNull()) return out;
  if (!node_.IsMap()) return error("expected keys with values");
  std::set<std::string> seen;
  for (const auto& member : node_) {
    if (!member.first.IsScalar()) {
      return located(*source_, member.first.Mark(),
                     path_ + ": expected a plain key");
    }
    const std::string key = member.first.Scalar();
    std::string path = path_.empty() ? key : path_ + "." + key;
    if (!seen.insert(key).second) {
      return located(*source_, member.first.Mark(),
                     path + ": this name is given twice");
    }
    out.emplace_back(key, YamlNode(*source_, member.second, member.first.Mark(),
                                   std::move(path)));
  }
  return out;
}

Result<std::vector<YamlNode>> YamlNode::items() const {
  std::vector<YamlNode> out;
  if (node_.IsNull()) return out;
  if (!node_.IsSequence()) return error("expected a list");
  for (std::size_t i = 0; i < node_.size(); ++i) {
    out.emplace_back(*source_, node_[i], node_[i].Mark(),
                     fmt::format("{}[{}]", path_, i));
  }
  return out;
}

Result<YamlNode> parse_yaml(const YamlSource& source, std::string_view text) {
  try {
    YAML::Node root = YAML::Load(std::string(text));
    return YamlNode(source, root, root.Mark(), "");
  } catch (const YAML::Exception& e) {
    return located(source, e.mark, e.msg);
  }
}

}  // namespace llmproxy::gateway
