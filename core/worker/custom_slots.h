// CustomSlots, as many tasks of one kind as a user's own CustomSlotSupplier grants. Nothing of the
// user's is called with a lock held. Any thread.
#ifndef CHIMERA_CORE_WORKER_CUSTOM_SLOTS_H_
#define CHIMERA_CORE_WORKER_CUSTOM_SLOTS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

#include "core/base/slot_supplier.h"
#include "core/base/timers.h"
#include "core/telemetry/metrics.h"
#include "core/worker/options.h"

namespace chimera::core {

enum class SlotKind : std::uint8_t { kWorkflow, kActivity, kLocalActivity, kNexus };
const char* to_string(SlotKind kind);

// What a slot is wanted for, and by which worker.
struct SlotContext {
  SlotKind kind = SlotKind::kWorkflow;
  const WorkerOptions& worker;
  bool sticky = false;
  std::string_view activity_type;  // Of a local or an eager activity; else not known yet.
};

class CustomSlots;

// Someone who waits for a slot. Any thread.
class SlotReservation {
 public:
  SlotReservation(std::weak_ptr<CustomSlots> slots, base::SlotRequest request,
                  absl::AnyInvocable<void(std::shared_ptr<void>) &&> use);

  // Not null; it goes back with release(). False if nobody waits any more: then it was not taken.
  bool grant(std::shared_ptr<void> permit);
  // The supplier could not; it is asked again in a second.
  void fail(std::string_view why);
  // Runs at once if nobody waits any more, and never after a grant.
  void on_cancel(absl::AnyInvocable<void() &&> run);

 private:
  friend class CustomSlots;
  using Use = absl::AnyInvocable<void(std::shared_ptr<void>) &&>;
  std::optional<Use> take_use();
  void cancel();

  const std::weak_ptr<CustomSlots> slots_;
  const bool sticky_;
  const std::string activity_type_;
  absl::Mutex mutex_;
  std::optional<Use> use_ ABSL_GUARDED_BY(mutex_);
  bool asked_ ABSL_GUARDED_BY(mutex_) = false;  // And the supplier has not failed since.
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  absl::AnyInvocable<void() &&> on_cancel_ ABSL_GUARDED_BY(mutex_);
};

// A language's, for one kind of task of one worker. Calls come on any thread, several at once, and
// must not throw.
class CustomSlotSupplier {
 public:
  using Permit = std::shared_ptr<void>;  // Not null; what it holds is the user's.

  virtual ~CustomSlotSupplier() = default;
  // Grants it now or later. One that is given up tells so by its on_cancel().
  virtual void reserve(const SlotContext& context,
                       std::shared_ptr<SlotReservation> reservation) = 0;
  // Null when there is none now.
  virtual Permit try_reserve(const SlotContext& context) = 0;
  virtual void mark_used(const base::SlotUse& use, const Permit& permit) = 0;
  // `use`: null if no task came for it. The last that is heard of a permit.
  virtual void release(const base::SlotUse* use, const Permit& permit) = 0;
};

class CustomSlots : public base::SlotSupplier, public std::enable_shared_from_this<CustomSlots> {
 public:
  // Borrows the timers. `used`: the gauge of what is in use; null: none.
  CustomSlots(SlotKind kind, std::shared_ptr<CustomSlotSupplier> supplier, WorkerOptions worker,
              base::Timers& timers, Gauge* used = nullptr)
      : kind_(kind),
        supplier_(std::move(supplier)),
        worker_(std::move(worker)),
        timers_(timers),
        gauge_(used) {}

  Permit try_take(const base::SlotRequest& request) override;
  void when_free(const base::SlotRequest& request,
                 absl::AnyInvocable<void(Permit) &&> use) override;
  void stop_waiting() override;
  void use(const Permit& permit, const base::SlotUse& use) override;
  int count() const override { return kNoLimit; }  // The supplier knows.
  base::SlotUsage usage() const override {
    return {held_.load(std::memory_order_relaxed), -1, "Custom"};
  }

 private:
  friend class SlotReservation;
  struct Held;
  static constexpr int kNoLimit = 1'000'000;

  SlotContext context(bool sticky, std::string_view activity_type) const {
    return {kind_, worker_, sticky, activity_type};
  }
  Permit hold(std::shared_ptr<void> permit);
  void ask(const std::shared_ptr<SlotReservation>& reservation);
  void forget(const SlotReservation* reservation);
  void ask_again(const SlotReservation* failed, std::string_view why);

  const SlotKind kind_;
  const std::shared_ptr<CustomSlotSupplier> supplier_;
  const WorkerOptions worker_;
  base::Timers& timers_;
  Gauge* const gauge_;
  std::atomic<int> held_{0};
  absl::Mutex mutex_;
  std::unordered_set<std::shared_ptr<SlotReservation>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_CUSTOM_SLOTS_H_
