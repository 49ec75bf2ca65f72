// ActivityRate, how many activities of one type a worker begins in a second. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_ACTIVITY_RATE_H_
#define CHIMERA_SDK_CPP_SRC_ACTIVITY_RATE_H_

#include <algorithm>
#include <chrono>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "core/base/clock.h"

namespace chimera::sdk {

class ActivityRate {
 public:
  // Above 0.
  explicit ActivityRate(double per_second)
      : apart_(std::chrono::ceil<std::chrono::nanoseconds>(
            std::chrono::duration<double>(1 / per_second))) {}

  // How long the next one waits: at even distances, and nothing is saved up.
  std::chrono::nanoseconds take(base::SteadyTime now) {
    const absl::MutexLock lock(&mutex_);
    const base::SteadyTime turn = std::max(now, next_);
    next_ = turn + apart_;
    return turn - now;
  }

 private:
  const std::chrono::nanoseconds apart_;
  absl::Mutex mutex_;
  base::SteadyTime next_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_ACTIVITY_RATE_H_
