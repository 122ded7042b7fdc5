// The clients that `llm-proxy env` knows, one row each.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace llmproxy {

struct ClientRow {
  std::string_view name;  ///< as it is typed: "claude-code"
  /// Other names people type, with a blank between two.
  std::string_view aliases;
  std::string_view title;    ///< as its makers write it
  std::string_view dialect;  ///< what it speaks to the proxy
  /// What to set and to type. {url}, {key} and {model} are put in as words of
  /// a shell, {url_text} and so on as the inside of "..." in JSON, YAML,
  /// Python and JavaScript.
  std::string_view text;
};

/// In the order in which they are listed.
std::span<const ClientRow> clients();

/// The row of that name or alias, whatever its case and whether its words are
/// joined by "-", "_", "." or a blank; nullptr = none.
const ClientRow* find_client(std::string_view typed);

/// What the placeholders of a row stand for.
struct ClientValues {
  std::string url;  ///< without a slash at its end
  std::string key;
  std::string model;
};
/// The row's text with these values in it.
std::string settings_for(const ClientRow& row, const ClientValues& values);

}  // namespace llmproxy
