// RateTracker, how many a second there were lately; Limiter, how many a second there may be. Both
// count as the genuine server does. Loop thread.
#ifndef CHIMERA_SERVER_MATCHING_RATES_H_
#define CHIMERA_SERVER_MATCHING_RATES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/base/types.h"

namespace chimera::server {

// Of the last 30 s, in steps of five; of a younger one since its beginning.
class RateTracker {
 public:
  explicit RateTracker(WallTime now) : began_(now), step_began_(now) {}
  void count(WallTime now) {
    advance(now);
    ++counts_[step_];
  }
  float per_second(WallTime now) const;

 private:
  static constexpr Nanos kStep = seconds{5};
  static constexpr Nanos kWindow = seconds{30};
  void advance(WallTime now);

  WallTime began_, step_began_;
  std::array<std::uint32_t, kWindow / kStep + 1> counts_{};
  std::size_t step_ = 0;
};

// The time between two.
class Rate {
 public:
  Rate() = default;  // No limit.
  // 0 and less: none may pass.
  static Rate per_second(double rate);
  bool limited() const { return interval_ != Nanos{0}; }
  bool never() const { return interval_ < Nanos{0}; }
  Nanos interval() const { return interval_; }
  Rate times(double factor) const;  // So many times as many.

 private:
  Nanos interval_{};
};

// What was not taken in the last second may be taken at once.
class Limiter {
 public:
  WallTime ready() const { return ready_; }  // When the next may pass; kNever while none may.
  void take(Rate rate, WallTime now);
  // The rate is another one from now on.
  void change(Rate rate, WallTime now);
  bool rested(WallTime now) const { return add_saturated(ready_, kBurst) < now; }  // As if new.

 private:
  static constexpr Nanos kBurst = seconds{1};
  WallTime ready_{};
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_MATCHING_RATES_H_
