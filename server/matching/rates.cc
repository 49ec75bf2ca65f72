#include "server/matching/rates.h"

#include <algorithm>
#include <numeric>

namespace chimera::server {

void RateTracker::advance(WallTime now) {
  if (now - step_began_ < kStep) return;
  const std::int64_t steps = (now - step_began_) / kStep;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(steps, counts_.size()); ++i) {
    step_ = (step_ + 1) % counts_.size();
    counts_[step_] = 0;
  }
  step_began_ += steps * kStep;
}

float RateTracker::per_second(WallTime now) const {
  RateTracker then = *this;
  then.advance(now);
  const Nanos time = std::min(now - then.step_began_ + kWindow, now - began_);
  if (time <= Nanos{0}) return 0;
  const std::uint32_t count = std::accumulate(then.counts_.begin(), then.counts_.end(), 0u);
  return static_cast<float>(count) / std::chrono::duration<float>(time).count();
}

Rate Rate::per_second(double rate) {
  constexpr double kLeast = 1e-9;  // Whose interval is a Nanos yet.
  Rate result;
  result.interval_ =
      rate > kLeast ? std::max(Nanos{static_cast<std::int64_t>(1e9 / rate)}, Nanos{1}) : Nanos{-1};
  return result;
}

Rate Rate::times(double factor) const {
  if (!limited() || never()) return *this;
  return per_second(1e9 / static_cast<double>(interval_.count()) * factor);
}

void Limiter::take(Rate rate, WallTime now) {
  if (rate.never()) {
    ready_ = kNever;
    return;
  }
  ready_ = add_saturated(std::max(now, add_saturated(ready_, kBurst)) - kBurst, rate.interval());
}

void Limiter::change(Rate rate, WallTime now) {
  if (rate.never())
    ready_ = kNever;
  else
    ready_ = std::min(ready_, add_saturated(add_saturated(now, rate.interval()), kBurst));
}

}  // namespace chimera::server
