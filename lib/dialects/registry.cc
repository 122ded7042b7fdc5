// The list of dialects, from dialects.def: one line there is all it takes.
#include <array>

#include "llmproxy/dialect.h"

namespace llmproxy {

#define DIALECT(folder)          \
  namespace folder {             \
  extern const Dialect kDialect; \
  }
#include "dialects/dialects.def"
#undef DIALECT

namespace {

// Pointers to constants of other files: constant-initialised, so that no
// order of initialisation matters.
constexpr const Dialect* kDialects[] = {
#define DIALECT(folder) &folder::kDialect,
#include "dialects/dialects.def"
#undef DIALECT
};

}  // namespace

std::span<const Dialect* const> dialects() { return kDialects; }

const Dialect* find_dialect(std::string_view name) {
  for (const Dialect* dialect : kDialects) {
    if (dialect->name == name) return dialect;
  }
  return nullptr;
}

}  // namespace llmproxy
