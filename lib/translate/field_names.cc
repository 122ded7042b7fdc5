#include "translate/field_names.h"

namespace llmproxy {
namespace {

bool is_at_or_below(std::string_view path, std::string_view pointer) {
  return path.starts_with(pointer) &&
         (path.size() == pointer.size() || path[pointer.size()] == '/');
}

}  // namespace

std::string own_path(const Dialect& dialect, std::string_view path) {
  const FieldName* best = nullptr;
  for (const FieldName& row : dialect.field_names) {
    const bool longer =
        best == nullptr || row.canonical.size() > best->canonical.size();
    if (longer && is_at_or_below(path, row.canonical)) best = &row;
  }
  if (best == nullptr) return std::string(path);
  return std::string(best->own).append(path.substr(best->canonical.size()));
}

void name_fields(const Dialect& dialect, Losses& losses) {
  for (Loss& loss : losses) loss.path = own_path(dialect, loss.path);
}

}  // namespace llmproxy
