// UsageReader: finds out what an upstream counted in an answer that is passed
// on as it is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/translate.h"

namespace llmproxy::gateway {

class UsageReader {
 public:
  /// Reads nothing until begin().
  UsageReader() = default;

  /// An answer of `dialect`; `stream`: its events, else one JSON text.
  void begin(const Dialect& dialect, RequestContext context, bool stream);
  /// Looks at a piece of the answer.
  void feed(std::string_view bytes);
  /// What was counted so far.
  Usage usage();

 private:
  const Dialect* dialect_ = nullptr;
  RequestContext context_;
  std::optional<StreamTranslator> events_;
  std::string text_;  ///< of an answer in one piece; bounded
};

}  // namespace llmproxy::gateway
