// Reading YAML with the place of every mistake: a thin layer over yaml-cpp
// that keeps file, line and dotted path beside each node, replaces
// environment variables, and answers with Result instead of throwing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "gateway/config_shape.h"
#include "llmproxy/config.h"
#include "llmproxy/suggest.h"

namespace llmproxy::gateway {

/// One file being read. Nodes borrow it.
struct YamlSource {
  std::string name;  ///< as written in messages
  const Environment& environment;
  /// Where each value came from is added here.
  std::vector<ValueOrigin>* origins;
};

/// One node of the file.
class YamlNode {
 public:
  /// `mark` is where messages point: the key's line, as an alias has the
  /// line of its anchor and an empty value has none.
  YamlNode(const YamlSource& source, const YAML::Node& node, YAML::Mark mark,
           std::string path)
      : source_(&source), node_(node), mark_(mark), path_(std::move(path)) {}

  /// invalid_request: "file:line: path: what".
  Error error(std::string_view what) const;

  const std::string& path() const { return path_; }
  bool is_map() const { return node_.IsMap(); }
  bool is_text() const { return node_.IsScalar(); }
  bool is_list() const { return node_.IsSequence(); }
  bool is_empty() const { return node_.IsNull(); }
  /// Where this value came from: file, line and variables.
  std::string origin() const;
  /// Notes that in the source's origins.
  void note_origin() const;
  /// The variables of this text that are set, by where they are: in a file of
  /// with_dotenv(), or in the real environment.
  std::vector<std::string> dotenv_variables() const;
  std::vector<std::string> real_variables() const;

  /// Any scalar, variables replaced.
  Result<std::string> text() const;
  /// As text(), but not empty.
  Result<std::string> some_text() const;
  Result<bool> boolean() const;
  Result<std::int64_t> integer(std::int64_t min, std::int64_t max) const;
  /// Seconds, fractions allowed, 0 and up.
  Result<std::chrono::milliseconds> seconds() const;
  /// One of the words.
  Result<std::string> one_of(std::span<const std::string_view> words) const;
  /// Members in order, variables in their names replaced; an empty node has
  /// none. A name given twice is an error. Paths have the names as written.
  Result<std::vector<std::pair<std::string, YamlNode>>> members() const;
  Result<std::vector<YamlNode>> items() const;

 private:
  const YamlSource* source_;
  YAML::Node node_;
  YAML::Mark mark_;
  std::string path_;
};

/// Parses a file. Errors: as YamlNode::error.
Result<YamlNode> parse_yaml(const YamlSource& source, std::string_view text);

/// One key of a section: how to read it, and what it may be.
template <class T>
struct YamlField {
  std::string_view key;
  Result<void> (*read)(const YamlNode& node, T& out);
  Shape shape = {};
  std::string_view about = {};  ///< for people who fill it in
};

/// Of a key that no row of its section has.
Error unknown_key(const YamlNode& node, std::string_view key,
                  std::span<const std::string_view> known);

/// Reads every member of `node` by its row; a key without one is an error.
template <class T, std::size_t N>
Result<void> read_section(const YamlNode& node, const YamlField<T> (&fields)[N],
                          T& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [key, value] : members) {
    const YamlField<T>* found = nullptr;
    for (const YamlField<T>& field : fields) {
      if (field.key == key) found = &field;
    }
    if (found == nullptr) {
      std::vector<std::string_view> known;
      for (const YamlField<T>& field : fields) known.push_back(field.key);
      return unknown_key(value, key, known);
    }
    LLMPROXY_TRY(found->read(value, out));
    if (!value.is_map()) value.note_origin();
  }
  return {};
}

}  // namespace llmproxy::gateway
