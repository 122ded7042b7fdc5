#include "base/bounded.h"

#include <utility>

namespace llmproxy {
namespace {

constexpr std::string_view kEllipsis = "...";

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u;
}

}  // namespace

std::string cut_short(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most - kEllipsis.size();
  while (end > 0 && is_continuation(text[end])) --end;
  text.resize(end);
  text += kEllipsis;
  return text;
}

void add_loss(Losses& losses, Loss loss) {
  if (losses.size() >= kMaxLosses) return;
  if (losses.size() + 1 == kMaxLosses) {
    loss = {"", "more was lost than is listed here", LossKind::approximated};
  }
  loss.path = cut_short(std::move(loss.path), kMaxPointer);
  loss.what = cut_short(std::move(loss.what), kMaxSentence);
  losses.push_back(std::move(loss));
}

}  // namespace llmproxy
