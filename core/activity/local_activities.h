// LocalActivities, the local activities of one worker: slots, attempts, timeouts, retries. How one
// ended goes back to its run, which writes the marker. Any thread.
#ifndef CHIMERA_CORE_ACTIVITY_LOCAL_ACTIVITIES_H_
#define CHIMERA_CORE_ACTIVITY_LOCAL_ACTIVITIES_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

#include "core/activity/activity_manager.h"
#include "core/base/clock.h"
#include "core/base/slot_supplier.h"
#include "core/base/timers.h"
#include "core/language/language.h"
#include "core/language/local_activity.h"

namespace chimera::core {

class LocalActivities {
 public:
  using Done = absl::AnyInvocable<void(LocalActivityOutcome) &&>;

  // Borrows all; they outlive this. The manager runs the attempts.
  LocalActivities(ActivityManager& manager, std::shared_ptr<base::SlotSupplier> slots,
                  base::Timers& timers, base::Clock& clock);
  ~LocalActivities();

  // `done` runs exactly once: on any thread, perhaps inside this call. `here`: where the caller's
  // thread may run the first attempt.
  void start(const RunContext& run, std::uint32_t seq,
             std::shared_ptr<const ScheduleLocalActivity> activity, Done done,
             StartingThread* here = nullptr);
  // Ends its attempt, or the wait for one. No effect where it has ended.
  void cancel(const std::string& run_id, std::uint32_t seq);
  // From here on there are no new attempts: what waits for one is dropped.
  void begin_shutdown();
  // How many have not ended.
  std::size_t under_way() const;

 private:
  class Work;
  friend class Work;
  using Key = std::pair<std::string, std::uint32_t>;  // Run and seq.

  void forget(const Key& key, const Work* work);
  std::string next_token();

  ActivityManager& manager_;
  const std::shared_ptr<base::SlotSupplier> slots_;
  base::Timers& timers_;
  base::Clock& clock_;
  std::atomic<std::uint64_t> tokens_{0};
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Key, std::shared_ptr<Work>> under_way_ ABSL_GUARDED_BY(mutex_);
  bool shutting_down_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_ACTIVITY_LOCAL_ACTIVITIES_H_
