// Slots, how many tasks of one kind a worker takes on. A permit is held from before the poll until
// the task has been answered. Any thread.
#ifndef CHIMERA_CORE_WORKER_SLOTS_H_
#define CHIMERA_CORE_WORKER_SLOTS_H_

#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

#include "core/telemetry/metrics.h"

namespace chimera::core {

class Slots : public std::enable_shared_from_this<Slots> {
 public:
  using Permit = std::shared_ptr<void>;  // Dropping it gives the slot back.

  // The gauges follow what is free and used; null: no gauges.
  explicit Slots(int count, Gauge* available = nullptr, Gauge* used = nullptr)
      : count_(count), available_(available), used_(used), free_(count) {
    if (available_) available_->set(count);
  }

  // Null when none is free.
  Permit try_take();
  // Runs `use` with a permit: at once, or on the thread that gives one back, in order of asking.
  void when_free(absl::AnyInvocable<void(Permit) &&> use);
  // Drops whoever waits; their `use` never runs.
  void stop_waiting();

  int count() const { return count_; }
  int used() const;

 private:
  Permit permit();
  void give_back();
  void show(int taken) const;  // More, or fewer, in use than before.

  const int count_;
  Gauge *const available_, *const used_;
  mutable absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  std::deque<absl::AnyInvocable<void(Permit) &&>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_SLOTS_H_
