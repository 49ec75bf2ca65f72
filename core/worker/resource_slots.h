// ResourceSlots, as many tasks of one kind as memory and CPU allow: at least a minimum, at most a
// maximum, and between them another one whenever both are below their targets. The rules and
// constants are sdk-core's. Any thread.
#ifndef CHIMERA_CORE_WORKER_RESOURCE_SLOTS_H_
#define CHIMERA_CORE_WORKER_RESOURCE_SLOTS_H_

#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

#include "core/base/slot_supplier.h"
#include "core/base/timers.h"
#include "core/telemetry/metrics.h"
#include "core/worker/machine_load.h"
#include "core/worker/options.h"

namespace chimera::core {

// Whether there is room for one more task, of whatever kind: one for all kinds of a worker.
class ResourceController {
 public:
  ResourceController(const ResourceTargets& targets, std::unique_ptr<LoadMeter> meter)
      : memory_(targets.memory, kMemoryThreshold),
        cpu_(targets.cpu, kCpuThreshold),
        meter_(std::move(meter)) {}
  bool has_room();

 private:
  static constexpr double kMemoryThreshold = 0.25, kCpuThreshold = 0.05;

  // A controller without an integral part.
  class Pid {
   public:
    Pid(double target, double threshold) : target_(target), threshold_(threshold) {}
    bool allows(double used);

   private:
    const double target_, threshold_;
    std::optional<double> before_;
  };

  absl::Mutex mutex_;
  Pid memory_ ABSL_GUARDED_BY(mutex_), cpu_ ABSL_GUARDED_BY(mutex_);
  const std::unique_ptr<LoadMeter> meter_;
};

class ResourceSlots : public base::SlotSupplier,
                      public std::enable_shared_from_this<ResourceSlots> {
 public:
  // Borrows the timers. `used`: the gauge of what is in use; null: none.
  ResourceSlots(const ResourceSlotLimits& limits, std::shared_ptr<ResourceController> controller,
                base::Timers& timers, Gauge* used = nullptr)
      : limits_(limits), controller_(std::move(controller)), timers_(timers), gauge_(used) {}

  Permit try_take(const base::SlotRequest& request) override;
  void when_free(const base::SlotRequest& request,
                 absl::AnyInvocable<void(Permit) &&> use) override;
  void stop_waiting() override;
  int count() const override { return limits_.maximum; }
  base::SlotUsage usage() const override {
    absl::MutexLock lock(&mutex_);
    return {used_, limits_.maximum - used_, "ResourceBased"};
  }

 private:
  struct Waiting {
    bool sticky = false;
    absl::AnyInvocable<void(Permit) &&> use;
  };

  bool may_take(bool sticky) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void take(bool sticky) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Permit permit(bool sticky);
  void give_back(bool sticky);
  // Those who wait, as long as there is room; then again soon.
  void serve();

  const ResourceSlotLimits limits_;
  const std::shared_ptr<ResourceController> controller_;
  base::Timers& timers_;
  Gauge* const gauge_;
  mutable absl::Mutex mutex_;
  int used_ ABSL_GUARDED_BY(mutex_) = 0;
  int sticky_used_ ABSL_GUARDED_BY(mutex_) = 0;  // Of these, for polls of a sticky queue.
  std::optional<base::SteadyTime> last_taken_ ABSL_GUARDED_BY(mutex_);
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  base::TimerId look_again_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_RESOURCE_SLOTS_H_
