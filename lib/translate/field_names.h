// Losses and errors of a request, in the names of the client's dialect.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"
#include "llmproxy/dialect.h"

namespace llmproxy {

/// Knows where a request's fields and tools stood in the client's body.
class FieldNames {
 public:
  /// `body`: the client's, for how it spells what has two spellings.
  FieldNames(const Dialect& dialect, const ChatRequest& request,
             const json::Value& body = {});

  /// `path`, whose first members have canonical names, as the client's
  /// dialect spells it.
  std::string own(std::string_view path) const;

 private:
  /// A place of this dialect's and how the client spells it.
  struct Spelled {
    std::string own;
    std::string given;
  };

  void read_spellings(const json::Value& body);
  std::string renamed(std::string_view path) const;
  /// A path at or below a tool whose place is known.
  std::optional<std::string> of_tool(std::string_view path) const;

  const Dialect& dialect_;
  std::vector<std::string> tools_;  ///< their places, where not by index
  std::string schema_;              ///< of the response format, likewise
  std::vector<Spelled> spelled_;
};

}  // namespace llmproxy
