// ModelList: what one backend is known to have, and when to ask it again. A
// pure value: it is told the time, and asks nobody.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/model_page.h"

namespace llmproxy::gateway {

using ModelNames = std::vector<std::string>;

/// At most so much of one backend.
inline constexpr std::size_t kMaxModels = 10'000;
inline constexpr std::size_t kMaxModelPages = 20;

class ModelList {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// A failure is forgotten after this long, or after the list's age if that
  /// is shorter.
  static constexpr std::chrono::seconds kRetry{30};
  /// A list that was begun so long ago is begun again: its tokens end.
  static constexpr std::chrono::seconds kPatience{60};

  explicit ModelList(std::chrono::milliseconds max_age) : max_age_(max_age) {}

  /// The page to ask for now ("" = the first); nullopt = none: what is known
  /// is new, or somebody asks already, or the last one failed a moment ago.
  /// Then one of take(), fail() and give_up() is due.
  std::optional<std::string> ask(Time now);
  /// A page came.
  void take(ModelPage page, Time now);
  /// None came. What was known stays.
  void fail(Time now);
  /// It was not asked after all.
  void give_up();

  /// As last told in full; null = never.
  std::shared_ptr<const ModelNames> names() const { return names_; }
  /// Nothing is known yet, and the first answer is on its way.
  bool is_first() const { return asking_ && names_ == nullptr && !failed_; }
  /// When the list that is on its way was begun.
  Time begun() const { return begun_; }

 private:
  const std::chrono::milliseconds max_age_;
  std::shared_ptr<const ModelNames> names_;
  ModelNames gathered_;
  std::optional<std::string> next_;  ///< page, of a list that was begun
  std::size_t pages_ = 0;            ///< of it
  bool asking_ = false;
  bool failed_ = false;
  std::optional<Time> due_;  ///< when to ask again; none = at once
  Time begun_{};
};

}  // namespace llmproxy::gateway
