// Slots, how many tasks of one kind a worker takes on. A permit is held from before the poll until
// the task has been answered. Any thread.
#ifndef CHIMERA_CORE_WORKER_SLOTS_H_
#define CHIMERA_CORE_WORKER_SLOTS_H_

#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace chimera::core {

class Slots : public std::enable_shared_from_this<Slots> {
 public:
  using Permit = std::shared_ptr<void>;  // Dropping it gives the slot back.

  explicit Slots(int count) : count_(count), free_(count) {}

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

  const int count_;
  mutable absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  std::deque<absl::AnyInvocable<void(Permit) &&>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_SLOTS_H_
