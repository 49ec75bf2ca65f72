// AutoscaledPolls, as many polls as the server advises (poller_scaling_decision) between two
// limits. The rules are sdk-core's. Any thread.
#ifndef CHIMERA_CORE_WORKER_AUTOSCALED_POLLS_H_
#define CHIMERA_CORE_WORKER_AUTOSCALED_POLLS_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "core/base/clock.h"
#include "core/worker/options.h"
#include "core/worker/task_source.h"

namespace chimera::core {

class AutoscaledPolls : public PollerBehavior {
 public:
  // Borrows the clock. `server_advises`: it says so of itself, so that an answer without advice
  // means that there is nothing to do.
  AutoscaledPolls(const PollerAutoscaling& limits, const base::Clock& clock, bool server_advises,
                  double per_second = 0);

  int polls() const override { return limits_.maximum; }
  double per_second() const override { return per_second_; }
  int target() override;
  std::optional<std::chrono::milliseconds> timeout() override;
  void ended(const PollResult& result) override;
  void refused() override;

 private:
  // Begins a new window when the last is over.
  void advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // More tasks come than in the window before: polls are what is missing.
  bool busier() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void set_target(int target) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const PollerAutoscaling limits_;
  const base::Clock& clock_;
  const double per_second_;
  absl::Mutex mutex_;
  int target_ ABSL_GUARDED_BY(mutex_);
  bool advised_ ABSL_GUARDED_BY(mutex_);
  base::SteadyTime window_began_ ABSL_GUARDED_BY(mutex_);
  int tasks_ ABSL_GUARDED_BY(mutex_) = 0;         // Of this window,
  int tasks_before_ ABSL_GUARDED_BY(mutex_) = 0;  // and of the one before.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_AUTOSCALED_POLLS_H_
