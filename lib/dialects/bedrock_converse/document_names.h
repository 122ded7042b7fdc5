// Names of documents for Converse: each must have one, of few characters, and
// none stands twice in a request.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace llmproxy::bedrock_converse {

class DocumentNames {
 public:
  /// The name of the next document, after its title; a neutral one where
  /// there is none. The same in every request, or the prompt cache would miss.
  std::string next(std::string_view title);

 private:
  std::set<std::string, std::less<>> given_;
  int unnamed_ = 0;
};

}  // namespace llmproxy::bedrock_converse
