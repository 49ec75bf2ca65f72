// Timers, work that runs later: retries, heartbeats, safety nets. TimerThread is the real one;
// tests turn their own by hand.
#ifndef CHIMERA_CORE_BASE_TIMERS_H_
#define CHIMERA_CORE_BASE_TIMERS_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

#include "core/base/clock.h"

namespace chimera::base {

using TimerId = std::uint64_t;  // Never zero.

// Any thread.
class Timers {
 public:
  virtual ~Timers() = default;
  // Never runs `work` inside this call. Work must not block: everybody's timers share a thread.
  virtual TimerId after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> work) = 0;
  // True: the work will not run. False: it has run, runs just now, or was cancelled before.
  virtual bool cancel(TimerId id) = 0;
  virtual SteadyTime now() const = 0;
};

// One thread, started by the first timer. Work that is due runs in the order of its times.
class TimerThread : public Timers {
 public:
  TimerThread() = default;
  ~TimerThread() override;  // Drops what has not run.

  TimerId after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> work) override;
  bool cancel(TimerId id) override;
  SteadyTime now() const override { return system_clock().steady(); }

 private:
  using Key = std::pair<SteadyTime, TimerId>;

  void loop();

  absl::Mutex mutex_;
  absl::CondVar changed_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, absl::AnyInvocable<void() &&>> pending_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<TimerId, SteadyTime> due_ ABSL_GUARDED_BY(mutex_);
  TimerId last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

// The process's timers. Live for ever.
Timers& system_timers();

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_TIMERS_H_
