#include "core/worker/autoscaled_polls.h"

#include <algorithm>

namespace chimera::core {
namespace {

constexpr std::chrono::milliseconds kWindow{100};
constexpr double kBusier = 1.1;
// Of a poll in a burst: its end without a task tells early that the burst is over.
constexpr std::chrono::milliseconds kBurstPoll{11'000};

}  // namespace

AutoscaledPolls::AutoscaledPolls(const PollerAutoscaling& limits, const base::Clock& clock,
                                 bool server_advises, double per_second)
    : limits_(limits),
      clock_(clock),
      per_second_(per_second),
      target_(limits.initial),
      advised_(server_advises),
      window_began_(clock.steady()) {}

int AutoscaledPolls::target() {
  absl::MutexLock lock(&mutex_);
  return target_;
}

std::optional<std::chrono::milliseconds> AutoscaledPolls::timeout() {
  absl::MutexLock lock(&mutex_);
  advance();
  if (tasks_ > 1) return kBurstPoll;
  return std::nullopt;
}

void AutoscaledPolls::ended(const PollResult& result) {
  absl::MutexLock lock(&mutex_);
  advance();
  if (result.task) ++tasks_;
  if (result.advice) {
    advised_ = true;
    if (*result.advice < 0 || busier()) set_target(target_ + *result.advice);
  } else if (!result.task && advised_) {
    set_target(target_ - 1);
  }
}

void AutoscaledPolls::refused() {
  absl::MutexLock lock(&mutex_);
  if (advised_) set_target(target_ / 2);
}

void AutoscaledPolls::advance() {
  const auto passed = clock_.steady() - window_began_;
  if (passed < kWindow) return;
  tasks_before_ = passed < 2 * kWindow ? tasks_ : 0;
  tasks_ = 0;
  window_began_ += passed / kWindow * kWindow;
}

bool AutoscaledPolls::busier() const { return tasks_ >= kBusier * tasks_before_; }

void AutoscaledPolls::set_target(int target) {
  target_ = std::clamp(target, limits_.minimum, limits_.maximum);
}

}  // namespace chimera::core
