// Losses and errors of a request, in the names of the client's dialect.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/dialect.h"

namespace llmproxy {

/// Knows where a request's fields and tools stood in the client's body.
class FieldNames {
 public:
  FieldNames(const Dialect& dialect, const ChatRequest& request);

  /// `path`, whose first members have canonical names, as the client's
  /// dialect spells it.
  std::string own(std::string_view path) const;

 private:
  const Dialect& dialect_;
  std::vector<std::string> tools_;  ///< their places, where not by index
  std::string schema_;              ///< of the response format, likewise
};

}  // namespace llmproxy
