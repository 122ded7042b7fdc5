#include "chat/losses.h"

#include <fmt/format.h>

namespace llmproxy {

void lose(Losses& losses, std::string path, std::string_view who,
          std::string_view thing) {
  add_loss(losses, {std::move(path),
                    fmt::format("{} does not take {}; dropped", who, thing),
                    LossKind::dropped});
}

void lose(Losses& losses, std::string path, std::string_view who,
          std::string_view thing, std::string_view became) {
  add_loss(losses, {std::move(path),
                    fmt::format("{} does not take {}; {}", who, thing, became),
                    LossKind::approximated});
}

}  // namespace llmproxy
