// Embeddings of the demo: texts that share words lie near to each other, so
// that a search over them finds something; the same text is always the same
// vector.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/dialect.h"
#include "llmproxy/result.h"

namespace llmproxy::demo {

/// One way to ask for embeddings; rows in embeddings.cc.
struct EmbeddingsPath;

/// What a URL asks for, or nullptr.
const EmbeddingsPath* find_embeddings(std::string_view url);
/// For errors.
const Dialect& dialect_of(const EmbeddingsPath& path);

struct Embeddings {
  std::string model;  ///< as it was asked for
  std::string body;   ///< of the answer
};
/// Errors: invalid_request.
Result<Embeddings> embed(const EmbeddingsPath& path, std::string_view url,
                         std::string_view body);

}  // namespace llmproxy::demo
