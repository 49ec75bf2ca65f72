// Slots, a fixed number of tasks of one kind at a time. Any thread.
#ifndef CHIMERA_CORE_WORKER_SLOTS_H_
#define CHIMERA_CORE_WORKER_SLOTS_H_

#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

#include "core/base/slot_supplier.h"
#include "core/telemetry/metrics.h"

namespace chimera::core {

class Slots : public base::SlotSupplier, public std::enable_shared_from_this<Slots> {
 public:
  // The gauges follow what is free and used; null: no gauges.
  explicit Slots(int count, Gauge* available = nullptr, Gauge* used = nullptr)
      : count_(count), available_(available), used_(used), free_(count) {
    if (available_) available_->set(count);
  }

  Permit try_take(const base::SlotRequest& request) override;
  void when_free(const base::SlotRequest& request,
                 absl::AnyInvocable<void(Permit) &&> use) override;
  void stop_waiting() override;
  int count() const override { return count_; }

  int used() const;
  base::SlotUsage usage() const override {
    const int taken = used();
    return {taken, count_ - taken, "Fixed"};
  }

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
