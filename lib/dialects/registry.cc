// The list of dialects, from dialects.def: one line there is all it takes.
#include <algorithm>
#include <array>
#include <utility>

#include "chat/parse_answer.h"
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
constexpr const Dialect* kBuiltIn[] = {
#define DIALECT(folder) &folder::kDialect,
#include "dialects/dialects.def"
#undef DIALECT
};

/// All of them. The one thing in the core that changes, and only before the
/// host uses it.
struct Registry {
  std::array<const Dialect*, kMaxDialects> all{};
  std::size_t count = 0;

  constexpr Registry() {
    for (const Dialect* dialect : kBuiltIn) all[count++] = dialect;
  }
};
constinit Registry registry;

const Dialect* find_exactly(std::string_view name) {
  const auto end = registry.all.begin() + registry.count;
  const auto found = std::find_if(
      registry.all.begin(), end,
      [&](const Dialect* dialect) { return dialect->name == name; });
  return found == end ? nullptr : *found;
}

bool is_whole(const Dialect& d) {
  return !d.name.empty() && d.decode_request && d.encode_request &&
         d.decode_response && d.encode_response && d.decode_error &&
         d.is_error && d.encode_error && d.new_stream_decoder &&
         d.new_stream_encoder;
}

}  // namespace

std::span<const Dialect* const> dialects() {
  return {registry.all.data(), registry.count};
}

bool register_dialect(const Dialect& dialect) {
  if (!is_whole(dialect) || find_exactly(dialect.name) != nullptr ||
      registry.count == kMaxDialects) {
    return false;
  }
  registry.all[registry.count++] = &dialect;
  return true;
}

const Dialect* find_dialect(std::string_view name) {
  if (const Dialect* dialect = find_exactly(name)) return dialect;
  if (name.empty()) return nullptr;
  for (const Dialect* dialect : dialects()) {
    if (dialect->vendor == name) return dialect;
  }
  return nullptr;
}

std::string_view json_text(const json::Value& value) { return value.raw(); }

RawJson raw_json(const json::Value& value) { return value.raw_json(); }

Result<ChatResponse> decode_response(const Dialect& dialect,
                                     std::string_view body, Losses& losses) {
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, parse_answer(document, body));
  return dialect.decode_response(root, losses);
}

}  // namespace llmproxy
