// ByteBudget: how many bytes all bodies and answers that are on their way may
// hold together. Who holds some has a ByteLease, which gives them back.
//
//   ByteBudget budget(512 << 20);
//   ByteLease lease(&budget);
//   if (!lease.grow(piece.size())) ...  // say 503; try again later
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Thread-safe. Outlives its leases.
class ByteBudget {
 public:
  /// 0 = no limit.
  explicit ByteBudget(std::size_t limit) : limit_(limit) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  /// As it was made with.
  std::size_t limit() const { return limit_; }
  /// Bytes that are leased now.
  std::size_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  friend class ByteLease;

  bool take(std::size_t bytes) {
    const std::size_t before =
        held_.fetch_add(bytes, std::memory_order_relaxed);
    if (limit_ == 0 || (before <= limit_ && bytes <= limit_ - before)) {
      return true;
    }
    give_back(bytes);
    return false;
  }
  void give_back(std::size_t bytes) {
    held_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  const std::size_t limit_;
  std::atomic<std::size_t> held_{0};
};

/// Bytes of a budget that one body or answer holds. Belongs to one thread at
/// a time.
class ByteLease {
 public:
  /// Holds nothing, and may grow without limit.
  ByteLease() = default;
  /// Borrows `budget`; null = no limit.
  explicit ByteLease(ByteBudget* budget) : budget_(budget) {}
  /// Takes what `other` holds, which holds nothing then.
  /// @{
  ByteLease(ByteLease&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  ByteLease& operator=(ByteLease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  /// @}
  ByteLease(const ByteLease&) = delete;
  ByteLease& operator=(const ByteLease&) = delete;
  ~ByteLease() { release(); }

  /// False = the budget has not so many left; nothing was taken then.
  [[nodiscard]] bool grow(std::size_t bytes) {
    if (budget_ != nullptr && !budget_->take(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  /// Gives some back; no more than bytes().
  void shrink(std::size_t bytes) {
    bytes_ -= bytes;
    if (budget_ != nullptr) budget_->give_back(bytes);
  }
  /// Gives all back.
  void release() { shrink(bytes_); }
  /// What it holds.
  std::size_t bytes() const { return bytes_; }

 private:
  ByteBudget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
