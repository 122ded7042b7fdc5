// YamlNode over yaml-cpp 0.7. Its exceptions are caught in parse_yaml; the
// calls used elsewhere do not throw on nodes that came from a parse.
#include "gateway/yaml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/environment.h"
#include "gateway/yaml_faults.h"

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

Error at_line(const YamlSource& source, int line, std::string_view what) {
  return invalid_request(fmt::format("{}:{}: {}", source.name, line, what));
}

Error located(const YamlSource& source, const YAML::Mark& mark,
              std::string_view what) {
  // yaml-cpp counts lines from 0; a null mark, as of an empty file, has -1.
  return at_line(source, std::max(mark.line, 0) + 1, what);
}

/// True for what word processors make of quotes.
bool has_typographic_quote(std::string_view text) {
  constexpr std::array<std::string_view, 4> kQuotes = {
      "\xE2\x80\x9C", "\xE2\x80\x9D", "\xE2\x80\x98", "\xE2\x80\x99"};
  return std::any_of(kQuotes.begin(), kQuotes.end(), [&](std::string_view row) {
    return text.starts_with(row);
  });
}

/// What a node is, for who expected something else.
std::string_view kind_of(const YAML::Node& node) {
  if (node.IsSequence()) return "a list";
  if (node.IsMap()) return "keys with values";
  return node.IsScalar() ? "a text" : "nothing";
}

/// "port:8080" is a text to YAML.
std::string colon_hint(const YAML::Node& node) {
  if (!node.IsScalar()) return {};
  const std::string& text = node.Scalar();
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || !is_name(text.substr(0, colon))) return {};
  return fmt::format("; is a space missing after \"{}:\"?",
                     text.substr(0, colon));
}

/// For messages: a name may be anything.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return text;
}

}  // namespace

Error YamlNode::error(std::string_view what) const {
  if (path_.empty()) return located(*source_, mark_, what);
  return located(*source_, mark_, fmt::format("{}: {}", path_, what));
}

Result<std::string> YamlNode::text() const {
  if (!node_.IsScalar()) {
    return error(fmt::format("expected a string, found {}", kind_of(node_)));
  }
  if (has_typographic_quote(node_.Scalar())) {
    return error("this begins with a typographic quote; write \" or '");
  }
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
      origin += ", " + origin_of_variable(source_->environment, name);
    }
  }
  return origin;
}

std::vector<std::string> YamlNode::dotenv_variables() const {
  if (!node_.IsScalar()) return {};
  std::vector<std::string> names = variables_of(node_.Scalar());
  std::erase_if(names, [&](const std::string& name) {
    return !is_from_dotenv(source_->environment, name);
  });
  return names;
}

std::vector<std::string> YamlNode::real_variables() const {
  if (!node_.IsScalar()) return {};
  std::vector<std::string> names = variables_of(node_.Scalar());
  std::erase_if(names, [&](const std::string& name) {
    return is_from_dotenv(source_->environment, name) ||
           !source_->environment(name).has_value();
  });
  return names;
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
  // "True" and "TRUE" are as good (YAML 1.2.2, section 10.3.2).
  LLMPROXY_ASSIGN(std::string word, text());
  word = lower(word);
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
  if (!node_.IsMap()) {
    return error(fmt::format("expected keys with values, found {}{}",
                             kind_of(node_), colon_hint(node_)));
  }
  std::set<std::string> seen;
  for (const auto& member : node_) {
    if (!member.first.IsScalar()) {
      return located(*source_, member.first.Mark(),
                     path_ +
                         ": expected a plain key; between { } values need "
                         "quotes, and variables are written \"${NAME}\"");
    }
    const std::string written = printable(member.first.Scalar());
    std::string path = path_.empty() ? written : path_ + "." + written;
    const YamlNode name(*source_, member.first, member.first.Mark(), path);
    LLMPROXY_ASSIGN(const std::string key, name.text());
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
  if (!node_.IsSequence()) {
    return error(fmt::format("expected a list such as [one, two], found {}",
                             kind_of(node_)));
  }
  for (std::size_t i = 0; i < node_.size(); ++i) {
    out.emplace_back(*source_, node_[i], node_[i].Mark(),
                     fmt::format("{}[{}]", path_, i));
  }
  return out;
}

namespace {

/// What programs of the same kind call it.
struct SynonymRow {
  std::string_view theirs;
  std::string_view ours;
};
constexpr std::array kSynonyms = {
    SynonymRow{"url", "base_url"},
    SynonymRow{"endpoint", "base_url"},
    SynonymRow{"api_base", "base_url"},
    SynonymRow{"host", "base_url"},
    SynonymRow{"base", "base_url"},
    SynonymRow{"key", "api_key"},
    SynonymRow{"token", "api_key"},
    SynonymRow{"secret", "api_key"},
    SynonymRow{"type", "provider"},
    SynonymRow{"kind", "provider"},
    SynonymRow{"vendor", "provider"},
    SynonymRow{"timeout", "deadlines"},
    SynonymRow{"timeouts", "deadlines"},
    SynonymRow{"extra_headers", "headers"},
    SynonymRow{"providers", "backends"},
    SynonymRow{"upstreams", "backends"},
    SynonymRow{"routes", "models"},
    SynonymRow{"aliases", "models"},
    SynonymRow{"logging", "log"},
    SynonymRow{"target", "backend"},
    SynonymRow{"name", "model"},
    SynonymRow{"address", "host"},
    SynonymRow{"listen", "host"},
    SynonymRow{"api_keys", "client_keys"},
    SynonymRow{"keys", "client_keys"},
    SynonymRow{"auth", "client_keys"},
    SynonymRow{"rate_limit", "rate_limiting"},
    SynonymRow{"limits", "rate_limiting"},
};

/// Sections of other programs' files.
struct ForeignRow {
  std::string_view key;
  std::string_view hint;
};
constexpr std::string_view kLiteLlm =
    "this is a configuration of LiteLLM: \"llm-proxy import litellm FILE\" "
    "makes one of ours of it";
constexpr std::array kForeign = {
    ForeignRow{"model_list", kLiteLlm},
    ForeignRow{"litellm_settings", kLiteLlm},
    ForeignRow{"general_settings", kLiteLlm},
    ForeignRow{"router_settings", kLiteLlm},
    ForeignRow{"environment_variables", kLiteLlm},
};

/// Keys of a section that people write beside the sections.
struct PlaceRow {
  std::string_view key;
  std::string_view section;
  std::string_view ours;
};
constexpr std::array kPlaces = {
    PlaceRow{"port", "server", "port"},
    PlaceRow{"host", "server", "host"},
    PlaceRow{"listen", "server", "host"},
    PlaceRow{"cors", "server", "cors"},
    PlaceRow{"hosts", "server", "hosts"},
    PlaceRow{"allow_anonymous", "server", "allow_anonymous"},
    PlaceRow{"client_keys", "server", "client_keys"},
    PlaceRow{"api_keys", "server", "client_keys"},
    PlaceRow{"keys", "server", "client_keys"},
    PlaceRow{"auth", "server", "client_keys"},
    PlaceRow{"log_level", "log", "level"},
    PlaceRow{"log_file", "log", "file"},
    PlaceRow{"log_format", "log", "format"},
};

/// Of "port" and "server.port" at the top of the file.
std::string place_of(std::string_view key,
                     std::span<const std::string_view> known) {
  const auto is_known = [&](std::string_view section) {
    return std::find(known.begin(), known.end(), section) != known.end();
  };
  for (const PlaceRow& row : kPlaces) {
    if (row.key == key && is_known(row.section)) {
      return fmt::format("; did you mean \"{}\" below \"{}:\"?", row.ours,
                         row.section);
    }
  }
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos || !is_known(key.substr(0, dot))) return {};
  return fmt::format("; write what is behind the dot below \"{}:\", indented",
                     key.substr(0, dot));
}

std::string synonym_of(std::string_view key,
                       std::span<const std::string_view> known) {
  for (const SynonymRow& row : kSynonyms) {
    const bool fits = row.theirs == key && std::find(known.begin(), known.end(),
                                                     row.ours) != known.end();
    if (fits) return fmt::format("; did you mean \"{}\"?", row.ours);
  }
  return {};
}

}  // namespace

Error unknown_key(const YamlNode& node, std::string_view key,
                  std::span<const std::string_view> known) {
  for (const ForeignRow& row : kForeign) {
    if (row.key == key) {
      return node.error(fmt::format("unknown key; {}", row.hint));
    }
  }
  std::string hint = did_you_mean(key, known);
  if (hint.empty()) hint = synonym_of(key, known);
  if (hint.empty()) hint = place_of(key, known);
  // "{port 8080}" is a key without a value.
  if (key.find(' ') != std::string_view::npos && node.is_empty()) {
    hint = "; is a colon missing?";
  }
  return node.error("unknown key; expected " + list_of(known) + hint);
}

namespace {

/// yaml-cpp takes all that follows a quote for its text where none ends it.
/// What no text can hold is then no mistake either.
bool is_inside_quote(std::string text) {
  try {
    YAML::LoadAll(text.append("\n}\n"));
    return true;
  } catch (const YAML::Exception&) {
    return false;
  }
}

Result<YamlNode> root_of(const YamlSource& source, std::string_view text) {
  const std::vector<YAML::Node> all = YAML::LoadAll(std::string(text));
  const YAML::Node root = all.empty() ? YAML::Node() : all.front();
  if (root.IsScalar()) {
    return located(source, root.Mark(),
                   fmt::format("expected keys with values, found {}{}",
                               kind_of(root), no_keys_hint(text)));
  }
  // A bracket behind "null" or a bare text is no mistake to the parser either.
  const bool has_quote = text.find_first_of("\"'") != std::string_view::npos;
  if (has_quote && is_inside_quote(std::string(text))) {
    const YamlFault fault = unclosed_quote(text);
    return at_line(source, fault.line, fault.what);
  }
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].IsNull()) continue;
    return located(source, all[i].Mark(),
                   "a second document begins here; expected one");
  }
  return YamlNode(source, root, root.Mark(), "");
}

}  // namespace

Result<YamlNode> parse_yaml(const YamlSource& source, std::string_view text) {
  try {
    return root_of(source, text);
  } catch (const YAML::Exception& e) {
    const YamlFault fault =
        explain_stop(text, {e.mark.line + 1, e.mark.column + 1, e.msg});
    return at_line(source, fault.line, fault.what);
  }
}

}  // namespace llmproxy::gateway
