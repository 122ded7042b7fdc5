// What the readers of the configuration's sections share: rows that read one
// value into one member.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "gateway/yaml.h"

namespace llmproxy::gateway {

// Texts are indexed with 32 bits once they are parsed.
inline constexpr std::int64_t kMaxBytes =
    std::numeric_limits<std::uint32_t>::max();

template <class Section, std::string Section::*member>
Result<void> read_text(const YamlNode& node, Section& out) {
  LLMPROXY_ASSIGN(out.*member, node.text());
  return {};
}

template <class Section, std::string Section::*member>
Result<void> read_some_text(const YamlNode& node, Section& out) {
  LLMPROXY_ASSIGN(out.*member, node.some_text());
  return {};
}

template <class Section, bool Section::*member>
Result<void> read_boolean(const YamlNode& node, Section& out) {
  LLMPROXY_ASSIGN(out.*member, node.boolean());
  return {};
}

template <class Section, std::chrono::milliseconds Section::*member>
Result<void> read_seconds(const YamlNode& node, Section& out) {
  LLMPROXY_ASSIGN(out.*member, node.seconds());
  return {};
}

/// A whole number of at least `min`, bytes or pieces.
template <class Section, std::size_t Section::*member, std::int64_t min,
          std::int64_t max = kMaxBytes>
Result<void> read_size(const YamlNode& node, Section& out) {
  LLMPROXY_ASSIGN(const std::int64_t value, node.integer(min, max));
  out.*member = static_cast<std::size_t>(value);
  return {};
}

// The rows themselves: what a reader takes is said beside it.

template <class Section, std::string Section::*member>
constexpr YamlField<Section> text_field(std::string_view key,
                                        std::string_view about) {
  return {key, read_text<Section, member>, kText, about};
}

template <class Section, std::string Section::*member>
constexpr YamlField<Section> some_text_field(std::string_view key,
                                             std::string_view about) {
  return {key, read_some_text<Section, member>, kText, about};
}

template <class Section, bool Section::*member>
constexpr YamlField<Section> boolean_field(std::string_view key,
                                           std::string_view about) {
  return {key, read_boolean<Section, member>, kBoolean, about};
}

template <class Section, std::chrono::milliseconds Section::*member>
constexpr YamlField<Section> seconds_field(std::string_view key,
                                           std::string_view about) {
  return {key, read_seconds<Section, member>, kNumber, about};
}

template <class Section, std::size_t Section::*member, std::int64_t min,
          std::int64_t max = kMaxBytes>
constexpr YamlField<Section> size_field(std::string_view key,
                                        std::string_view about) {
  return {key, read_size<Section, member, min, max>, whole(min, max), about};
}

}  // namespace llmproxy::gateway
